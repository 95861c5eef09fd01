from __future__ import annotations

import math

import pytest
import torch

from mmcape.models.losses import (
    HeatmapMSELoss,
    KeypointL1Loss,
    SimilarityCrossEntropyLoss,
    SimilarityHeatmapLoss,
)


def test_l1_is_the_mean_over_each_sample_then_over_the_batch():
    points = torch.zeros(2, 3, 2)
    target = torch.tensor(
        [
            [[0.1, 0.2], [0.3, 0.0], [9.0, 9.0]],
            [[0.5, 0.5], [9.0, 9.0], [9.0, 9.0]],
        ]
    )
    valid = torch.tensor([[True, True, False], [True, False, False]])
    loss = KeypointL1Loss(loss_weight=2.0)(points, target, valid)
    expected = 2 * ((0.3 + 0.3) / 2 + 1.0) / 2
    assert loss.item() == pytest.approx(expected)


def test_sample_without_valid_keypoints_contributes_zero():
    points, target = torch.zeros(2, 3, 2), torch.ones(2, 3, 2)
    valid = torch.tensor([[True] * 3, [False] * 3])
    loss = KeypointL1Loss()(points, target, valid)
    assert loss.item() == pytest.approx((2.0 + 0.0) / 2)


def test_heatmap_loss_by_hand():
    similarity = torch.zeros(1, 2, 2, 2)  # sigmoid is 0.5 everywhere
    target = torch.tensor([1.0, 0.0, 0.0, 0.0]).view(1, 1, 2, 2)
    target = target.expand(1, 2, 2, 2)
    valid = torch.tensor([[True, False]])
    loss = SimilarityHeatmapLoss(loss_weight=2.0)(similarity, target, valid)
    assert loss.item() == pytest.approx(2 * 0.25)


def test_mse_of_heatmaps_by_hand():
    heatmaps = torch.zeros(2, 3, 2, 2)
    target = torch.tensor([1.0, 0.0, 0.0, 1.0]).view(1, 1, 2, 2)
    target = target.expand(2, 3, 2, 2)
    valid = torch.tensor([[True, True, False], [False, False, False]])
    published = HeatmapMSELoss()(heatmaps, target, valid)
    assert published.item() == pytest.approx(2 * 0.5 / 100 / 2)
    own_count = HeatmapMSELoss(divisor=None, loss_weight=3.0)
    loss = own_count(heatmaps, target, valid)
    assert loss.item() == pytest.approx(3 * 0.5 / 2)


def test_cross_entropy_by_hand():
    similarity = torch.tensor([0.0, 0.0, math.log(2), 0.0]).view(1, 1, 2, 2)
    target = torch.tensor([0.0, 0.0, 1.0, 1.0]).view(1, 1, 2, 2)
    valid = torch.ones(1, 1, dtype=torch.bool)
    loss = SimilarityCrossEntropyLoss()(similarity, target, valid)
    expected = (math.log(5 / 2) + math.log(5)) / 2
    assert loss.item() == pytest.approx(expected)


def test_cross_entropy_of_an_empty_target_is_zero():
    similarity, target = torch.randn(1, 2, 3, 3), torch.zeros(1, 2, 3, 3)
    valid = torch.ones(1, 2, dtype=torch.bool)
    assert SimilarityCrossEntropyLoss()(similarity, target, valid) == 0


@pytest.mark.parametrize(
    'loss',
    [
        HeatmapMSELoss(),
        HeatmapMSELoss(divisor=None),
        KeypointL1Loss(),
        SimilarityCrossEntropyLoss(),
        SimilarityHeatmapLoss(),
    ],
)
def test_padding_changes_nothing(loss):
    torch.manual_seed(0)
    shape = (2, 4, 2) if isinstance(loss, KeypointL1Loss) else (2, 4, 3, 3)
    a, b = torch.rand(shape), torch.rand(shape)
    valid = torch.tensor([[True] * 4, [True, False, True, True]])
    padded = [torch.cat([x, torch.full_like(x, 5.0)], dim=1) for x in (a, b)]
    padded_valid = torch.cat([valid, torch.zeros_like(valid)], dim=1)
    torch.testing.assert_close(loss(*padded, padded_valid), loss(a, b, valid))
