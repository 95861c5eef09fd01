from __future__ import annotations

import json

import cv2
import pytest

from mmcape.datasets.preparation.annotation_files import (
    find_annotation_files,
    read_annotation_files,
)
from mmcape.datasets.preparation.build import build
from mmcape.datasets.preparation.check import KINDS, check, check_lines
from mmcape.datasets.preparation.source_folders import locate_sources
from mmcape.datasets.preparation.statistics import (
    plot_statistics,
    statistics,
    statistics_lines,
)

from .conftest import draw


@pytest.fixture
def built(world):
    files = read_annotation_files(find_annotation_files(world.data_root))
    build(world.data_root, files, locate_sources(world.raw), how='copy')
    return world


def run(world, **options):
    files = read_annotation_files(find_annotation_files(world.data_root))
    return check(world.data_root / 'images', files, **options)


def image(world, name):
    return world.data_root / 'images' / name


def first_annotation(world, subset, change):
    """Change the first annotation, after the name of its image."""
    found = []

    def edit(content):
        ann = content['annotations'][0]
        found.append(content['images'][ann['image_id'] - 1]['file_name'])
        change(ann)

    world.edit(subset, edit)
    return found[0]


def test_a_sound_data_set_has_no_findings(built):
    report = run(built)
    assert report['ok'], report['findings']
    assert set(report['counts']) == set(KINDS)
    assert report['sources']['ap10k'] == dict(
        images=68, missing=0, unreadable=0, size=0
    )
    assert sum(source['images'] for source in report['sources'].values()) == (
        201
    )
    assert json.loads(json.dumps(report)) == report


def plant_missing(world):
    name = next(n for n, *_ in world.images if n.startswith('cat_body/'))
    image(world, name).unlink()
    return name


def plant_link_to_nowhere(world):
    name = 'human_body/000000000009.jpg'
    image(world, name).unlink()
    image(world, name).symlink_to(world.raw / 'nowhere.jpg')
    return name


def plant_truncation(world):
    """Half a JPEG, whose head still tells the size."""
    name = 'human_face/helen/trainset/9_1.jpg'
    path = image(world, name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    return name


def plant_other_content(world):
    name = 'human_face/helen/trainset/25_1.jpg'
    image(world, name).write_text('<html>404 not found</html>')
    return name


def plant_empty_file(world):
    name = 'macaque_body/macaque9.jpg'
    image(world, name).write_bytes(b'')
    return name


def plant_resized(world):
    name = 'human_hand/9.jpg'
    draw(image(world, name), (25, 20))
    return name


def plant_turned(world):
    """Right size in the file, turned by its EXIF orientation."""
    from PIL import Image

    name = 'human_hand/25.jpg'
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(image(world, name)).save(image(world, name), exif=exif)
    assert cv2.imread(str(image(world, name))).shape == (24, 20, 3)
    return name


def plant_box(bbox):
    def plant(world):
        return first_annotation(
            world, 'train', lambda ann: ann.update(bbox=bbox)
        )

    return plant


def plant_keypoint(x, y):
    def change(ann):
        ann['keypoints'][:2] = [x, y]

    return lambda world: first_annotation(world, 'val', change)


def plant_keypoint_count(world):
    def change(content):
        # of a category with two annotations: names decide
        content['categories'][0]['keypoints'] = list('abcd')
        ann = content['annotations'][0]
        key = content['categories'][0]['id']
        (ann, *_) = (
            ann for ann in content['annotations'] if ann['category_id'] == key
        )
        del ann['keypoints'][:3]
        found.append(ann['id'])

    found = []
    world.edit('test', change)
    return found[0]


@pytest.mark.parametrize(
    ('kind', 'plant'),
    [
        ('missing', plant_missing),
        ('missing', plant_link_to_nowhere),
        ('unreadable', plant_truncation),
        ('unreadable', plant_other_content),
        ('unreadable', plant_empty_file),
        ('size', plant_resized),
        ('size', plant_turned),
        ('box', plant_box([2, 3, 30, 12])),
        ('box', plant_box([2, 3, 15, 19])),
        ('box', plant_box([-2, 3, 15, 12])),
        ('box', plant_box([2, -1.5, 15, 12])),
        ('keypoint', plant_keypoint(24.5, 5)),
        ('keypoint', plant_keypoint(5, 20.5)),
        ('keypoint', plant_keypoint(-1.5, 5)),
        ('keypoint', plant_keypoint(5, -3)),
        ('annotation', plant_keypoint_count),
    ],
)
def test_every_planted_fault_is_found_alone(built, kind, plant):
    where = plant(built)
    report = run(built)
    assert report['counts'] == {other: int(other == kind) for other in KINDS}
    assert not report['ok']
    (finding,) = report['findings'][kind]
    assert where in (finding.get('file_name'), finding.get('where'))
    text = '\n'.join(check_lines(report))
    assert str(where) in text
    assert KINDS[kind] in text


def test_all_faults_at_once(built):
    plants = (plant_missing, plant_truncation, plant_resized)
    names = [plant(built) for plant in plants]
    plant_keypoint_count(built)
    plant_box([2, 3, 30, 12])(built)
    plant_keypoint(24.5, 5)(built)
    report = run(built)
    assert report['counts'] == {kind: int(kind != 'overlap') for kind in KINDS}
    assert report['sources']['ap10k']['missing'] == 1
    assert report['sources']['300w']['unreadable'] == 1
    assert report['sources']['onehand10k']['size'] == 1
    text = '\n'.join(check_lines(report))
    assert all(name in text for name in names)
    assert 'onehand10k: 2 images, 1 size' in text


def test_within_the_tolerance_is_no_finding(built):
    plant_keypoint(24.5, 5)(built)
    plant_box([-1.5, 3, 15, 12])(built)
    assert run(built)['counts']['keypoint'] == 1
    assert run(built)['counts']['box'] == 1
    assert run(built, tolerance=2)['ok']


def test_invisible_keypoints_may_lie_anywhere(built):
    def change(ann):
        ann['keypoints'][:3] = [900, -5, 0]

    first_annotation(built, 'val', change)
    assert run(built)['ok']


def test_category_in_two_subsets(built):
    name = next(n for n, *_ in built.images if built.subset(n) == 'test')
    other = built.content({name})

    def change(content):
        for entry in (*other['images'], *other['annotations']):
            entry['id'] = 9000
        other['annotations'][0]['image_id'] = 9000
        for key in ('images', 'annotations', 'categories'):
            content[key] += other[key]

    built.edit('train', change)
    report = run(built)
    assert report['counts']['overlap'] == 1
    (finding,) = report['findings']['overlap']
    assert finding == dict(
        split='mp100_split1',
        category=name.split('/')[0],
        num_keypoints=len(other['annotations'][0]['keypoints']) // 3,
        files=['mp100_split1_test.json', 'mp100_split1_train.json'],
    )
    assert name.split('/')[0] in '\n'.join(check_lines(report))


def test_a_described_category_without_instances_is_no_overlap(built):
    def change(content):
        content['categories'].append(
            dict(id=9, name='bus', keypoints=list('abc'))
        )

    for subset in {'train', 'val', 'test'} - {built.subset('bus/')}:
        built.edit(subset, change)
    assert run(built)['counts']['overlap'] == 0


def test_two_categories_named_face_are_told_apart(built):
    """As in MP-100: 68 keypoints in one subset, 19 in another."""
    first, second = (
        built.subset(f'{name}/') for name in ('human_face', 'amur_tiger_body')
    )

    def rename(content):
        for category in content['categories']:
            if category['name'] in ('human_face', 'amur_tiger_body'):
                category['name'] = 'face'
                if first == second:
                    pytest.skip('both are in one subset')

    def drop_a_keypoint(content):
        rename(content)
        key = built.category_id('human_face/')
        for ann in content['annotations']:
            if ann['category_id'] == key:
                del ann['keypoints'][-3:]

    built.edit(second, rename)
    built.edit(first, rename)
    assert run(built)['counts']['overlap'] == 1
    built.edit(first, drop_a_keypoint)
    assert run(built)['ok']


def test_progress_and_threads(built):
    seen = []
    report = run(
        built,
        num_workers=3,
        progress=lambda *state: seen.append(state),
    )
    assert report['ok']
    assert seen == [('decoded', n, 201) for n in range(1, 202)]


def test_statistics_of_the_miniature(built, tmp_path):
    files = read_annotation_files(find_annotation_files(built.data_root))
    rows = statistics(files)
    assert len(rows) == 100
    assert sum(row.instances for row in rows) == 201
    (fly,) = (row for row in rows if row.category == 'fly_body')
    assert (fly.source, fly.instances, fly.images) == ('fly', 2, 2)
    assert (fly.keypoints, fly.visible) == (5, 5.0)
    assert (fly.box_side, fly.image_side) == (14.0, 24.0)
    text = '\n'.join(statistics_lines(rows))
    name = f'mp100_split1_{built.subset("fly_body/")}.json'
    assert f'| {name} | fly_body | fly | 2 | 2 | 5 | 5.0 | 14 | 24 |' in text
    assert '3 to 5' in text
    plot_statistics(rows, tmp_path / 'new/stats.png')
    assert cv2.imread(str(tmp_path / 'new/stats.png')).shape[0] > 1000
