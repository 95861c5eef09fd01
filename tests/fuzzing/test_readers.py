"""Mutated files of other tools: the documented error, or sound poses."""

from __future__ import annotations

import io
from collections import Counter
from functools import partial

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcape.apis import AnnotatedSupport, annotate
from mmcape.apis.boxes import BoxFinder
from mmcape.datasets.conversion import (
    ConversionError,
    from_coco,
    from_deeplabcut,
    from_labelme,
)
from mmcape.formats import read_poses
from mmcape.utils.input_error import InputError

from .conftest import (
    EXAMPLES,
    change_text,
    changes,
    coco_content,
    fuzz,
    mutated,
    no_hang,
)

SHARE = 0.1
COCO = coco_content()
LABELME = dict(
    version='5.5.0',
    flags={},
    shapes=[
        dict(
            label=label,
            points=points,
            group_id=1,
            shape_type=kind,
            flags=dict(occluded=False),
            score=0.5,
        )
        for label, points, kind in (
            ('fox', [[1.0, 2.0], [30.0, 31.0]], 'rectangle'),
            ('nose', [[4.0, 5.0]], 'point'),
            ('tail', [[24.0, 25.0]], 'point'),
        )
    ],
    imagePath='images/fox/1.png',
    imageData=None,
    imageHeight=40,
    imageWidth=60,
    skeleton=[['nose', 'tail']],
)
DEEPLABCUT = (
    b'scorer,me,me,me,me\nbodyparts,nose,nose,tail,tail\ncoords,x,y,x,y\n'
    b'labeled-data/fox/1.png,4.0,5.0,24.5,25.0\n'
    b'labeled-data/fox/2.png,,,14.5,15.0\n'
)
LABELSTUDIO = [
    dict(
        id=1,
        data=dict(image='/data/upload/1/0a1b2c3d-1.png'),
        annotations=[
            dict(
                was_cancelled=False,
                result=[
                    dict(
                        id=str(x),
                        type=kind,
                        original_width=60,
                        original_height=40,
                        image_rotation=0,
                        value={
                            **dict(x=x, y=20.0, width=30, height=40.5),
                            **{kind: [name]},
                        },
                    )
                    for x, kind, name in (
                        (5.0, 'rectanglelabels', 'fox'),
                        (10.0, 'keypointlabels', 'nose'),
                        (30.5, 'keypointlabels', 'tail'),
                    )
                ]
                + [dict(type='relation', from_id='10.0', to_id='5.0')],
            )
        ],
    )
]
YOLO = b'0 0.5 0.5 0.4 0.4 0.1 0.25 2 0.5 0.75 1\n'


def read_many(write, read, check, error, share=SHARE):
    """Read mutated files; how many were refused, and how many not."""
    outcomes = Counter()

    @fuzz(share)
    @given(changes)
    def one(steps):
        write(steps)
        try:
            with no_hang():
                found = read()
        except error:
            outcomes['refused'] += 1
        else:
            check(found)
            outcomes['sound'] += 1

    one()
    assert outcomes.total() >= int(EXAMPLES * share)
    assert min(outcomes['refused'], outcomes['sound']) > 0, outcomes


def assert_sound(labelled):
    count = len(labelled.names)
    assert all(0 <= end < count for edge in labelled.skeleton for end in edge)
    for pose in labelled.poses:
        assert pose.keypoints.shape == (count, 2)
        assert pose.visible.shape == (count,)
        assert np.isfinite(pose.keypoints[pose.visible]).all()
        if pose.box is not None:
            assert np.isfinite(pose.box).all()
        if pose.scores is not None:
            assert np.isfinite(pose.scores).all()
        assert cv2.imread(pose.image) is not None


@pytest.fixture
def project(root):
    """The root, with images where DeepLabCut has them."""
    for number in (1, 2):
        path = root / f'labeled-data/fox/{number}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.zeros((40, 60, 3), np.uint8))
    return root


@pytest.mark.parametrize(
    'name', ['coco', 'labelme', 'labelstudio', 'deeplabcut']
)
def test_formats(name, project):
    path = project / f'{name}.json'
    contents = dict(coco=COCO, labelme=LABELME, labelstudio=LABELSTUDIO)
    if name == 'deeplabcut':
        path = project / 'labels.csv'

    def write(steps):
        if name == 'deeplabcut':
            path.write_bytes(change_text(DEEPLABCUT, as_text(steps)))
        else:
            path.write_bytes(mutated(contents[name], steps))

    def read():
        # the example of COCO has several categories, the others one
        folder = project / 'images/fox' if name == 'labelstudio' else None
        return read_poses(path, 'fox' if name == 'coco' else None, folder)

    read_many(write, read, assert_sound, InputError)


@pytest.mark.parametrize('name', ['config', 'labels'])
def test_yolo(name, project):
    config = project / 'data.yaml'
    labels = project / 'labels/fox/1.txt'
    labels.parent.mkdir(parents=True, exist_ok=True)
    content = dict(
        path='../set',
        train='images/fox',
        val=['images/fox'],
        kpt_shape=[2, 3],
        names={'0': 'fox'},
        kpt_names=[['nose', 'tail']],
        skeleton=[[0, 1]],
    )

    def write(steps):
        # YAML reads JSON
        config.write_bytes(mutated(content, steps if name == 'config' else []))
        text = as_text(steps) if name == 'labels' else []
        labels.write_bytes(change_text(YOLO, text))

    read = partial(read_poses, config)
    read_many(write, read, assert_sound, InputError, SHARE / 4)


def as_text(steps):
    """Changes of a text from those of a tree."""
    kinds = ('truncate', 'overwrite', 'insert')
    return [(kinds[i % 3], i, j) for _, i, j in steps]


@pytest.mark.parametrize('name', ['coco', 'labelme', 'deeplabcut'])
def test_conversion(name, project, tmp_path_factory):
    folder = tmp_path_factory.mktemp('own')
    source = project / 'own.json'

    def write(steps):
        if name == 'coco':
            source.write_bytes(mutated(COCO, steps))
        elif name == 'labelme':
            (folder / 'images/fox').mkdir(parents=True, exist_ok=True)
            image = (project / 'images/fox/1.png').read_bytes()
            (folder / 'images/fox/1.png').write_bytes(image)
            (folder / 'a.json').write_bytes(mutated(LABELME, steps))
        else:
            table = project / 'labeled-data/fox/CollectedData_me.csv'
            table.write_bytes(change_text(DEEPLABCUT, as_text(steps)))

    def read():
        if name == 'coco':
            return from_coco.read_coco(source, project / 'images')
        if name == 'labelme':
            return from_labelme.read_labelme(folder)
        return from_deeplabcut.read_deeplabcut(project, 'fox')

    def check(data):
        for one in data.instances:
            assert one.image in data.images
            names = data.categories[one.category].keypoints
            assert one.keypoints.shape == (len(names), 3)
            assert np.isfinite(one.keypoints).all()
        for name in data.images:
            assert '..' not in name
            assert not name.startswith('/')

    read_many(write, read, check, ConversionError)


def test_boxes(root):
    path = root / 'boxes.json'

    def check(finder):
        image = np.zeros((40, 60, 3), np.uint8)
        try:
            boxes, scores = finder('images/fox/1.png', image, 0)
        except InputError:
            return
        assert boxes.shape == (len(scores), 4)
        assert np.isfinite(boxes).all()

    read_many(
        lambda steps: path.write_bytes(mutated(COCO, steps)),
        lambda: BoxFinder(path, 1),
        check,
        InputError,
    )


ARRAYS = (
    *(np.zeros(0), np.array(3), np.full((1, 2, 2), np.nan)),
    *(np.zeros((1, 2, 2), complex), np.array('text'), np.zeros((2, 2, 2))),
    *(np.full((1, 2), np.inf), np.full((1, 4), 1e300), np.zeros((1, 0, 2))),
    np.array('{"format": "mmcape support 1", "names": [1, [2]]}'),
)


def test_support_files(root):
    path = root / 'support.npz'
    sound = annotate(str(root / 'images/fox/1.png'), [[4, 5], [24, 25]])
    sound.save(path)
    whole = path.read_bytes()
    with np.load(path) as content:
        arrays = dict(content)
    names = sorted(arrays)
    outcomes = Counter()

    @fuzz(SHARE)
    @given(changes, st.booleans())
    def read(steps, of_bytes):
        if of_bytes:
            path.write_bytes(change_text(whole, as_text(steps)))
        else:
            changed = dict(arrays)
            for _, i, j in steps:
                changed[names[i % len(names)]] = ARRAYS[j % len(ARRAYS)]
            buffer = io.BytesIO()
            np.savez(buffer, **changed)
            path.write_bytes(buffer.getvalue())
        try:
            with no_hang():
                support = AnnotatedSupport.load(path)
        except InputError:
            outcomes['refused'] += 1
            return
        outcomes['sound'] += 1
        shots, count = support.visible.shape
        assert len(support.names) == count
        assert len(support.images()) == shots
        assert support.keypoints.shape == (shots, count, 2)
        assert np.isfinite(support.keypoints).all()
        assert np.isfinite(support.boxes).all()

    read()
    assert outcomes['refused'] > EXAMPLES * SHARE / 2
