from __future__ import annotations

import errno
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmpose.registry import DATASETS

from mmcape.datasets import (
    EvaluationEpisodeSampler,
    LoadAnnotatedImage,
    UnreadableImageError,
)
from mmcape.structures import Episode
from mmcape.utils.input_error import InputError

PIPELINE = [
    dict(
        type='ForEachInstance',
        transforms=[
            dict(type='LoadAnnotatedImage'),
            dict(type='GetSquareCropBox'),
            dict(type='TopdownAffine', input_size=(32, 32)),
        ],
    ),
    dict(type='PackEpisodeInputs'),
]
FOXES, OWLS = {101, 102, 103, 104}, {105, 106, 107, 108}


@pytest.fixture
def build(folder):
    def build(**settings):
        return DATASETS.build(
            dict(folder.write(), pipeline=PIPELINE, **settings)
        )

    return build


def episode(seed=3, index=9):
    return Episode(
        index=index, category_id=7, support=(0,), query=1, seed=seed
    )


def path_of(dataset, position):
    return Path(dataset.get_data_info(position)['img_path'])


def cut(path):
    path.write_bytes(path.read_bytes()[:-400])


def ids(packed):
    meta = packed['data_samples'].metainfo
    return {meta['id'], *meta['support_ids']}


@pytest.mark.parametrize('damage', [cut, Path.unlink])
def test_broken_image_stops_with_its_name(build, damage):
    dataset = build()
    damage(path_of(dataset, 1))
    with pytest.raises(
        UnreadableImageError,
        match=r'annotation 102 of image .*fox/2.png: the file is missing or '
        r'no intact image. Restore the file, or go on without .*=skip',
    ):
        dataset[episode()]


@pytest.mark.parametrize('damage', [cut, Path.unlink])
def test_replacement_is_of_the_category_and_names_the_file(build, damage):
    dataset = build(on_broken_image='skip')
    damage(path_of(dataset, 1))
    packed = dataset[episode()]
    meta = packed['data_samples'].metainfo
    assert meta['broken_images'] == (
        (
            str(path_of(dataset, 1)),
            'the file is missing or no intact image',
        ),
    )
    assert meta['episode_index'] == 9
    assert len(ids(packed)) == 2
    assert ids(packed) <= FOXES - {102}


def test_replacement_depends_on_the_episode_alone(build):
    dataset, other = build(on_broken_image='skip'), build()
    other.on_broken_image = 'skip'
    cut(path_of(dataset, 1))
    numbers = range(12)
    first = [ids(dataset[episode(index=n)]) for n in numbers]
    again = [ids(other[episode(index=n)]) for n in reversed(numbers)]
    assert first == again[::-1]
    assert {frozenset(pair) for pair in first} == {
        frozenset(pair) for pair in ({101, 103}, {101, 104}, {103, 104})
    }
    assert [ids(dataset[episode(4, n)]) for n in numbers] != first


def test_intact_episodes_stay_as_they_are(build):
    dataset = build(on_broken_image='skip')
    cut(path_of(dataset, 2))
    packed = dataset[episode()]
    assert ids(packed) == {101, 102}
    assert packed['data_samples'].metainfo['broken_images'] == ()


def test_other_category_when_too_few_are_left(build):
    dataset = build(on_broken_image='skip')
    for position in (1, 2, 3):
        cut(path_of(dataset, position))
    packed = dataset[episode()]
    assert ids(packed) <= OWLS
    assert packed['inputs']['query_keypoints'].shape == (4, 2)
    assert packed['data_samples'].metainfo['category_name'] == 'owl'


def test_end_when_no_image_is_left(build):
    dataset = build(on_broken_image='skip')
    for position in range(dataset.num_instances):
        path_of(dataset, position).unlink()
    with pytest.raises(
        UnreadableImageError,
        match=r'no category of .*a.json has enough intact images .*: 6 could',
    ):
        dataset[episode()]


def test_evaluation_skips_no_image(build):
    with pytest.raises(InputError, match='other episodes give other numbers'):
        EvaluationEpisodeSampler(build(on_broken_image='skip'))
    dataset = build()
    EvaluationEpisodeSampler(dataset, num_queries=2, num_episodes=1)
    cut(path_of(dataset, 1))
    with pytest.raises(
        UnreadableImageError, match='an evaluation skips none.*=report'
    ):
        dataset[episode()]


def test_unknown_policy_is_refused(build):
    with pytest.raises(ValueError, match="'stop' or 'skip', got 'ignore'"):
        build(on_broken_image='ignore')


@pytest.mark.parametrize('suffix', ['png', 'jpg', 'bmp'])
def test_cut_off_image_is_told_from_one_with_something_behind(
    suffix, tmp_path
):
    path = tmp_path / f'picture.{suffix}'
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    cv2.imwrite(str(path), noise)
    content = path.read_bytes()
    record = dict(img_path=str(path), annotated_size=(60, 40))
    expected = LoadAnnotatedImage()(dict(record))['img']
    path.write_bytes(content + b'something behind')
    found = LoadAnnotatedImage()(dict(record))['img']
    assert np.array_equal(found, expected)
    for part in (0, 20, len(content) // 2, len(content) - 100):
        path.write_bytes(content[:part])
        with pytest.raises(UnreadableImageError, match='no intact image'):
            LoadAnnotatedImage()(dict(record))


def test_lack_of_file_handles_is_no_fault_of_the_image(monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError(errno.EMFILE, 'Too many open files')

    monkeypatch.setattr('mmengine.fileio.get', refuse)
    with pytest.raises(OSError, match='Too many open files') as raised:
        LoadAnnotatedImage()(dict(img_path='a.jpg', annotated_size=(1, 1)))
    assert not isinstance(raised.value, UnreadableImageError)
