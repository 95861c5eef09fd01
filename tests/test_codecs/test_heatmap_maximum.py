from __future__ import annotations

import pytest
import torch

from mmcape.codecs import heatmap_maximum


def decode(values, size=(6, 7)):
    """Place and value for a map (h, w) that is zero but for ``values``."""
    heatmap = torch.zeros(1, 1, *size)
    for (x, y), value in values.items():
        heatmap[0, 0, y, x] = value
    places, scores = heatmap_maximum(heatmap)
    return places[0, 0].tolist(), scores.item()


def test_quarter_of_a_cell_towards_the_higher_neighbour():
    peak = {(3, 2): 0.5}
    assert decode(peak) == ([3.0, 2.0], 0.5)
    assert decode({**peak, (4, 2): 0.1}) == ([3.25, 2.0], 0.5)
    assert decode({**peak, (2, 2): 0.1, (3, 1): 0.2}) == ([2.75, 1.75], 0.5)
    # only the sign of the slope counts
    assert decode({**peak, (2, 2): 0.1, (4, 2): 0.4})[0] == [3.25, 2.0]


@pytest.mark.parametrize(
    ('cell', 'moves'),
    [
        ((1, 3), False),
        ((2, 3), True),
        ((5, 3), True),
        ((6, 3), False),
        ((3, 1), False),
        ((3, 4), True),
        ((3, 5), False),
    ],
)
def test_no_shift_next_to_the_border(cell, moves):
    x, y = cell
    place, _ = decode({cell: 1.0, (x - 1, y): 0.5})
    assert place == [x - 0.25 * moves, y]


def test_first_of_equal_maxima():
    assert decode({(4, 1): 1.0, (1, 4): 1.0})[0] == [4.0, 1.0]


@pytest.mark.parametrize('maximum', [0.0, -0.25])
def test_maximum_that_is_not_positive_shows_nothing(maximum):
    heatmap = torch.full((1, 1, 6, 7), -1.0)
    heatmap[0, 0, 3, 3] = maximum
    places, scores = heatmap_maximum(heatmap)
    assert places[0, 0].tolist() == [-1.0, -1.0]
    assert scores.item() == maximum


def test_batch_and_keypoints_are_apart():
    heatmaps = torch.rand(3, 4, 6, 7, generator=torch.manual_seed(0))
    places, scores = heatmap_maximum(heatmaps)
    for i in range(3):
        for k in range(4):
            place, score = heatmap_maximum(heatmaps[i : i + 1, k : k + 1])
            assert torch.equal(place[0, 0], places[i, k])
            assert score[0, 0] == scores[i, k]
