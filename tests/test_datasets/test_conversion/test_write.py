from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmcape.datasets import MP100Dataset
from mmcape.datasets.conversion.from_coco import read_coco
from mmcape.datasets.conversion.own_data import (
    Category,
    ConversionError,
    Instance,
    OwnData,
    OwnImage,
    box_around,
    merge,
)
from mmcape.datasets.conversion.split import split_categories
from mmcape.datasets.conversion.write import conversion_lines, write

TOOL = Path(__file__).parents[3] / 'tools/dataset_converters/to_mp100.py'


def draw(path, size=(60, 40)):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((size[1], size[0], 3), 90, np.uint8))
    return path


@pytest.fixture
def data(tmp_path):
    """Ten categories with two instances each, in images of two each."""
    data, rng = OwnData(), np.random.default_rng(0)
    for number in range(10):
        name = f'c{number}'
        keypoints = tuple(f'k{i}' for i in range(2 + number % 3))
        data.add_category(name, Category(keypoints, ((0, 1),)), 'here')
        for item in range(2):
            image = f'day/{number // 2}_{item}.png'
            path = draw(tmp_path / 'photos' / image)
            data.images[image] = OwnImage(path, (60, 40))
            points = rng.uniform(5, 30, (len(keypoints), 2))
            seen = rng.integers(1, 3, len(keypoints))
            data.instances.append(
                Instance(
                    image,
                    name,
                    np.column_stack([points, seen]),
                    (1.25, 2.5, 40.0, 30.0) if item else None,
                )
            )
    return data


def test_split_is_that_of_its_seed():
    names = [f'c{i}' for i in range(10)]
    split = split_categories(names, seed=3)
    assert split == split_categories(names[::-1], seed=3)
    assert {key: len(some) for key, some in split.items()} == dict(
        train=7, val=1, test=2
    )
    assert sorted(sum(split.values(), [])) == sorted(names)
    assert split != split_categories(names, seed=4)
    assert len(split_categories(names, 0, 0, 5)['train']) == 5
    assert split_categories(['a', 'b', 'c']).keys() == split.keys()


@pytest.mark.parametrize('numbers', [(1, 2), (0, 3), (-1, 1), (None, None)])
def test_splits_that_leave_nothing_to_train_on(numbers):
    names = ['a', 'b'] if None in numbers else ['a', 'b', 'c']
    with pytest.raises(ConversionError, match='cannot be split'):
        split_categories(names, 0, *numbers)


def test_what_is_written_is_read_by_the_data_set(data, tmp_path):
    out = tmp_path / 'out'
    subsets = split_categories(data.categories, seed=1)
    files = write(data, out, subsets, info=dict(seed=1))
    assert set(files) == {'train', 'val', 'test'}
    expected = {(one.category, one.image): one for one in data.instances}
    seen, ids = set(), []
    for subset, path in files.items():
        dataset = MP100Dataset(
            ann_file=path.name,
            data_root=str(out),
            data_prefix=dict(img='images/'),
        )
        described = dataset.metainfo['categories']
        assert [c['name'] for c in described.values()] == subsets[subset]
        for position in range(dataset.num_instances):
            record = dataset.get_data_info(position)
            key = (record['category_name'], record['file_name'])
            one = expected[key]
            np.testing.assert_array_equal(
                record['keypoints'][0], one.keypoints[:, :2].astype('f4')
            )
            assert (record['keypoints_visible'] == 1).all()
            if one.bbox is not None:
                # as published, a box ends at its last pixel
                assert record['bbox'][0].tolist() == [1.25, 2.5, 40.25, 31.5]
            names = described[record['category_id']]['keypoint_names']
            assert tuple(names) == data.categories[key[0]].keypoints
            assert described[record['category_id']]['skeleton'] == [(0, 1)]
            assert cv2.imread(record['img_path']).shape == (40, 60, 3)
            seen.add(key)
            ids.append(record['id'])
    assert seen == set(expected)
    assert sorted(ids) == list(range(1, 21))
    content = json.loads(files['train'].read_text())
    assert content['info'] == dict(seed=1)
    assert content['categories'][0]['skeleton'] == [[1, 2]]  # as in COCO
    flags = [ann['bbox_from_keypoints'] for ann in content['annotations']]
    assert flags.count(True) == flags.count(False) == 7


def test_coco_round_trip_keeps_every_number(data, tmp_path):
    files = write(
        data, tmp_path / 'out', dict(all=sorted(data.categories)), info={}
    )
    again = read_coco(files['all'], tmp_path / 'out/images')
    assert len(again.instances) == len(data.instances)
    for one, other in zip(data.instances, again.instances):
        assert (one.image, one.category) == (other.image, other.category)
        np.testing.assert_array_equal(one.keypoints, other.keypoints)
        assert one.bbox in (None, other.bbox)
    assert again.categories == {
        name: data.categories[name] for name in again.categories
    }
    second = write(
        again, tmp_path / 'again', dict(all=sorted(again.categories)), info={}
    )
    first, second = (
        json.loads(path['all'].read_text()) for path in (files, second)
    )
    for ann in (*first['annotations'], *second['annotations']):
        del ann['bbox_from_keypoints']
    assert first == second


def test_box_around_keypoints():
    keypoints = np.array([[10, 20, 2], [30, 24, 1], [99, 99, 0]], float)
    box = box_around(keypoints, (60, 40), 0.25)
    assert box == (5, 15, 30, 14)
    # cut at the image, and never without area
    assert box_around(keypoints, (31, 40), 0.25) == (5, 15, 26, 14)
    single = np.array([[10, 20, 2]], float)
    assert box_around(single, (60, 40), 0.25) == (6, 16, 8, 8)


def test_a_box_without_area_is_refused(data, tmp_path):
    bad = Instance('day/0_0.png', 'c0', np.ones((2, 3)), (1, 1, 0, 5))
    data.instances.append(bad)
    with pytest.raises(ConversionError, match=r'0_0\.png.*c0.*no area'):
        write(data, tmp_path / 'out', dict(all=['c0']), info={})
    assert not (tmp_path / 'out/all.json').exists()


def test_nothing_to_write(tmp_path):
    with pytest.raises(ConversionError, match='no labelled instance'):
        write(OwnData(), tmp_path / 'out', dict(all=[]), info={})


def test_merged_inputs_keep_their_images_apart(data):
    both = merge([('a', data), ('b', data)])
    assert len(both.images) == 2 * len(data.images)
    assert len(both.instances) == 40
    assert both.instances[20].image == f'b/{data.instances[0].image}'
    assert merge([('a', data)]) is data
    with pytest.raises(ConversionError, match='equal names'):
        merge([('a', data), ('a', data)])
    other = OwnData(categories={'c0': Category(('x',))})
    with pytest.raises(ConversionError, match=r"b: category 'c0'"):
        merge([('a', data), ('b', other)])


def test_summary(data):
    subsets = dict(train=['c0', 'c2'], val=[], test=['c1'])
    text = '\n'.join(conversion_lines(data, subsets))
    assert 'train: c0 (2), c2 (2)' in text
    assert 'val: nothing' in text
    assert 'c1: fewer than 16 instances' in text
    assert '2 images have categories of more than one subset' in text
    assert '10 boxes drawn around keypoints' in text


def test_command_line_from_three_formats(tmp_path):
    def run(*arguments):
        return subprocess.run(
            [sys.executable, str(TOOL), *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
        )

    for number, name in enumerate(('mouse', 'rat', 'vole')):
        folder = tmp_path / f'{name}_project/labeled-data/video'
        for frame in range(2):
            draw(folder / f'img{frame}.png')
        (folder / 'CollectedData_me.csv').write_text(
            'scorer,me,me\nbodyparts,snout,snout\ncoords,x,y\n'
            f'labeled-data/video/img0.png,{10 + number},20\n'
            f'labeled-data/video/img1.png,{11 + number},21\n'
        )
        (tmp_path / f'{name}_project/config.yaml').write_text(f'Task: {name}')
    out = tmp_path / 'out'
    projects = sorted(tmp_path.glob('*_project'))
    result = run('deeplabcut', *projects, '--out', out, '--seed', 5)
    assert result.returncode == 0, result.stderr
    found = {}
    for subset in ('train', 'val', 'test'):
        content = json.loads((out / f'{subset}.json').read_text())
        (category,) = content['categories']
        found[category['name']] = [
            ann['keypoints'] for ann in content['annotations']
        ]
        assert content['info']['seed'] == 5
        for image in content['images']:
            assert (out / 'images' / image['file_name']).is_file()
    assert found == {
        'mouse': [[10, 20, 2], [11, 21, 2]],
        'rat': [[11, 20, 2], [12, 21, 2]],
        'vole': [[12, 20, 2], [13, 21, 2]],
    }
    result = run('deeplabcut', projects[0], '--out', tmp_path / 'one')
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1].startswith(
        "error: the categories ['mouse'] cannot"
    )
    assert not (tmp_path / 'one').exists()
