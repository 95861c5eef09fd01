from __future__ import annotations

import itertools

import numpy as np
import pytest

from mmcape.visualization.text import (
    caption,
    fitted,
    font,
    legend,
    place_labels,
)


def overlap(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@pytest.mark.parametrize('count', [5, 100])
def test_numbers_cover_neither_each_other_nor_keypoints(count):
    keypoints = np.random.default_rng(0).uniform(20, 580, (count, 2))
    widths, radius = dict.fromkeys(range(count), 14.0), 4.0
    places = place_labels(
        keypoints, widths, 10, np.full(count, radius), (600, 600)
    )
    assert len(places) > 0.95 * count
    boxes = [(x, y, x + 14, y + 8) for x, y, _ in places.values()]
    assert not any(overlap(*two) for two in itertools.combinations(boxes, 2))
    dots = [(*(p - radius), *(p + radius)) for p in keypoints]
    assert not any(overlap(*two) for two in itertools.product(boxes, dots))
    assert all(b[0] >= 0 and b[2] <= 600 for b in boxes)


def test_number_without_room_is_left_out():
    keypoints = np.full((60, 2), 50.0)
    widths = dict.fromkeys(range(60), 14.0)
    places = place_labels(keypoints, widths, 10, np.full(60, 4.0), (100, 100))
    assert 5 < len(places) < 60


def test_long_names_keep_their_ends():
    face = font(12)
    name = 'the_left_hand_of_the_third_finger_tip'
    short = fitted(name, 120, face)
    assert face.getlength(short) <= 120
    assert short.startswith('the_left')
    assert short.endswith('_tip')
    assert '…' in short
    assert fitted('nose', 120, face) == 'nose'
    assert fitted('nose', 1, face) == ''


def test_caption_and_legend_have_the_width_of_their_picture():
    names = [f'a_rather_long_name_of_keypoint_{i}' for i in range(100)]
    for width in (200, 1500):
        assert caption(['one', 'two'], width).shape[1] == width
        picture = legend(names, range(100), width)
        assert picture.shape[1] == width
        assert (picture[:, -3:] == 255).all()  # nothing is cut off
    few = legend(names, [3], 1500)
    assert few.shape[0] < legend(names, range(100), 1500).shape[0]
