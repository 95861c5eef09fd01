"""Samples a second of one loader worker."""

from __future__ import annotations

import time
from typing import Any

import torch
from mmengine.dataset import pseudo_collate, worker_init_fn
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from mmcape.codecs import SeparableGaussian
from mmcape.datasets.episodes import training_episodes
from mmcape.datasets.mp100 import MP100Dataset
from mmcape.structures import Episode

from .plain_procedure import dense_targets
from .timing import Comparison


class WithDenseTargets(Dataset):
    """Adds what a published loader builds to every sample.

    Args:
        dataset: The instances.
        codec: Sizes and sigma of the targets.
    """

    def __init__(
        self, dataset: MP100Dataset, codec: SeparableGaussian
    ) -> None:
        self.dataset = dataset
        self.codec = codec

    def __getitem__(self, episode: Episode) -> dict[str, Any]:
        sample = self.dataset[episode]
        inputs = sample['inputs']
        images = torch.cat(
            [inputs['query_keypoints'][None], inputs['support_keypoints']]
        )
        visible = torch.cat(
            [inputs['query_visible'][None], inputs['support_visible']]
        )
        targets = [
            torch.from_numpy(dense_targets(k.numpy(), v.numpy(), self.codec))
            for k, v in zip(images, visible)
        ]
        return dict(sample, targets=torch.stack(targets))


def stack_targets(samples: list[dict[str, Any]]) -> dict[str, Any]:
    """Batch samples as a published loader does."""
    targets: Tensor = torch.stack([one.pop('targets') for one in samples])
    return dict(pseudo_collate(samples), targets=targets)


def loader(
    dataset: MP100Dataset,
    codec: SeparableGaussian,
    batch: int = 16,
    steps: int = 20,
) -> Comparison:
    """Seconds a training sample, by one worker.

    Args:
        dataset: With the pipeline of training.
        codec: Sizes and sigma of the targets.
        batch: Episodes of a batch.
        steps: Batches to time.
    """
    groups = dataset.category_instances()
    episodes = training_episodes(groups, 1, seed=0, epoch=0)
    batches = [
        episodes[start : start + batch]
        for start in range(0, (steps + 2) * batch, batch)
    ]

    def seconds(source: Any, collate: Any) -> float:
        stream = DataLoader(
            source,
            batch_sampler=batches,
            num_workers=1,
            collate_fn=collate,
            worker_init_fn=_start_worker,
        )
        iterator = iter(stream)
        for _ in range(2):  # the worker starts
            next(iterator)
        start = time.perf_counter()
        count = sum(1 for _ in iterator)
        return (time.perf_counter() - start) / (count * batch)

    return Comparison(
        'loader',
        'a training sample',
        plain=seconds(WithDenseTargets(dataset, codec), stack_targets),
        ours=seconds(dataset, pseudo_collate),
    )


def _start_worker(worker_id: int) -> None:
    worker_init_fn(worker_id, num_workers=1, rank=0, seed=0)
