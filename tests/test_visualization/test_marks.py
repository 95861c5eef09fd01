from __future__ import annotations

import numpy as np
import pytest

from mmcape.visualization import draw_keypoints
from mmcape.visualization.marks import (
    RED,
    colour,
    draw_crosses,
    draw_rings,
    draw_walks,
    radius_of,
)


def test_only_the_wanted_keypoints_are_drawn():
    image = np.zeros((40, 60, 3), np.uint8)
    keypoints = np.array([[10.0, 20.0], [30.0, 20.0], [50.0, 20.0]])
    draw_keypoints(image, keypoints, np.array([True, False, True]), [(0, 1)])
    assert tuple(image[20, 10]) == colour(0, 3)
    assert tuple(image[20, 50]) == colour(2, 3)
    assert not image[:, 20:40].any()  # neither keypoint 1 nor its edge


def test_keypoint_outside_the_image_is_no_fault():
    image = np.zeros((40, 60, 3), np.uint8)
    for place in (-500.0, 9e9, np.inf):
        draw_keypoints(image, np.array([[place, 9e9]]), np.array([True]))
    assert not image.any()


def test_marks_grow_with_the_image_and_shrink_in_a_crowd():
    radii = [radius_of(np.zeros((s, s, 3))) for s in (384, 3840)]
    assert radii == [5.5, 55.0]
    # but small panels keep theirs
    assert radius_of(np.zeros((96, 96, 3))) == pytest.approx(4.4)
    assert radius_of(np.zeros((384, 384, 3)), 100) == pytest.approx(3.025)


@pytest.mark.parametrize('side', [64, 4000])
def test_dots_cover_the_same_share_of_small_and_large_pictures(side):
    from mmcape.visualization import draw_poses

    image = np.zeros((side, side, 3), np.uint8)
    middle = np.full((1, 1, 2), side / 2)
    picture = draw_poses(
        image, middle, np.ones((1, 1)), np.zeros((1, 4)), (), 0.5
    )
    share = picture[20:].any(axis=2).sum() / picture[..., 0].size
    assert 0.0004 < share < 0.0010
    assert max(picture.shape) == max(side, 640)


def test_names_stand_below_the_picture():
    from mmcape.visualization import draw_poses

    image = np.zeros((100, 100, 3), np.uint8)
    places, boxes = np.full((1, 2, 2), 50.0), np.zeros((1, 4))
    arguments = (image, places, np.ones((1, 2)), boxes, (), 0.5)
    plain = draw_poses(*arguments)
    named = draw_poses(*arguments, names=['nose', 'tail'])
    assert plain.shape == (640, 640, 3)
    assert named.shape[0] > 640
    assert (named[640:] < 100).any()  # dark letters


def test_walk_begins_hollow_and_ends_full():
    image = np.zeros((384, 384, 3), np.uint8)
    walks = np.array([[[100.0, 100.0]], [[100.0, 200.0]], [[300.0, 200.0]]])
    draw_walks(image, walks, np.array([True]))
    shade = colour(0, 1)
    assert tuple(image[200, 300]) == tuple(image[200, 200]) == shade
    assert tuple(image[150, 100]) == shade
    assert not image[96:99, 104:106].all()
    away = image.copy()
    away[90:210, 90:310] = 0
    assert not away.any()


def test_rings_and_crosses_leave_the_middle_free_and_marked():
    image = np.zeros((384, 384, 3), np.uint8)
    place, drawn = np.array([[100.0, 100.0]]), np.array([True])
    draw_rings(image, place, drawn)
    assert not image[100, 100].any()
    assert (image[100] == RED).all(axis=1).sum() >= 2
    draw_crosses(image, place, drawn)
    assert tuple(image[100, 100]) == colour(0, 1)
