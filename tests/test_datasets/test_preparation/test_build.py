from __future__ import annotations

import copy
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys

import cv2
import pytest

from mmcape.datasets import AnnotationError, MP100Dataset
from mmcape.datasets.preparation.annotation_files import (
    find_annotation_files,
    read_annotation_files,
    subset_of,
    wanted_images,
)
from mmcape.datasets.preparation.build import build, summary
from mmcape.datasets.preparation.carfusion import camera_and_frame
from mmcape.datasets.preparation.check import check
from mmcape.datasets.preparation.folder_index import FolderIndex
from mmcape.datasets.preparation.marker import (
    MARKER,
    partial_build_lines,
    read_marker,
)
from mmcape.datasets.preparation.source_folders import locate_sources
from mmcape.datasets.preparation.sources import (
    CUB_FAMILIES,
    SOURCES,
    source_of_category,
)
from mmcape.datasets.preparation.statistics import statistics

from .conftest import draw


def run(world, only=None, **options):
    files = read_annotation_files(find_annotation_files(world.data_root))
    folders = locate_sources(world.raw)
    if only is not None:
        folders = {key: folders[key] for key in only}
    return build(world.data_root, files, folders, **options)


def absent(report):
    return {
        entry.file_name: (entry.status, entry.detail)
        for categories in report.absent.values()
        for entries in categories.values()
        for entry in entries
    }


def images(world):
    root = world.data_root / 'images'
    return {
        path.relative_to(root).as_posix(): path
        for path in root.rglob('*')
        if not path.is_dir()
    }


def test_thirteen_sources_have_the_hundred_categories():
    categories = [c for source in SOURCES for c in source.categories]
    assert len(SOURCES) == 13
    assert len(categories) == len(set(categories)) == 100
    counts = {source.key: len(source.categories) for source in SOURCES}
    assert counts['ap10k'] == 34
    assert counts['animalweb'] == 30
    assert counts['deepfashion2'] == 13
    assert counts['cub'] == 8
    assert source_of_category('amur_tiger_body').key == 'aflw'
    assert source_of_category('unicorn_body') is None
    classes = {k: b - a + 1 for k, (_, a, b) in CUB_FAMILIES.items()}
    assert list(classes.values()) == [4, 8, 5, 21, 7, 25, 6, 7]


def test_every_source_is_found_in_its_own_layout(world):
    report = run(world)
    assert absent(report) == {}
    assert report.complete
    assert report.marker['images'] == dict(wanted=201, present=201)
    made = images(world)
    assert set(made) == {name for name, *_ in world.images}
    for name, source in world.files.items():
        if isinstance(source, int):  # a frame of this grey
            pixels = cv2.imread(str(made[name]))
            assert abs(int(pixels.mean()) - source) <= 1
        else:
            assert made[name].resolve() == source.resolve()
    for subset in ('train', 'val', 'test'):
        ann_file = f'annotations/mp100_split1_{subset}.json'
        dataset = MP100Dataset(
            ann_file=ann_file, data_root=str(world.data_root)
        )
        entry = report.marker['annotation_files'][ann_file.split('/')[1]]
        assert dataset.num_instances == entry['instances']
        assert (
            dataset.metainfo['instances_sha256'] == (entry['instances_sha256'])
        )
    assert [line.split(':')[0] for line in partial_build_lines(report.marker)]


@pytest.mark.parametrize('how', ['copy', 'hardlink'])
def test_files_are_copied_or_hard_linked(world, how):
    report = run(world, ['coco'], how=how)
    assert report.made == {'coco': 2}
    assert 'coco' not in report.absent
    made = images(world)['human_body/000000000009.jpg']
    source = world.files['human_body/000000000009.jpg']
    assert not made.is_symlink()
    assert made.samefile(source) == (how == 'hardlink')
    assert made.read_bytes() == source.read_bytes()


def test_second_run_finds_everything_done(world):
    first = run(world, how='copy')
    before = {
        name: path.stat().st_mtime_ns for name, path in images(world).items()
    }
    second = run(world, how='copy')
    assert sum(first.made.values()) == 201
    assert sum(second.made.values()) == 0
    assert sum(second.kept.values()) == 201
    assert {
        name: path.stat().st_mtime_ns for name, path in images(world).items()
    } == before
    assert first.marker == second.marker


def test_interrupted_build_continues(world, monkeypatch):
    placed = []

    def interrupted(source, target, how):
        if len(placed) == 50:
            # What a killed copy leaves behind.
            target.parent.mkdir(parents=True, exist_ok=True)
            target.with_name(f'.{target.name}.partial').write_bytes(b'half')
            raise KeyboardInterrupt
        placed.append(target)
        real(source, target, how)

    module = sys.modules['mmcape.datasets.preparation.build']
    real = module.place
    monkeypatch.setattr(module, 'place', interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(world, how='copy')
    assert not (world.data_root / MARKER).exists()
    monkeypatch.setattr(module, 'place', real)

    report = run(world, how='copy')
    assert report.complete
    assert sum(report.kept.values()) == 50
    assert sum(report.made.values()) == 151
    assert set(images(world)) == {name for name, *_ in world.images}
    for name, source in world.files.items():
        if not isinstance(source, int):
            assert images(world)[name].read_bytes() == source.read_bytes()


KILLED = """
import os
import shutil
import signal
import sys
from pathlib import Path

from mmcape.datasets.preparation.annotation_files import (
    find_annotation_files,
    read_annotation_files,
)
from mmcape.datasets.preparation.build import build
from mmcape.datasets.preparation.source_folders import locate_sources

data_root, raw = map(Path, sys.argv[1:])
copied = 0


def copy(source, target):
    global copied
    content = Path(source).read_bytes()
    copied += 1
    if copied == 40:
        target.write_bytes(content[: len(content) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    target.write_bytes(content)


shutil.copyfile = copy
files = read_annotation_files(find_annotation_files(data_root))
build(data_root, files, locate_sources(raw), how='copy')
"""


def test_build_that_was_killed_in_the_middle_of_a_copy(world):
    arguments = [sys.executable, '-c', KILLED, world.data_root, world.raw]
    result = subprocess.run(arguments, check=False, capture_output=True)
    assert result.returncode == -signal.SIGKILL, result.stderr
    left = images(world)
    half = [path for path in left.values() if path.suffix == '.partial']
    assert len(left) == 40
    assert len(half) == 1
    assert not (world.data_root / MARKER).exists()

    report = run(world, how='copy')
    assert report.complete
    assert sum(report.kept.values()) == 39
    assert set(images(world)) == {name for name, *_ in world.images}


def test_source_by_source_equals_all_at_once(world):
    whole = run(world).marker
    shutil.rmtree(world.data_root / 'images')
    (world.data_root / MARKER).unlink()
    for key in locate_sources(world.raw):
        marker = run(world, [key]).marker
    assert marker == whole


def test_partial_build_names_what_is_absent_and_has_a_hash(world):
    missing = world.files['human_body/000000000025.jpg']
    missing.unlink()
    report = run(
        world, [key for key in locate_sources(world.raw) if key != 'cub']
    )
    assert not report.complete
    marker = read_marker(world.data_root)
    assert marker == json.loads(json.dumps(report.marker))
    assert not marker['complete']
    assert marker['images'] == dict(wanted=201, present=184)
    by_subset = {
        name.split('_')[-1][:-5]: entry
        for name, entry in marker['annotation_files'].items()
    }
    for subset, entry in by_subset.items():
        assert entry['absent_categories'] == sorted(
            family
            for family in CUB_FAMILIES
            if world.subset(f'{family}/') == subset
        )
    body = world.subset('human_body/')
    assert by_subset[body]['incomplete_categories'] == {
        'human_body': dict(present=1, wanted=2)
    }
    text = '\n'.join(partial_build_lines(marker))
    assert 'PARTIAL: 184 of 201' in text
    for family in CUB_FAMILIES:
        subset = world.subset(f'{family}/')
        line = rf'mp100_split1_{subset}.json lacks .*\b{family}\b'
        assert re.search(line, text)
    assert f'_{body}.json has 1 of 2 images of human_body' in text
    assert marker['sha256'] in text
    assert marker['missing']['cub']['wren_body'][0]['status'] == 'missing'
    text = '\n'.join(summary(report))
    assert 'the folder of cub was not given' in text
    assert 'human_body: 1 missing, e.g. human_body/000000000025.jpg' in text

    # The hash is that of names and bytes.
    digest = hashlib.sha256()
    for name, path in sorted(images(world).items()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f'{name}\0{content}\n'.encode())
    assert digest.hexdigest() == marker['sha256']

    # The loader goes on without these instances and logs the same hash.
    file = f'annotations/mp100_split1_{body}.json'
    with pytest.raises(AnnotationError, match=r'000000000025\.jpg'):
        MP100Dataset(ann_file=file, data_root=str(world.data_root))
    dataset = MP100Dataset(
        ann_file=file, data_root=str(world.data_root), on_problems='report'
    )
    assert (
        dataset.metainfo['instances_sha256']
        == (by_subset[body]['instances_sha256'])
    )
    assert marker['sha256'] != run(world).marker['sha256']


def test_cub_classes_of_another_family_do_not_count(world):
    name = 'wren_body/Bewick_Wren_0001_15.jpg'
    wrong = world.raw / 'CUB_200_2011/images/192.Downy_Woodpecker'
    shutil.move(world.files[name], wrong / 'Bewick_Wren_0001_15.jpg')
    status, detail = absent(run(world))[name]
    assert status == 'missing'
    assert '192.Downy_Woodpecker' in detail


def test_carfusion_sequence_is_found_by_its_boxes(world):
    run(world, ['carfusion'])
    made = images(world)
    assert camera_and_frame(1500801201) == (8, 1201)
    assert camera_and_frame(301712000) == (17, 12000)
    first = made['car/1500801201.jpg'].resolve().parts[-3]
    second = made['car/1400801201.jpg'].resolve().parts[-3]
    assert (first, second) == ('car_fifth1', 'car_penn1')


def test_carfusion_id_that_is_wrong_altogether(world):
    def rename(content):
        for image in content['images']:
            if image['file_name'] == 'car/1500801201.jpg':
                image['file_name'] = 'car/77.jpg'

    world.edit(world.subset('car/'), rename)
    report = run(world, ['carfusion'])
    assert report.settled['car/77.jpg'] == 'boxes alone'
    made = images(world)['car/77.jpg'].resolve()
    assert made == world.files['car/1500801201.jpg'].resolve()


def test_carfusion_without_the_right_sequence_is_missing(world):
    shutil.rmtree(world.raw / 'carfusion/train/car_fifth1')
    found = absent(run(world, ['carfusion', 'coco']))
    status, detail = found['car/1500801201.jpg']
    assert status == 'missing'
    assert 'all sequences' in detail
    assert 'car/1400801201.jpg' not in found


def test_equal_carfusion_sequences_are_ambiguous(world):
    folder = world.raw / 'carfusion/train'
    shutil.copytree(folder / 'car_fifth1', folder / 'car_fifth2')
    status, detail = absent(run(world, ['carfusion']))['car/1500801201.jpg']
    assert status == 'ambiguous'
    assert 'car_fifth1' in detail
    assert 'car_fifth2' in detail


def test_renamed_carfusion_images_are_marked_unverified(world):
    shutil.rmtree(world.raw / 'carfusion')
    draw(world.raw / 'carfusion/car/1500801201.jpg', (1920, 1080), 7)
    report = run(world, ['carfusion'])
    assert report.made == {'carfusion': 1}
    assert 'cannot be verified' in report.settled['car/1500801201.jpg']


def test_hands_of_another_edition_are_refused(world):
    name = 'human_hand/9.jpg'
    draw(world.files[name], (30, 22), 5)
    status, detail = absent(run(world))[name]
    assert status == 'other size'
    assert '30 x 22' in detail
    assert '24 x 20' in detail


@pytest.mark.parametrize('folder', ['validation/image', 'test/image'])
def test_deepfashion_size_decides_between_equal_names(world, folder):
    name = next(n for n in world.files if n.startswith('vest/'))
    train = world.files[name]
    right = train.parents[2] / folder / train.name
    right.parent.mkdir(parents=True)
    shutil.move(train, right)
    draw(train, (40, 20), 3)
    report = run(world, ['deepfashion2'])
    assert images(world)[name].resolve() == right.resolve()
    assert name not in report.settled


def test_deepfashion_annotated_folder_decides(world):
    name = next(n for n in world.files if n.startswith('vest/'))
    train = world.files[name]
    other = draw(train.parents[2] / 'validation/image' / train.name, seed=900)
    longer = name.replace('vest/', 'vest/validation/image/')

    def rename(content):
        for image in content['images']:
            if image['file_name'] == name:
                image['file_name'] = longer

    world.edit(world.subset('vest/'), rename)
    report = run(world, ['deepfashion2'])
    assert images(world)[longer].resolve() == other.resolve()
    assert longer not in report.settled


def test_deepfashion_equal_sizes_are_settled_and_reported(world):
    name = next(n for n in world.files if n.startswith('vest/'))
    train = world.files[name]
    draw(train.parents[2] / 'test/image' / train.name, seed=900)
    report = run(world, ['deepfashion2'])
    assert images(world)[name].resolve() == train.resolve()
    assert report.settled == {name: 'train/image'}
    assert '1 images chosen by: train/image' in '\n'.join(summary(report))
    # and a second run remembers
    assert run(world, ['deepfashion2']).settled == {name: 'train/image'}


def test_equal_names_and_sizes_without_a_preference_are_ambiguous(world):
    name = 'human_body/000000000009.jpg'
    draw(world.raw / 'coco/val2017/000000000009.jpg', seed=900)
    status, detail = absent(run(world))[name]
    assert status == 'ambiguous'
    assert 'val2017' in detail
    shutil.copy(world.files[name], world.raw / 'coco/val2017/000000000009.jpg')
    assert absent(run(world)) == {}  # the same bytes: no matter which


def test_keypoint5_repeats_names_over_categories(world):
    run(world, ['keypoint5'])
    made = images(world)
    for category in ('bed', 'chair', 'sofa', 'swivelchair', 'table'):
        path = made[f'{category}/00000009.jpg'].resolve()
        assert path.parts[-3] == category


def test_coco_2014_names_and_other_suffixes(world):
    first = world.files['human_body/000000000009.jpg']
    first.rename(first.with_name('COCO_train2014_000000000009.jpg'))
    second = world.files['human_body/000000000025.jpg']
    pixels = cv2.imread(str(second))
    second.unlink()
    cv2.imwrite(str(second.with_suffix('.png')), pixels)
    assert absent(run(world)) == {}


def test_frames_are_recognised_by_keypoints_not_by_number(world):
    run(world, ['fly', 'locust'])
    for name in ('fly_body/0.jpg', 'fly_body/1.jpg', 'locust_body/0.jpg'):
        pixels = cv2.imread(str(images(world)[name]))
        assert abs(int(pixels.mean()) - world.files[name]) <= 1


def test_frame_without_the_annotated_keypoints_is_missing(world):
    def move(content):
        for ann in content['annotations']:
            ann['keypoints'][0] += 9

    name = 'fly_body/0.jpg'
    world.edit(world.subset(name), move)
    status, detail = absent(run(world))[name]
    assert status == 'missing'
    assert 'the nearest is 1.8 pixels off' in detail


def test_equal_keypoints_of_two_frames_are_ambiguous(world, monkeypatch):
    from mmcape.datasets.preparation import hdf5_frames

    monkeypatch.setattr(hdf5_frames, 'MAX_DISTANCE', 1000.0)
    status, detail = absent(run(world))['fly_body/0.jpg']
    assert status == 'ambiguous'
    assert '[0, 1, 2, 3, 4, 5]' in detail


def test_hdf5_without_h5py_names_the_extra(world, monkeypatch):
    monkeypatch.setitem(sys.modules, 'h5py', None)
    status, detail = absent(run(world))['fly_body/0.jpg']
    assert status == 'missing'
    assert 'pip install "mmcape[hdf5]"' in detail


def test_folders_of_the_two_hdf5_files(world):
    raw = world.raw / 'deepposekit-data/datasets'
    moved = world.raw / 'mine'
    (raw / 'fly').rename(moved)
    assert absent(run(world))['fly_body/0.jpg'][1] == 'no such file'
    files = read_annotation_files(find_annotation_files(world.data_root))
    assert build(world.data_root, files, {'fly': moved}).made == {'fly': 2}
    (moved / 'annotation_data_2.h5').write_bytes(b'')
    report = build(world.data_root, files, {'fly': moved}, rebuild=True)
    assert report.kept['fly'] == 2  # in place, but not to be found again
    shutil.rmtree(world.data_root / 'images/fly_body')
    report = build(world.data_root, files, {'fly': moved})
    assert 'several releases' in absent(report)['fly_body/1.jpg'][1]


def test_broken_hdf5_file_is_named(world):
    path = world.raw / 'deepposekit-data/datasets/fly'
    (path / 'annotation_data_release.h5').write_bytes(b'no hdf5')
    found = absent(run(world))
    assert 'annotation_data_release.h5' in found['fly_body/0.jpg'][1]
    assert 'locust_body/0.jpg' not in found


def test_extracted_frames_are_marked_unverified(world):
    shutil.rmtree(world.raw / 'deepposekit-data')
    draw(world.raw / 'vinegar_fly/images/0.jpg', seed=3)
    report = run(world, ['fly'])
    assert report.made == {'fly': 1}
    assert 'cannot be verified' in report.settled['fly_body/0.jpg']


def test_broken_source_image_is_named(world):
    name = 'human_body/000000000009.jpg'
    world.files[name].write_bytes(b'no image')
    status, detail = absent(run(world))[name]
    assert status == 'unreadable'
    assert '000000000009.jpg' in detail


def test_rebuild_replaces_what_is_there(world):
    run(world, ['coco'], how='copy')
    name = 'human_body/000000000009.jpg'
    draw(images(world)[name], seed=77)
    assert run(world, ['coco'], how='copy').made == {}
    assert run(world, ['coco'], how='copy', rebuild=True).made == {'coco': 2}
    made, source = images(world)[name], world.files[name]
    assert made.read_bytes() == source.read_bytes()


def test_link_to_nowhere_is_replaced(world):
    run(world, ['coco'])
    moved = world.raw / 'elsewhere'
    (world.raw / 'coco').rename(moved)
    files = read_annotation_files(find_annotation_files(world.data_root))
    report = build(world.data_root, files, {})
    assert 'coco' in report.absent
    report = build(world.data_root, files, {'coco': moved})
    assert report.made == {'coco': 2}


def test_full_disk_is_one_error_and_no_half_file(world, monkeypatch):
    def full(source, target):
        target.write_bytes(b'half')
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(shutil, 'copyfile', full)
    with pytest.raises(OSError, match='cannot copy .*No space left'):
        run(world, ['coco'], how='copy')
    assert images(world) == {}


def test_unknown_category_has_no_source(world):
    def rename(content):
        content['images'][0]['file_name'] = 'unicorn_body/1.jpg'

    world.edit('train', rename)
    found = absent(run(world))
    assert found['unicorn_body/1.jpg'][0] == 'missing'
    assert 'no source' in found['unicorn_body/1.jpg'][1]


@pytest.mark.parametrize(
    'name', ['../outside.jpg', '/outside.jpg', 'car/../../outside.jpg', 7]
)
def test_file_names_that_climb_out_are_refused(world, name):
    def rename(content):
        content['images'][0]['file_name'] = name

    world.edit('train', rename)
    with pytest.raises(AnnotationError, match='mp100_split1_train.json'):
        run(world)
    assert not (world.data_root / 'images').exists()


def test_editions_that_disagree_about_a_size_are_refused(world):
    content = world.content({'human_body/000000000009.jpg'})
    content['images'][0]['width'] += 1
    path = world.data_root / 'annotations/other_train.json'
    path.write_text(json.dumps(content))
    with pytest.raises(AnnotationError, match='human_body/000000000009.jpg'):
        run(world)


def test_broken_annotation_files_are_named(world, tmp_path):
    with pytest.raises(FileNotFoundError, match='no annotation files'):
        find_annotation_files(tmp_path / 'nowhere')
    path = tmp_path / 'a.json'
    with pytest.raises(FileNotFoundError, match=r'a\.json'):
        read_annotation_files([path])
    for text in ('{', '[]', '{"images": []}'):
        path.write_text(text)
        with pytest.raises(AnnotationError, match=r'a\.json'):
            read_annotation_files([path])


def test_sources_on_the_command_line(tmp_path):
    with pytest.raises(ValueError, match='KEY=FOLDER'):
        locate_sources(None, ['coco'])
    with pytest.raises(ValueError, match="no source 'zoo'"):
        locate_sources(None, ['zoo=.'])
    with pytest.raises(FileNotFoundError, match='nowhere'):
        locate_sources(None, ['coco=nowhere'])
    with pytest.raises(FileNotFoundError, match='nowhere'):
        locate_sources(tmp_path / 'nowhere')
    (tmp_path / 'coco').mkdir()
    (tmp_path / 'mine').mkdir()
    given = [f'coco={tmp_path / "mine"}']
    assert locate_sources(tmp_path, given) == {'coco': tmp_path / 'mine'}
    assert locate_sources(tmp_path) == {'coco': tmp_path / 'coco'}


def test_index_survives_links_in_a_circle(tmp_path):
    draw(tmp_path / 'a/b/1.jpg')
    os.symlink(tmp_path / 'a', tmp_path / 'a/b/again')
    assert len(FolderIndex(tmp_path).lookup('1.jpg')) == 1


def test_names_of_subsets():
    assert subset_of('mp100_split3_val.json') == ('mp100_split3', 'val')
    assert subset_of('fewshot_test_vehicle.json') == (
        'fewshot_vehicle',
        'test',
    )
    assert subset_of('train.json') == ('', 'train')
    assert subset_of('all.json') is None


def test_images_in_several_files_are_wanted_once(world):
    content = world.content({'human_body/000000000009.jpg'})
    folder = world.data_root / 'cross_category_annotations'
    folder.mkdir()
    path = folder / 'fewshot_test_humanbody.json'
    path.write_text(json.dumps(content))
    files = read_annotation_files(find_annotation_files(world.data_root))
    assert files[-1].name == 'fewshot_test_humanbody.json'
    wanted = wanted_images(files)
    assert len(wanted) == 201
    assert len(wanted['human_body/000000000009.jpg'].subsets) == 2


def test_progress_ends_at_the_total(world):
    seen = []
    run(world, progress=lambda *state: seen.append(state))
    assert seen == [
        (what, n, 201) for what in ('found', 'hashed') for n in range(1, 202)
    ]


VALUES = (
    *(None, True, -1, 0, 1, 1e300, float('nan'), '', 'x', '../x', [], {}),
    *([1, 2], [None] * 15, ['a'] * 4, [1, 2, 3, 4], {'id': 1}),
)


def mutate(content, rng):
    """Replace, or remove, one value anywhere in an annotation file."""
    parent = content
    while True:
        keys = list(parent) if isinstance(parent, dict) else range(len(parent))
        if not keys:
            return
        key = rng.choice(keys)
        child = parent[key]
        if isinstance(child, (dict, list)) and child and rng.random() < 0.9:
            parent = child
            continue
        if rng.random() < 0.2:
            del parent[key]
        else:
            parent[key] = copy.deepcopy(rng.choice(VALUES))
        return


def test_mutated_annotation_files_give_documented_errors_only(world):
    """Of build and check; images of three sources with rules of their own."""
    path = world.data_root / 'annotations/mp100_split1_train.json'
    names = [
        name
        for name, *_ in world.images
        if name.startswith(('fly', 'car/', 'vest/', 'wren'))
    ]
    content = json.dumps(world.content(names))
    for other in path.parent.glob('*.json'):
        other.unlink()
    done, refused = 0, []
    rng = random.Random(0)
    for _ in range(150):
        mutated = json.loads(content)
        for _ in range(rng.randint(1, 3)):
            mutate(mutated, rng)
        path.write_text(json.dumps(mutated))
        try:
            run(world, ['fly', 'carfusion', 'deepfashion2', 'cub'])
            files = read_annotation_files([path])
            json.dumps(check(world.data_root / 'images', files))
            statistics(files)
            done += 1
        except AnnotationError as error:
            refused.append(str(error))
    assert all(path.name in message for message in refused)
    assert min(done, len(refused)) > 20
