"""Batches made in the worker against those that the preprocessor makes."""

from __future__ import annotations

import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmpose.registry import MODELS

from mmcape.datasets.collate import collate_episodes, pad_keypoints


def _sample(keypoints: int, shots: int, seed: int) -> dict:
    rng = torch.Generator().manual_seed(seed)

    def image(*shape: int) -> torch.Tensor:
        values = torch.randint(
            256, (*shape, 8, 8, 3), generator=rng, dtype=torch.uint8
        )
        return values.movedim(-1, -3)

    return dict(
        inputs=dict(
            query_img=image(),
            query_keypoints=torch.rand(keypoints, 2, generator=rng),
            query_visible=torch.rand(keypoints, generator=rng) > 0.5,
            support_img=image(shots),
            support_keypoints=torch.rand(shots, keypoints, 2, generator=rng),
            support_visible=torch.rand(shots, keypoints, generator=rng) > 0.5,
        ),
        data_samples=f'sample {seed}',
    )


@pytest.mark.parametrize('shots', [1, 3])
def test_equals_lists_of_episodes(shots: int) -> None:
    samples = [_sample(count, shots, count) for count in (4, 7, 2)]
    preprocessor = MODELS.build(
        dict(
            type='EpisodeDataPreprocessor',
            mean=[1.0, 2.0, 3.0],
            std=[4.0, 5.0, 6.0],
        )
    )

    ours = preprocessor(collate_episodes(samples))
    plain = preprocessor(pseudo_collate(samples))

    assert ours['data_samples'] == plain['data_samples']
    assert ours['inputs'].keys() == plain['inputs'].keys()
    for name, batch in ours['inputs'].items():
        assert torch.equal(batch, plain['inputs'][name]), name
    assert ours['inputs']['support_keypoints'].shape == (3, shots, 7, 2)
    assert not ours['inputs']['query_visible'][2, 2:].any()


def test_images_keep_channels_innermost() -> None:
    batch = collate_episodes([_sample(3, 1, 0), _sample(3, 1, 1)])
    images = batch['inputs']['query_img']
    assert images.is_contiguous(memory_format=torch.channels_last)


def test_padding() -> None:
    padded = pad_keypoints([torch.ones(1, 2), torch.ones(3, 2)], axis=-2)
    assert padded.tolist() == [
        [[1, 1], [0, 0], [0, 0]],
        [[1, 1], [1, 1], [1, 1]],
    ]
