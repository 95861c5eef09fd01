from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmcape.codecs import SeparableGaussian
from mmcape.codecs.separable_gaussian import bilinear_matrix


def dense_heatmap(x, y, size=(64, 64), stride=4, sigma=2):
    """The classic target, written as a loop over cells."""
    width, height = size
    heatmap = np.zeros((height, width))
    cx, cy = int(x / stride + 0.5), int(y / stride + 0.5)
    for row in range(height):
        for column in range(width):
            dx, dy = column - cx, row - cy
            if max(abs(dx), abs(dy)) <= 3 * sigma:
                heatmap[row, column] = np.exp(
                    -(dx * dx + dy * dy) / (2 * sigma**2)
                )
    return torch.from_numpy(heatmap)


POINTS = [(128, 128), (0, 0), (255.9, 3.2), (-5, 100), (-30, 20), (61.5, 270)]


@pytest.fixture
def codec():
    return SeparableGaussian((256, 256), (64, 64), 2)


@pytest.mark.parametrize('point', POINTS)
def test_encode_equals_a_loop_over_cells(codec, point):
    gy, gx = codec.encode(torch.tensor(point, dtype=torch.float64))
    heatmap = gy[:, None] * gx[None]
    torch.testing.assert_close(heatmap, dense_heatmap(*point))


def test_dense_heatmaps(codec):
    heatmaps = codec.heatmaps(torch.tensor(POINTS, dtype=torch.float64))
    expected = torch.stack([dense_heatmap(*point) for point in POINTS])
    torch.testing.assert_close(heatmaps, expected)


def test_encode_on_a_map_that_is_not_square():
    codec = SeparableGaussian((192, 256), (48, 64), 2)
    gy, gx = codec.encode(torch.tensor([100.0, 200.0], dtype=torch.float64))
    heatmap = gy[:, None] * gx[None]
    expected = dense_heatmap(100, 200, size=(48, 64))
    torch.testing.assert_close(heatmap, expected)


@pytest.mark.parametrize('point', POINTS)
@pytest.mark.parametrize('size', [(8, 8), (6, 10), (64, 64)])
def test_pooling_masks_equal_upsampling_the_features(codec, point, size):
    features = torch.randn(1, 5, *size, dtype=torch.float64)
    heatmap = dense_heatmap(*point)
    upsampled = F.interpolate(
        features, (64, 64), mode='bilinear', align_corners=False
    )
    expected = (upsampled * heatmap / (heatmap.sum() + 1e-8)).sum((0, 2, 3))

    masks = codec.pooling_masks(torch.tensor([point]).double(), size)
    pooled = torch.einsum('khw,chw->kc', masks, features[0])[0]
    torch.testing.assert_close(pooled, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize('point', POINTS)
@pytest.mark.parametrize('size', [(8, 8), (6, 10)])
def test_cell_targets_equal_resizing_the_heatmap(codec, point, size):
    heatmap = dense_heatmap(*point)[None, None]
    small = F.interpolate(heatmap, size, mode='bilinear', align_corners=False)
    expected = (small / (small.max() + 1e-10))[0]

    targets = codec.cell_targets(torch.tensor([point]).double(), size)
    torch.testing.assert_close(targets, expected, atol=1e-6, rtol=0)


def test_in_reach_borders(codec):
    x = torch.tensor([-34.1, -33.9, -10.0, 277.9, 278.1])
    points = torch.stack([x, torch.full_like(x, 100)], dim=-1)
    assert codec.in_reach(points).tolist() == [False, True, True, True, False]


def test_decode_inverts_normalize():
    codec = SeparableGaussian((192, 256), (48, 64))
    points = torch.rand(3, 5, 2) * 300
    torch.testing.assert_close(codec.decode(codec.normalize(points)), points)


def test_bilinear_matrix_halves_by_averaging_the_middle_cells():
    matrix = bilinear_matrix(8, 2, like=torch.zeros(1))
    expected = torch.zeros(2, 8)
    expected[0, 1:3] = expected[1, 5:7] = 0.5
    torch.testing.assert_close(matrix, expected)
