from __future__ import annotations

import os

import cv2
import numpy as np
import pytest

from mmcape.datasets.transforms import ImageCache, LoadAnnotatedImage
from mmcape.datasets.transforms import image_cache as module

KIB = 1 / 2**20


@pytest.fixture
def picture(tmp_path):
    """Writes a picture of 10 x 20 pixels and returns its instance."""

    def write(value=7, name='a.png'):
        path = tmp_path / name
        cv2.imwrite(str(path), np.full((20, 10, 3), value, np.uint8))
        return dict(img_path=str(path), annotated_size=(10, 20))

    return write


def test_second_load_is_from_the_cache(picture, tmp_path, monkeypatch):
    cache = dict(folder=str(tmp_path / 'cache'), limit=1)
    instance = picture()
    first = LoadAnnotatedImage(cache=cache).transform(dict(instance))
    monkeypatch.setattr('mmcv.imfrombytes', None)  # decoding would fail
    again = LoadAnnotatedImage(cache=cache).transform(dict(instance))
    np.testing.assert_array_equal(again['img'], first['img'])
    assert again['ori_shape'] == first['ori_shape'] == (20, 10)
    assert len(list((tmp_path / 'cache').iterdir())) == 1


def test_changed_file_is_decoded_anew(picture, tmp_path):
    load = LoadAnnotatedImage(cache=dict(folder=str(tmp_path / 'c'), limit=1))
    instance = picture(value=7)
    load.transform(dict(instance))
    picture(value=8)
    os.utime(instance['img_path'], ns=(5, 5))
    assert load.transform(dict(instance))['img'].max() == 8


def test_limit_holds_for_all_writers(tmp_path, picture, monkeypatch):
    monkeypatch.setattr(module, '_RECOUNT', 1)
    image = np.zeros((32, 32), np.uint8)  # 1 KiB and a header of 128 bytes
    paths = [picture(name=f'{i}.png')['img_path'] for i in range(6)]
    writers = [
        ImageCache(str(tmp_path / 'cache'), limit=3.5 * KIB) for _ in range(2)
    ]
    for number, path in enumerate(paths):
        writers[number % 2].put(path, image)
    kept = [path for path in paths if writers[0].get(path) is not None]
    assert kept == paths[:3]


def test_broken_entry_is_no_entry(tmp_path, picture):
    cache = ImageCache(str(tmp_path / 'cache'), limit=1)
    path = picture()['img_path']
    cache.put(path, np.zeros((4, 4), np.uint8))
    (entry,) = (tmp_path / 'cache').iterdir()
    entry.write_bytes(entry.read_bytes()[:-3])
    assert cache.get(path) is None


def test_missing_image_is_reported_as_without_a_cache(tmp_path):
    load = LoadAnnotatedImage(cache=dict(folder=str(tmp_path / 'c'), limit=1))
    instance = dict(img_path=str(tmp_path / 'no.png'), annotated_size=(1, 1))
    with pytest.raises(ValueError, match='missing or no intact image'):
        load.transform(instance)


def test_image_at_hand_is_neither_cached_nor_replaced(tmp_path):
    load = LoadAnnotatedImage(
        cache=dict(folder=str(tmp_path / 'cache'), limit=1)
    )
    for grey in (10, 20):
        image = np.full((4, 6, 3), grey, np.uint8)
        record = dict(img_path='frame', img=image, annotated_size=(6, 4))
        assert np.array_equal(load(record)['img'], image)
