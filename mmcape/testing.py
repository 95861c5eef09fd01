"""Fabricated batches for tests, without data set or images."""

from __future__ import annotations

import torch
from mmengine.structures import InstanceData

from mmcape.structures import EpisodeDataSample
from mmcape.typing import EpisodeInputs


def make_episode_batch(
    batch: int = 2,
    shots: int = 1,
    keypoints: int = 7,
    size: tuple[int, int] = (128, 128),
    seed: int = 0,
) -> tuple[EpisodeInputs, list[EpisodeDataSample]]:
    """A batch as the data preprocessor would hand it to a model.

    Args:
        batch: Number of episodes.
        shots: Support images of an episode.
        keypoints: Keypoints of every episode.
        size: ``(w, h)`` of the crops.
        seed: Seed of all values.
    """
    rng = torch.Generator().manual_seed(seed)
    width, height = size

    def images(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, 3, height, width, generator=rng)

    def points(*shape: int) -> torch.Tensor:
        unit = torch.rand(*shape, keypoints, 2, generator=rng)
        return unit * torch.tensor([width, height])

    inputs: EpisodeInputs = dict(
        support_img=images(batch, shots),
        support_keypoints=points(batch, shots),
        support_visible=torch.ones(batch, shots, keypoints, dtype=torch.bool),
        query_img=images(batch),
        query_keypoints=points(batch),
        query_visible=torch.ones(batch, keypoints, dtype=torch.bool),
    )
    samples = [
        _sample(index, inputs['query_keypoints'][index], size)
        for index in range(batch)
    ]
    return inputs, samples


def _sample(
    index: int, keypoints: torch.Tensor, size: tuple[int, int]
) -> EpisodeDataSample:
    """A query whose crop is its image, shifted by its index."""
    width, height = size
    sample = EpisodeDataSample(
        metainfo=dict(
            episode_index=index,
            draw=index,
            category_id=1,
            num_keypoints=len(keypoints),
            input_size=size,
            input_center=(width / 2 + index, height / 2),
            input_scale=size,
        )
    )
    sample.gt_instances = InstanceData(
        bboxes=torch.tensor([[0.0, 0.0, width, height]]).numpy(),
        keypoints=keypoints[None].numpy(),
        keypoints_visible=torch.ones(1, len(keypoints)).numpy(),
    )
    return sample
