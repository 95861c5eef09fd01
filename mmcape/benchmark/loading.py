"""Samples a second of one loader worker."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.dataset import pseudo_collate, worker_init_fn
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from mmcape.codecs import SeparableGaussian
from mmcape.datasets.collate import collate_episodes
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


def enlarge(source: Path, target: Path, factor: float, count: int) -> None:
    """Write a part of an embedded benchmark's training set in a larger size.

    Args:
        source: The benchmark's folder.
        target: Folder to write to, in the same layout.
        factor: Of the images' sides.
        count: How many categories to take.
    """
    name = Path('annotations/puppets_train.json')
    content = json.loads((source / name).read_text('utf-8'))
    content['categories'] = content['categories'][:count]
    kept = {category['id'] for category in content['categories']}
    content['annotations'] = [
        one for one in content['annotations'] if one['category_id'] in kept
    ]
    used = {one['image_id'] for one in content['annotations']}
    content['images'] = [one for one in content['images'] if one['id'] in used]
    for image in content['images']:
        pixels = cv2.imread(str(source / 'images' / image['file_name']))
        pixels = cv2.resize(pixels, None, fx=factor, fy=factor)
        image['height'], image['width'] = pixels.shape[:2]
        path = target / 'images' / image['file_name']
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), pixels)
    for one in content['annotations']:
        one['bbox'] = [factor * value for value in one['bbox']]
        triples = np.reshape(one['keypoints'], (-1, 3)) * [factor, factor, 1]
        one['keypoints'] = triples.ravel().tolist()
    (target / name).parent.mkdir(parents=True)
    (target / name).write_text(json.dumps(content), encoding='utf-8')


def stack_targets(samples: list[dict[str, Any]]) -> dict[str, Any]:
    """Batch samples as a published loader does."""
    targets: Tensor = torch.stack([one.pop('targets') for one in samples])
    return dict(pseudo_collate(samples), targets=targets)


def loader(
    plain: MP100Dataset,
    ours: MP100Dataset,
    codec: SeparableGaussian,
    setting: str,
    batch: int = 16,
    steps: int = 20,
) -> Comparison:
    """Seconds a training sample, by one worker.

    Args:
        plain: With the pipeline of training.
        ours: The same instances, perhaps with a cache of decoded images.
        codec: Sizes and sigma of the targets.
        setting: What to call the comparison.
        batch: Episodes of a batch.
        steps: Batches to time.
    """
    groups = ours.category_instances()
    episodes = training_episodes(groups, 1, seed=0, epoch=0)
    episodes = episodes[: (steps + 2) * batch]
    for episode in episodes:
        ours[episode]  # fills the cache
    batches = [
        episodes[start : start + batch]
        for start in range(0, len(episodes), batch)
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
        setting,
        plain=seconds(WithDenseTargets(plain, codec), stack_targets),
        ours=seconds(ours, collate_episodes),
    )


def _start_worker(worker_id: int) -> None:
    worker_init_fn(worker_id, num_workers=1, rank=0, seed=0)
