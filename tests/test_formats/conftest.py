from __future__ import annotations

import cv2
import numpy as np
import pytest

from mmcape.formats import LabelledPoses, Pose

NAMES = ['nose', 'ear, left', 'tail']


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / 'labeled-data' / 'mouse'
    folder.mkdir(parents=True)
    paths = []
    for i in range(2):
        path = folder / f'img{i}.png'
        cv2.imwrite(str(path), np.full((40, 60, 3), 90, np.uint8))
        paths.append(str(path))
    return paths


@pytest.fixture
def predicted(images):
    """Two instances in the first image, one in the second."""
    rng = np.random.default_rng(0)
    poses = [
        Pose(
            image=images[number],
            keypoints=rng.uniform(0, 39, (3, 2)).round(2),
            visible=np.array(visible),
            box=np.array([1.0, 2.0, 30.0 + number, 38.0]),
            scores=rng.random(3).round(4) * visible,
            image_size=(60, 40),
        )
        for number, visible in (
            (0, [True, True, True]),
            (0, [True, False, True]),
            (1, [True, True, False]),
        )
    ]
    return LabelledPoses(NAMES, poses, [(0, 1), (0, 2)], 'mouse')


def assert_same(found, expected, box=True):
    assert list(found.names) == list(expected.names)
    assert len(found.poses) == len(expected.poses)
    for ours, theirs in zip(found.poses, expected.poses):
        assert ours.image == theirs.image
        assert np.array_equal(ours.visible, theirs.visible)
        seen = theirs.visible
        np.testing.assert_allclose(
            ours.keypoints[seen], theirs.keypoints[seen]
        )
        np.testing.assert_allclose(ours.scores[seen], theirs.scores[seen])
        if box:
            np.testing.assert_allclose(ours.box, theirs.box)
