from __future__ import annotations

import random

import cv2
import numpy as np
import pytest
from mmpose.registry import DATASETS, TRANSFORMS

from mmcape.structures import Episode
from mmcape.utils.input_error import InputError

PIPELINE = [
    dict(
        type='ForEachInstance',
        transforms=[
            dict(type='LoadAnnotatedImage'),
            dict(type='RandomScaleRotation'),
            dict(type='GetSquareCropBox'),
            dict(type='TopdownAffine', input_size=(32, 32)),
        ],
    ),
    dict(type='PackEpisodeInputs'),
]


@pytest.fixture
def dataset(folder):
    return DATASETS.build(dict(folder.write(), pipeline=PIPELINE))


def episode(seed=3):
    return Episode(
        index=9, category_id=7, support=(0, 1), query=2, draw=4, seed=seed
    )


def test_packed_episode(dataset):
    packed = dataset[episode()]
    shapes = {k: tuple(v.shape) for k, v in packed['inputs'].items()}
    assert shapes == dict(
        support_img=(2, 3, 32, 32),
        support_keypoints=(2, 3, 2),
        support_visible=(2, 3),
        query_img=(3, 32, 32),
        query_keypoints=(3, 2),
        query_visible=(3,),
    )
    sample = packed['data_samples']
    assert sample.metainfo['episode_index'] == 9
    assert sample.metainfo['support_ids'] == (101, 102)
    assert sample.metainfo['id'] == 103
    assert sample.support_instances.keypoints.shape == (2, 3, 2)
    assert sample.gt_instances.keypoints.shape == (1, 3, 2)


def test_hidden_keypoints_are_packed_as_hidden(folder):
    folder.content['annotations'][0]['keypoints'][5] = 0.0
    dataset = DATASETS.build(dict(folder.write(), pipeline=PIPELINE))
    visible = dataset[episode()]['inputs']['support_visible']
    assert visible.tolist() == [[True, False, True], [True, True, True]]


def test_augmentation_is_a_function_of_the_episode(dataset):
    a = dataset[episode()]['inputs']
    b = dataset[episode()]['inputs']
    c = dataset[episode(seed=4)]['inputs']
    for name in a:
        assert a[name].equal(b[name])
    assert not a['query_img'].equal(c['query_img'])


def test_support_and_query_are_augmented_independently(dataset):
    same = Episode(index=0, category_id=7, support=(0, 0), query=0, seed=1)
    inputs = dataset[same]['inputs']
    points = [inputs['query_keypoints'], *inputs['support_keypoints']]
    assert not points[0].allclose(points[1])
    assert not points[1].allclose(points[2])


def test_global_generators_are_the_episodes_and_then_as_before():
    """Mmpose's own transforms draw from these."""

    class Draw:
        def __call__(self, results):
            drawn = random.random(), np.random.random()  # noqa: NPY002
            return dict(results, drawn=drawn)

    transform = TRANSFORMS.build(dict(type='ForEachInstance', transforms=[]))
    transform.transforms = Draw()

    def draw(seed):
        found = transform(
            dict(episode=episode(seed), query={}, support=[{}, {}])
        )
        return [one['drawn'] for one in (found['query'], *found['support'])]

    random.seed(0)
    expected = [random.random() for _ in range(2)]
    random.seed(0)
    first = draw(3)
    assert first == draw(3)
    assert not set(first) & set(draw(4))
    assert len(set(first)) == 3
    assert [random.random() for _ in range(2)] == expected


def test_draws_stay_in_bounds():
    transform = TRANSFORMS.build(dict(type='RandomScaleRotation'))
    rng = np.random.default_rng(0)
    scales, angles = np.array([transform.draw(rng) for _ in range(4000)]).T
    assert scales.min() == 0.85
    assert scales.max() == 1.15
    assert angles.min() == -30
    assert angles.max() == 30
    assert (angles == 0).mean() == pytest.approx(0.4, abs=0.03)


def test_crop_box_is_a_padded_square():
    transform = TRANSFORMS.build(dict(type='GetSquareCropBox', padding=1.5))
    box = np.array([[10, 20, 30, 60]], np.float32)
    results = transform(dict(bbox=box, crop_scale_factor=1.1))
    assert results['bbox_center'].tolist() == [[20, 40]]
    np.testing.assert_allclose(results['bbox_scale'], [[66, 66]], rtol=1e-6)


@pytest.mark.parametrize('damage', ['truncated', 'gone', 'text'])
def test_unreadable_image_is_named(dataset, folder, damage):
    path = folder.root / 'images' / 'fox' / '2.png'
    if damage == 'gone':
        path.unlink()
    else:
        data = path.read_bytes()[:40] if damage == 'truncated' else b'hello'
        path.write_bytes(data)
    with pytest.raises(InputError, match=r'annotation 102 of .*fox/2\.png'):
        dataset[episode()]


def test_image_of_another_size_is_refused(dataset, folder):
    path = folder.root / 'images' / 'fox' / '2.png'
    cv2.imwrite(str(path), np.zeros((80, 120, 3), np.uint8))
    with pytest.raises(RuntimeError, match=r'2\.png: .*120 x 80 .*\(60, 40\)'):
        dataset[episode()]
