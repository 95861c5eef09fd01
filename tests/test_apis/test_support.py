from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from mmcape.apis import AnnotatedSupport, InputError, annotate, annotate_from
from mmcape.formats import read_coco

IMAGE = np.arange(40 * 60 * 3, dtype=np.uint8).reshape(40, 60, 3)
POINTS = [[10.0, 10.0], [30.0, 10.0], [20.0, 20.0]]


def test_default_box_surrounds_the_keypoints():
    support = annotate(IMAGE, POINTS)
    # 15 % of 20 px around (10..30, 10..20)
    assert support.boxes.tolist() == [[7, 7, 33, 23]]
    assert support.names == ['keypoint_1', 'keypoint_2', 'keypoint_3']
    assert support.visible.all()


def test_default_box_ends_with_the_image():
    support = annotate(IMAGE, [[0.0, 0.0], [59.0, 39.0]])
    assert support.boxes.tolist() == [[0, 0, 59, 39]]


def test_keypoints_that_are_not_numbers_are_not_visible():
    points = np.array(POINTS)
    points[1] = np.nan
    support = annotate(IMAGE, points, skeleton=[('keypoint_1', 2)])
    assert support.visible.tolist() == [[True, False, True]]
    assert np.isfinite(support.keypoints).all()
    assert support.skeleton == [(0, 2)]


def test_file_holds_everything(tmp_path):
    support = annotate(
        [IMAGE, IMAGE[::-1].copy()],
        [POINTS, POINTS],
        visible=[[1, 1, 1], [1, 0, 1]],
        skeleton=[(0, 1)],
        names=['a', 'b', 'c'],
        category='thing',
    )
    support.save(tmp_path / 'a.npz')
    loaded = AnnotatedSupport.load(tmp_path / 'a.npz')
    for name in ('keypoints', 'visible', 'boxes'):
        assert np.array_equal(getattr(loaded, name), getattr(support, name))
    for name in ('names', 'skeleton', 'category'):
        assert getattr(loaded, name) == getattr(support, name)
    for ours, theirs in zip(loaded.images(), (IMAGE, IMAGE[::-1])):
        assert np.array_equal(ours, theirs)


def test_pickles_are_not_opened(tmp_path):
    path = tmp_path / 'a.npz'
    np.savez(path, meta=np.array([dict(code='evil')], dtype=object))
    with pytest.raises(InputError, match=r'a\.npz is no support file'):
        AnnotatedSupport.load(path)
    path.write_bytes(b'text')
    with pytest.raises(InputError, match=r'a\.npz is no support file'):
        AnnotatedSupport.load(path)


def test_support_of_annotated_files(puppets_dir):
    path = puppets_dir / 'annotations/puppets_train.json'
    (category, *_) = json.loads(path.read_text())['categories']
    name = category['name']
    labelled = read_coco(path, name)
    support = annotate_from(labelled)
    assert len(support.files) == len(labelled.poses)
    np.testing.assert_allclose(support.boxes[2], labelled.poses[2].box)
    assert support.category == name


def test_another_edition_of_an_image_is_refused(puppets_dir):
    path = puppets_dir / 'annotations/puppets_train.json'
    content = json.loads(path.read_text())
    labelled = read_coco(path, content['categories'][0]['id'])
    pose = replace(labelled.poses[0], image_size=(1000, 1000))
    with pytest.raises(InputError, match=r'annotation is for \(1000, 1000\)'):
        annotate_from(replace(labelled, poses=[pose]))


@pytest.mark.parametrize(
    ('arguments', 'complaint'),
    [
        (dict(images=[]), 'at least one image'),
        (dict(images='no.png'), 'image no.png cannot be read'),
        (dict(images=IMAGE.astype(float)), r'type float64; an image is'),
        (dict(keypoints=[[1, 2, 3]]), r'shape \(1, 1, 3\), for 1 support'),
        (dict(keypoints=[['a', 'b']]), '`keypoints` are not numbers'),
        (dict(images=[IMAGE] * 2), r'must be \(2, K, 2\)'),
        (
            dict(keypoints=[[1, 2], [70, 2]], names=['nose', 'tail']),
            r"keypoint 'tail' of support image 1 is at \(70, 2\), outside",
        ),
        (dict(visible=[0, 0, 0]), 'no keypoint is visible'),
        (dict(names=['a']), '1 names for 3 keypoints'),
        (dict(names=['a', 'b', 'a']), r"are called \['a'\]"),
        (dict(skeleton=[(0, 3)]), r'edge \(0, 3\) is no pair'),
        (dict(skeleton=[('x', 1)]), r"edge \('x', 1\) is no pair"),
        (dict(boxes=[30, 10, 20, 20]), 'of support image 1 has no area'),
        (dict(keypoints=np.zeros((0, 2))), 'at least one keypoint'),
    ],
)
def test_bad_supports_are_refused(arguments, complaint):
    usual = dict(images=IMAGE, keypoints=POINTS)
    with pytest.raises(InputError, match=complaint):
        annotate(**{**usual, **arguments})
