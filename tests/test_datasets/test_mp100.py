from __future__ import annotations

import math

import pytest
from mmpose.registry import DATA_SAMPLERS, DATASETS

from mmcape.datasets import AnnotationError
from mmcape.datasets.instances import clip_box
from mmcape.datasets.mp100 import split_file


def test_record_of_an_instance(folder):
    dataset = DATASETS.build(folder.write())
    assert len(dataset) == 8
    record = dataset.get_data_info(0)
    assert record['id'] == 101
    assert record['category_name'] == 'fox'
    assert record['bbox'].tolist() == [[5, 6, 34, 25]]
    assert record['keypoints'].shape == (1, 3, 2)
    assert record['keypoints_visible'].tolist() == [[1, 1, 1]]


def test_categories_keep_the_order_of_the_file(folder):
    dataset = DATASETS.build(folder.write())
    assert dataset.category_instances() == {7: [0, 1, 2, 3], 2: [4, 5, 6, 7]}


@pytest.mark.parametrize(
    ('box', 'clipped'),
    [
        ([5, 6, 30, 20], (5, 6, 34, 25)),
        ([-10, -10, 30, 20], (0, 0, 29, 19)),
        ([50, 30, 30, 20], (50, 30, 59, 39)),
        ([5, 6, 1, 20], None),
        ([70, 6, 10, 10], None),
        (None, None),
    ],
)
def test_clip_box(box, clipped):
    assert clip_box(box, 60, 40) == clipped


def test_protocol_drops_without_complaint(folder):
    annotations = folder.content['annotations']
    annotations[0]['iscrowd'] = 1
    annotations[1]['num_keypoints'] = 0
    annotations[2]['keypoints'] = [0.0] * 9
    annotations[3]['area'] = 0
    del annotations[4]['bbox']
    dataset = DATASETS.build(folder.write())
    assert [dataset.get_data_info(i)['id'] for i in range(3)] == [
        106,
        107,
        108,
    ]


def change(section, **values):
    return lambda content: content[section][1].update(values)


def repeat(section):
    return lambda content: content[section].append(dict(content[section][1]))


# what is planted into the second entry, and the id or name to be reported
UNHASHABLE = {
    'unhashable category': 'no usable category',
    'unhashable image': 'no such image',
}
FAULTS = {
    'keypoint count': (change('annotations', keypoints=[1.0] * 3), '102'),
    'no such image': (change('annotations', image_id=99), '102'),
    'no usable category': (change('annotations', category_id=99), '102'),
    'unhashable category': (change('annotations', category_id=[1]), '102'),
    'unhashable image': (change('annotations', image_id=[1]), '102'),
    '`iscrowd`': (change('annotations', iscrowd='no'), '102'),
    'no list of names': (change('categories', keypoints=4), 'id: 2'),
    'no list of keypoint pairs': (
        change('categories', skeleton=[[-1, 2]]),
        'id: 2',
    ),
    'not finite numbers': (
        change('annotations', keypoints=[math.nan] * 9),
        '102',
    ),
    'four finite numbers': (change('annotations', bbox=[1.0, 2.0]), '102'),
    '`area`': (change('annotations', area='large'), '102'),
    'duplicate id in `annotations`': (repeat('annotations'), '102'),
    'duplicate id in `images`': (repeat('images'), '2'),
    'leaves the image folder': (
        change('images', file_name='../secret.png'),
        '../secret.png',
    ),
    'without width and height': (change('images', width=None), '2'),
    'without `file_name`': (change('images', file_name=None), '2'),
    'image file missing': (
        change('images', file_name='fox/gone.png'),
        'fox/gone.png',
    ),
}


def plant(folder, fault):
    folder.write()
    FAULTS[fault][0](folder.content)
    return folder.write(with_images=False)


@pytest.mark.parametrize('fault', FAULTS)
def test_fault_is_named(folder, fault):
    cfg = plant(folder, fault)
    with pytest.raises(AnnotationError) as error:
        DATASETS.build(cfg)
    message = str(error.value)
    assert UNHASHABLE.get(fault, fault) in message
    assert FAULTS[fault][1] in message
    assert 'a.json' in message


def test_all_faults_come_in_one_message(folder):
    for fault in ('keypoint count', 'image file missing'):
        plant(folder, fault)
    folder.content['annotations'][5]['category_id'] = 99
    with pytest.raises(AnnotationError) as error:
        DATASETS.build(folder.write(with_images=False))
    for part in ('keypoint count', 'gone.png', 'no usable category', '106'):
        assert part in str(error.value)


@pytest.mark.parametrize('fault', FAULTS)
def test_report_goes_on_without_the_instance(folder, fault):
    whole = DATASETS.build(folder.write()).metainfo['instances_sha256']
    cfg = plant(folder, fault)
    dataset = DATASETS.build(dict(cfg, on_problems='report'))
    kept = 7
    if fault.startswith('duplicate'):
        kept = 8
    elif fault.startswith('no list'):
        kept = 4  # the whole category
    assert len(dataset) == kept
    changed = dataset.metainfo['instances_sha256'] != whole
    assert changed == (kept < 8)


@pytest.mark.parametrize(
    'text', ['', '[]', '{"images": []}', '{"images": 3, "annotations": []}']
)
def test_file_that_is_no_annotation_file(folder, text):
    cfg = folder.write()
    (folder.root / 'a.json').write_text(text)
    with pytest.raises(AnnotationError, match=r'a\.json'):
        DATASETS.build(cfg)


def test_missing_file_says_what_to_set(folder):
    with pytest.raises(FileNotFoundError, match='data_root'):
        DATASETS.build(dict(folder.write(), ann_file='b.json'))


def test_category_without_keypoint_names(folder):
    for category in folder.content['categories']:
        del category['keypoints']
    dataset = DATASETS.build(folder.write())
    assert dataset.metainfo['categories'][2]['num_keypoints'] == 4


@pytest.mark.parametrize(
    ('fox', 'owl', 'expected'),
    [
        # COCO counts from 1
        ([[1, 2], [2, 3]], [[1, 4]], ([(0, 1), (1, 2)], [(0, 3)])),
        # the later edition of MP-100 from 0, in all categories of a file
        ([[0, 1], [1, 2]], [[1, 3]], ([(0, 1), (1, 2)], [(1, 3)])),
        # edges of no keypoint are left out
        ([[1, 2], [2, 4]], [], ([(0, 1)], [])),
    ],
)
def test_skeletons_of_both_conventions(folder, fox, owl, expected):
    first, second = folder.content['categories']
    first['skeleton'], second['skeleton'] = fox, owl
    categories = DATASETS.build(folder.write()).metainfo['categories']
    found = categories[7]['skeleton'], categories[2]['skeleton']
    assert found == expected


@pytest.mark.parametrize(
    ('section', 'values'),
    [
        ('images', dict(width=20)),
        ('annotations', dict(iscrowd=1)),
        ('annotations', dict(num_keypoints=0)),
        ('annotations', dict(bbox=[5.0, 6.0, 30.0, 21.0])),
        ('annotations', dict(keypoints=[10.0, 12.5, 2.0] * 3)),
        ('annotations', dict(keypoints=[10.0, 12.0, 0.0] + [9.0] * 6)),
    ],
)
def test_whatever_changes_the_test_changes_the_hash(folder, section, values):
    cfg = folder.write()
    before = DATASETS.build(cfg).metainfo['instances_sha256']
    folder.content[section][0].update(values)
    cfg = folder.write(with_images=False)
    assert DATASETS.build(cfg).metainfo['instances_sha256'] != before


def test_nothing_left_to_use(folder):
    for ann in folder.content['annotations']:
        ann['num_keypoints'] = 0
    with pytest.raises(AnnotationError, match='no instance that can be used'):
        DATASETS.build(folder.write())


def test_category_without_names_follows_the_majority(folder):
    for category in folder.content['categories']:
        del category['keypoints']
    folder.content['annotations'][0]['keypoints'] = [1.0] * 6
    with pytest.raises(AnnotationError, match='annotation id: 101\n'):
        DATASETS.build(folder.write())


def test_index_must_be_an_episode(folder):
    dataset = DATASETS.build(folder.write())
    with pytest.raises(TypeError, match='episode sampler'):
        dataset[0]


def test_split_files():
    assert split_file(3, 'val') == 'annotations/mp100_split3_val.json'
    assert split_file('vehicle', 'test') == (
        'cross_category_annotations/fewshot_test_vehicle.json'
    )
    for split, subset in ((6, 'train'), ('vehicle', 'val'), (1, 'all')):
        with pytest.raises(ValueError, match='MP-100 has no'):
            split_file(split, subset)


def test_small_category_is_named(folder):
    del folder.content['annotations'][0:2]
    dataset = DATASETS.build(folder.write())
    sampler = dict(
        type='EvaluationEpisodeSampler', num_queries=2, num_episodes=1
    )
    with pytest.raises(AnnotationError, match=r'needs 3 .*fox \(id 7, 2\)'):
        DATA_SAMPLERS.build(dict(sampler, dataset=dataset))


def test_small_category_is_left_out_on_request(folder):
    del folder.content['annotations'][0:2]
    dataset = DATASETS.build(dict(folder.write(), on_problems='report'))
    sampler = DATA_SAMPLERS.build(
        dict(
            type='EvaluationEpisodeSampler',
            num_queries=2,
            num_episodes=1,
            dataset=dataset,
        )
    )
    assert {episode.category_id for episode in sampler} == {2}
    assert len(dataset) == 2
