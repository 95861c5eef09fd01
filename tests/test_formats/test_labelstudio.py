from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from mmcape.formats import read_poses
from mmcape.utils.input_error import InputError


def point(name, x, y, **further):
    """As exported of an image of 60 x 40; x and y in per cent."""
    return dict(
        original_width=60,
        original_height=40,
        image_rotation=0,
        value=dict(x=x, y=y, width=0.5, keypointlabels=[name]),
        from_name='kp',
        to_name='img',
        type='keypointlabels',
        **further,
    )


def box(key, x, y, width, height, label='mouse', rotation=0):
    return dict(
        original_width=60,
        original_height=40,
        value=dict(
            x=x,
            y=y,
            width=width,
            height=height,
            rotation=rotation,
            rectanglelabels=[label],
        ),
        id=key,
        type='rectanglelabels',
    )


def relation(start, end):
    return dict(from_id=start, to_id=end, type='relation', direction='right')


def write(path, *results, image='/data/upload/3/0a1b2c3d-img0.png'):
    tasks = [
        dict(
            id=7 + i,
            data=dict(note='of day 3', image=image),
            annotations=[
                dict(was_cancelled=True, result=[{'type': 'textarea'}]),
                dict(was_cancelled=False, result=result),
            ],
            predictions=[],
        )
        for i, result in enumerate(results)
    ]
    path.write_text(json.dumps(tasks))


@pytest.fixture
def export(images, tmp_path):
    """Where an export lies above the images."""
    return tmp_path / 'labeled-data/mouse/export.json'


def test_points_without_rectangles_are_one_instance(export, images):
    write(export, [point('nose', 25, 50), point('tail', 75.5, 10)], [])
    found = read_poses(export)
    assert found.names == ['nose', 'tail']
    assert found.category == 'object'
    (pose,) = found.poses
    assert pose.image == images[0]
    assert pose.image_size == (60, 40)
    assert pose.box is None
    np.testing.assert_allclose(pose.keypoints, [[15, 20], [45.3, 4]])


def test_points_find_their_rectangles(export):
    """By relation, either way, by parent, and by place: the smallest."""
    write(
        export,
        [
            box('a', 0, 0, 50, 50),
            box('b', 10, 10, 90, 90),
            point('nose', 5, 5, id='1'),
            point('tail', 20, 20, id='2'),
            point('nose', 60, 60, id='3'),
            point('tail', 10, 20, id='4'),
            point('ear', 12, 12, id='5', parentID='b'),
            point('ear', 99, 99, id='6'),
            relation('a', '6'),
            relation('4', 'b'),
        ],
    )
    first, second = read_poses(export, 'mouse').poses
    names = read_poses(export).names
    assert names == ['nose', 'tail', 'ear']
    np.testing.assert_allclose(
        first.keypoints, [[3, 2], [12, 8], [59.4, 39.6]]
    )
    np.testing.assert_allclose(
        second.keypoints, [[36, 24], [6, 8], [7.2, 4.8]]
    )
    # a box ends at its last pixel
    assert first.box.tolist() == [0, 0, 29, 19]
    assert second.box.tolist() == [6, 4, 59, 39]


def test_categories_are_the_labels_of_rectangles(export):
    write(
        export,
        [box('a', 0, 0, 50, 50), point('nose', 5, 5)],
        [box('a', 0, 0, 50, 50, 'rat'), point('snout', 10, 10)],
    )
    with pytest.raises(InputError, match='choose one of: mouse, rat'):
        read_poses(export)
    found = read_poses(export, 'rat')
    assert (found.category, found.names) == ('rat', ['snout'])
    assert found.poses[0].keypoints.tolist() == [[6, 4]]


def test_the_box_of_a_turned_rectangle_is_around_it(export):
    """From (30, 10), 12 along and 6 down, turned by 90 degrees."""
    turned = box('a', 50, 25, 20, 15, rotation=90)
    write(export, [turned, point('nose', 45, 35)])
    (pose,) = read_poses(export).poses
    np.testing.assert_allclose(pose.box, [24, 10, 29, 21])


@pytest.mark.parametrize(
    'image',
    [
        'http://host:8080/data/upload/3/0a1b2c3d-img0.png',
        '/data/local-files/?d=labeled-data/mouse/img0.png',
        's3://bucket/img0.png?token=1',
        'img0.png',
    ],
)
def test_addresses_of_images(export, images, tmp_path, image):
    write(export, [point('nose', 5, 5)], image=image)
    assert read_poses(export).poses[0].image == images[0]
    elsewhere = tmp_path / 'export.json'
    write(elsewhere, [point('nose', 5, 5)], image=image)
    folder = tmp_path / 'labeled-data/mouse'
    assert read_poses(elsewhere, img_root=folder).poses[0].image == images[0]


@pytest.mark.parametrize(
    ('change', 'complaint'),
    [
        ({'original_width': None}, 'task 7 has no size of its image'),
        ({'image_rotation': 90}, 'task 7: its image is turned'),
        ({'value': {'x': 1}}, 'no JSON export of Label Studio'),
        ({'value': {'x': 'a', 'y': 2}}, 'a, 2 are no parts of an image'),
        ({'type': 'brushlabels'}, 'no task with a labelled keypoint'),
    ],
)
def test_bad_points_are_named(export, change, complaint):
    write(export, [{**point('nose', 5, 5), **change}])
    with pytest.raises(InputError, match=complaint):
        read_poses(export)


def test_bad_tasks_are_named(export):
    nose = point('nose', 5, 5)
    write(export, [nose, copy.deepcopy(nose)])
    with pytest.raises(InputError, match="task 7: .* has two points 'nose'"):
        read_poses(export)
    write(export, [nose], image='none of the images')
    with pytest.raises(InputError, match='task 7 names no image'):
        read_poses(export)
    write(export, [nose], image='/data/upload/3/0a1b2c3d-no.png')
    with pytest.raises(InputError, match=r'image no.png, which is not found'):
        read_poses(export)
    export.write_text('[{"img": "img0.png", "kp": []}]')
    with pytest.raises(InputError, match=r'\(not JSON-MIN\)'):
        read_poses(export)
