from __future__ import annotations

import json
import sys

import cv2
import numpy as np
import pytest

from mmcape.datasets.conversion.from_coco import read_coco
from mmcape.datasets.conversion.from_deeplabcut import read_deeplabcut
from mmcape.datasets.conversion.from_labelme import read_labelme
from mmcape.datasets.conversion.own_data import ConversionError


def draw(path, size=(60, 40)):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((size[1], size[0], 3), 90, np.uint8))
    return path


# COCO


@pytest.fixture
def coco(tmp_path):
    """Two categories, an image of both, one without a label."""
    for number in range(3):
        draw(tmp_path / f'photos/day/{number}.png')
    return dict(
        images=[
            dict(id=n, file_name=f'day/{n}.png', width=60, height=40)
            for n in range(3)
        ],
        annotations=[
            dict(
                id=5,
                image_id=0,
                category_id=3,
                bbox=[1.5, 2, 30, 20],
                keypoints=[3.25, 4, 2, 0, 0, 0],
                num_keypoints=1,
            ),
            dict(
                id=6,
                image_id=0,
                category_id=8,
                keypoints=[7, 8, 1, 9, 10, 2, 11, 12, 2],
            ),
            dict(id=7, image_id=1, category_id=3, bbox=[0, 0, 5, 5]),
        ],
        categories=[
            dict(id=3, name='owl', keypoints=['beak', 'tail']),
            dict(id=8, name='fox', skeleton=[[1, 2], [2, 3]]),
            dict(id=9, name='never seen', keypoints=['x']),
        ],
    )


def save(content, tmp_path):
    path = tmp_path / 'mine.json'
    path.write_text(json.dumps(content))
    return path, tmp_path / 'photos'


def test_coco_is_read_as_it_is(coco, tmp_path):
    data = read_coco(*save(coco, tmp_path))
    assert list(data.categories) == ['owl', 'fox']
    assert data.categories['owl'].keypoints == ('beak', 'tail')
    assert data.categories['fox'].keypoints == (
        'keypoint_1',
        'keypoint_2',
        'keypoint_3',
    )
    assert data.categories['fox'].skeleton == ((0, 1), (1, 2))
    owl, fox = data.instances
    assert owl.keypoints.tolist() == [[3.25, 4, 2], [0, 0, 0]]
    assert owl.bbox == (1.5, 2, 30, 20)
    assert (owl.image, fox.image) == ('day/0.png', 'day/0.png')
    assert fox.bbox is None
    assert data.images['day/0.png'].size == (60, 40)
    assert data.unlabelled == 2


def no_names(content):
    content['categories'][1]['name'] = 'owl'


def wrong_count(content):
    content['annotations'][0]['keypoints'] = [1, 2, 2]


def missing_image(content):
    content['images'][1]['file_name'] = 'day/gone.png'


def wrong_size(content):
    content['images'][0]['width'] = 61


def no_list(content):
    del content['images']


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (no_names, r'ids \[3, 8\] are named \[.owl.\]'),
        (wrong_count, r'annotation id: 5'),
        (missing_image, r'day/gone\.png'),
        (wrong_size, r'another size .* day/0\.png'),
        (no_list, '`images`'),
    ],
)
def test_coco_faults_are_named(coco, tmp_path, change, message):
    change(coco)
    with pytest.raises(ConversionError, match=message) as error:
        read_coco(*save(coco, tmp_path))
    assert 'mine.json' in str(error.value)


def test_coco_file_that_is_none(tmp_path):
    with pytest.raises(ConversionError, match=r'a\.json is missing'):
        read_coco(tmp_path / 'a.json', tmp_path)
    (tmp_path / 'a.json').write_text('[')
    with pytest.raises(ConversionError, match=r'a\.json is not valid JSON'):
        read_coco(tmp_path / 'a.json', tmp_path)


# labelme


def point(label, x, y, group=None, **more):
    return dict(
        label=label,
        points=[[x, y]],
        group_id=group,
        shape_type='point',
        flags={},
        **more,
    )


def rectangle(label, corners, group=None, kind='rectangle'):
    return dict(
        label=label, points=corners, group_id=group, shape_type=kind, flags={}
    )


@pytest.fixture
def labelme(tmp_path):
    """Write a labelme file beside its image."""

    def write(shapes, name='a', **change):
        draw(tmp_path / f'{name}.png')
        path = tmp_path / f'{name}.json'
        path.write_text(
            json.dumps(
                dict(
                    version='5.5.0',
                    flags={},
                    shapes=shapes,
                    imagePath=f'{name.split("/")[-1]}.png',
                    imageData=None,
                    imageHeight=40,
                    imageWidth=60,
                )
                | change
            )
        )
        return tmp_path

    return write


def test_labelme_groups_are_objects(labelme):
    occluded = point('b', 7, 8, 1)
    occluded['flags'] = dict(occluded=True)
    labelme(
        [
            point('a', 5, 6.5, 1),
            occluded,
            rectangle('fox', [[20, 30], [2, 3]], 1),
            point('b', 40, 20, 2),
            rectangle('fox', [[30, 5], [50, 5], [50, 35]], 2, 'polygon'),
            point('a', 11, 12, 3),
            rectangle('owl', [[9, 9], [19, 19]], 3),
        ]
    )
    root = labelme([], name='sub/empty')
    data = read_labelme(root)
    assert {k: v.keypoints for k, v in data.categories.items()} == {
        'fox': ('a', 'b'),
        'owl': ('a',),
    }
    assert [one.category for one in data.instances] == ['fox', 'fox', 'owl']
    first, second, third = data.instances
    assert first.keypoints.tolist() == [[5, 6.5, 2], [7, 8, 1]]
    assert first.bbox == (2, 3, 18, 27)
    assert second.keypoints.tolist() == [[0, 0, 0], [40, 20, 2]]
    assert second.bbox == (30, 5, 20, 30)
    assert third.keypoints.tolist() == [[11, 12, 2]]
    assert list(data.images) == ['a.png']
    assert data.unlabelled == 1


def test_labelme_without_groups_is_one_object_a_file(labelme):
    labelme([point('b', 1, 2)], name='sub/one')
    root = labelme([point('a', 3, 4), point('b', 5, 6)], name='two')
    data = read_labelme(root, category='beetle')
    assert data.categories['beetle'].keypoints == ('b', 'a')
    assert {one.image: one.keypoints.tolist() for one in data.instances} == {
        'sub/one.png': [[1, 2, 2], [0, 0, 0]],
        'two.png': [[5, 6, 2], [3, 4, 2]],
    }
    assert all(one.bbox is None for one in data.instances)
    ordered = read_labelme(root, category='beetle', keypoints=('a', 'b'))
    assert ordered.instances[1].keypoints.tolist() == [[3, 4, 2], [5, 6, 2]]


@pytest.mark.parametrize(
    ('shapes', 'change', 'message'),
    [
        ([point('a', 1, 2)], {}, 'names the category'),
        ([point('a', 1, 2, 4)], {}, 'group_id 4: .* names the category'),
        (
            [point('a', 1, 2), rectangle('fox', [[1, 1], [5, 5]], 1)],
            {},
            r"\['a'\] have no group_id",
        ),
        (
            [
                point('a', 1, 2, 1),
                point('a', 3, 4, 1),
                rectangle('fox', [[1, 1], [5, 5]], 1),
            ],
            {},
            "group_id 1: 'a' is there twice",
        ),
        (
            [
                point('a', 1, 2),
                rectangle('fox', [[1, 1], [5, 5]]),
                rectangle('owl', [[1, 1], [5, 5]]),
            ],
            {},
            r"\['fox', 'owl'\] are several",
        ),
        ([rectangle('fox', [[1, 1], [5, 5]])], {}, "'fox' has no points"),
        (
            [rectangle('c', [[1, 1], [5, 5]], kind='circle')],
            {},
            "'c' is a circle",
        ),
        ([dict(points=[[1, 2]])], {}, r'shapes\[0\] has no `label`'),
        ([point('a', 'x', 2)], {}, "`points` of 'a'"),
        ([point('a', float('nan'), 2)], {}, "`points` of 'a'"),
        ([], dict(imagePath='../b.png'), 'leaves the folder'),
        ([], dict(imagePath='gone.png'), 'gone.png'),
        ([], dict(imagePath=7), 'no labelme file'),
        ([], dict(imageWidth=61), 'imageWidth'),
    ],
)
def test_labelme_faults_are_named(labelme, shapes, change, message):
    root = labelme(shapes, **change)
    with pytest.raises(ConversionError, match=message) as error:
        read_labelme(root)
    assert 'a.json' in str(error.value)


def test_labelme_unknown_keypoint_and_doubled_image(labelme, tmp_path):
    root = labelme([point('aa', 1, 2)])
    with pytest.raises(ConversionError, match="'aa' is none of"):
        read_labelme(root, category='fox', keypoints=('a',))
    (root / 'b.json').write_text((root / 'a.json').read_text())
    with pytest.raises(ConversionError, match='another file as well'):
        read_labelme(root, category='fox')
    (root / 'b.json').write_text('{')
    with pytest.raises(ConversionError, match='b.json is not valid JSON'):
        read_labelme(root, category='fox')
    (tmp_path / 'none').mkdir()
    with pytest.raises(ConversionError, match='no labelme files'):
        read_labelme(tmp_path / 'none')


# DeepLabCut

SINGLE = """\
scorer,,,me,me,me,me
bodyparts,,,snout,snout,tail,tail
coords,,,x,y,x,y
labeled-data,mouse1,img1.png,10.5,11,20,21.25
labeled-data,mouse1,img2.png,,,30,31
labeled-data,mouse1,img3.png,,,,
"""
OLD_INDEX = """\
scorer,me,me,me,me
bodyparts,snout,snout,tail,tail
coords,x,y,x,y
labeled-data\\mouse1\\img1.png,10.5,11,20,21.25
labeled-data\\mouse1\\img2.png,,,30,31
labeled-data\\mouse1\\img3.png,,,,
"""
MULTI = """\
scorer,,,me,me,me,me,me,me
individuals,,,one,one,two,two,two,two
bodyparts,,,snout,snout,snout,snout,tail,tail
coords,,,x,y,x,y,x,y
labeled-data,mouse1,img1.png,1,2,3,4,5,6
labeled-data,mouse1,img2.png,7,8,,,,
"""
CONFIG = """\
Task: mouse
skeleton:
- [snout, tail]
"""


@pytest.fixture
def project(tmp_path):
    def write(table, config=CONFIG, name='CollectedData_me.csv'):
        root = tmp_path / 'project'
        folder = root / 'labeled-data/mouse1'
        for number in (1, 2):
            draw(folder / f'img{number}.png')
        (root / 'labeled-data/mouse1_labeled').mkdir(exist_ok=True)
        (folder / name).write_text(table)
        if config:
            (root / 'config.yaml').write_text(config)
        return root

    return write


@pytest.mark.parametrize('table', [SINGLE, OLD_INDEX])
def test_deeplabcut_of_one_animal(project, table):
    data = read_deeplabcut(project(table))
    category = data.categories['mouse']
    assert category.keypoints == ('snout', 'tail')
    assert category.skeleton == ((0, 1),)
    assert {one.image: one.keypoints.tolist() for one in data.instances} == {
        'labeled-data/mouse1/img1.png': [[10.5, 11, 2], [20, 21.25, 2]],
        'labeled-data/mouse1/img2.png': [[0, 0, 0], [30, 31, 2]],
    }
    assert data.unlabelled == 1


def test_deeplabcut_of_several_animals(project):
    data = read_deeplabcut(project(MULTI, config=''), category='mice')
    assert data.categories['mice'].keypoints == ('snout', 'tail')
    assert [one.keypoints.tolist() for one in data.instances] == [
        [[1, 2, 2], [0, 0, 0]],
        [[3, 4, 2], [5, 6, 2]],
        [[7, 8, 2], [0, 0, 0]],
    ]


def test_deeplabcut_hdf5_through_pandas(project, monkeypatch):
    pd = pytest.importorskip('pandas')
    columns = pd.MultiIndex.from_product(
        [['me'], ['snout', 'tail'], ['x', 'y']],
        names=['scorer', 'bodyparts', 'coords'],
    )
    index = pd.MultiIndex.from_tuples(
        [('labeled-data', 'mouse1', f'img{n}.png') for n in (1, 2, 3)]
    )
    nan = float('nan')
    values = [[10.5, 11, 20, 21.25], [nan, nan, 30, 31], [nan] * 4]
    frame = pd.DataFrame(values, index=index, columns=columns)
    # PyTables need not be there: the file is not what is tested.
    monkeypatch.setattr(pd, 'read_hdf', lambda path: frame)
    root = project('', name='CollectedData_me.h5')
    data = read_deeplabcut(root)
    from_csv = read_deeplabcut(project(SINGLE))
    assert [one.keypoints.tolist() for one in data.instances] == [
        one.keypoints.tolist() for one in from_csv.instances
    ]
    assert data.categories == from_csv.categories


def test_deeplabcut_hdf5_without_pandas_names_the_extra(project, monkeypatch):
    monkeypatch.setitem(sys.modules, 'pandas', None)
    root = project('', name='CollectedData_me.h5')
    with pytest.raises(ConversionError, match=r'mmcape\[hdf5\]'):
        read_deeplabcut(root)


def changed(old, new, table=SINGLE):
    assert old in table
    return table.replace(old, new)


@pytest.mark.parametrize(
    ('table', 'message'),
    [
        (changed('img1.png', 'img9.png'), r'row 4: .*img9\.png'),
        (changed('img2.png', 'img1.png'), 'row 5: .* is there twice'),
        (changed('10.5,11', '10.5,'), "row 4: 'snout' has x alone"),
        (changed('10.5', 'ten'), "row 4: x of 'snout' is 'ten'"),
        (changed('10.5,11', '10.5,11,12'), 'row 4 has 8 columns'),
        (changed('tail,tail', 'snout,snout'), 'is there twice'),
        (changed('x,y\n', 'x,likelihood\n'), 'neither x nor y'),
        (changed('coords', 'unknown'), '`coords`'),
        (
            changed('two,two,two,two', 'two,two,single,single', MULTI),
            "individual 'single'",
        ),
        ('', 'no header rows'),
    ],
)
def test_deeplabcut_faults_are_named(project, table, message):
    with pytest.raises(ConversionError, match=message) as error:
        read_deeplabcut(project(table))
    assert 'CollectedData_me.csv' in str(error.value)


def test_deeplabcut_projects_that_tell_too_little(project, tmp_path):
    root = project(SINGLE, config='')
    with pytest.raises(ConversionError, match='no category'):
        read_deeplabcut(root)
    project(SINGLE, config='Task: mouse\nskeleton: [[snout, ear]]')
    with pytest.raises(ConversionError, match=r'config\.yaml.*ear'):
        read_deeplabcut(root)
    project(SINGLE, config='Task: [')
    with pytest.raises(ConversionError, match='not valid YAML'):
        read_deeplabcut(root)
    project(SINGLE, name='CollectedData_you.csv')
    with pytest.raises(ConversionError, match='several scorers'):
        read_deeplabcut(project(SINGLE))
    with pytest.raises(ConversionError, match='label frames first'):
        read_deeplabcut(tmp_path / 'elsewhere', category='mouse')


def test_deeplabcut_videos_with_other_body_parts(project):
    root = project(SINGLE, config='Task: mouse')
    other = root / 'labeled-data/mouse2'
    draw(other / 'img1.png')
    (other / 'CollectedData_me.csv').write_text(
        changed('tail,tail', 'ear,ear').split('labeled-data')[0]
        + 'labeled-data,mouse2,img1.png,1,2,3,4\n'
    )
    with pytest.raises(ConversionError, match='mouse2.*elsewhere'):
        read_deeplabcut(root)
