from __future__ import annotations

import colorsys
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from mmcape.datasets.puppets import (
    FAMILIES,
    OtherPuppetsError,
    Variation,
    contact_sheet,
    generate,
)
from mmcape.datasets.puppets.appearance import random_coat
from mmcape.datasets.puppets.pose import (
    landmark_points,
    pose_parts,
    project,
    rotation,
    scaling,
    translation,
)
from mmcape.datasets.puppets.scene import draw_scene
from mmcape.datasets.puppets.species import (
    make_bystanders,
    make_species,
    make_splits,
)

TINY: dict[str, Any] = dict(categories=(3, 1, 2), instances=(3, 2, 2))


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set with every family in it."""
    out = tmp_path_factory.mktemp('puppets')
    generate(out, categories=(14, 1, 13), instances=(6, 3, 6))
    return out


def load(folder: Path) -> dict[str, Any]:
    return {
        split: json.loads(
            (folder / f'annotations/puppets_{split}.json').read_text()
        )
        for split in ('train', 'val', 'test')
    }


def file_bytes(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob('*')
        if path.is_file()
    }


def test_bytes_depend_on_seed_but_not_on_workers(tmp_path: Path) -> None:
    generate(tmp_path / 'one', seed=3, num_workers=1, **TINY)
    generate(tmp_path / 'two', seed=3, num_workers=2, **TINY)
    generate(tmp_path / 'other', seed=4, num_workers=1, **TINY)
    one, two, other = (
        file_bytes(tmp_path / name) for name in ('one', 'two', 'other')
    )
    assert len(one) == 3 + 3 * 3 + 2 + 2 * 2
    assert one == two
    assert one.keys() == other.keys()
    assert all(one[name] != other[name] for name in one)


def test_global_random_state_is_untouched(tmp_path: Path) -> None:
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    generate(tmp_path, categories=(1, 1, 1), instances=(1, 1, 1))
    after = np.random.get_state()[1]  # noqa: NPY002
    np.testing.assert_array_equal(before, after)


def test_annotations_fit_images_and_categories(folder: Path) -> None:
    for contents in load(folder).values():
        images = {image['id']: image for image in contents['images']}
        sizes = {
            category['id']: len(category['keypoints'])
            for category in contents['categories']
        }
        assert len(contents['annotations']) == len(images)
        for entry in contents['annotations']:
            image = images[entry['image_id']]
            x, y, w, h = entry['bbox']
            assert x >= 0
            assert y >= 0
            assert min(w, h) > 10
            assert x + w <= image['width']
            assert y + h <= image['height']
            assert 0 < entry['area'] <= w * h
            assert entry['iscrowd'] == 0

            points = np.reshape(entry['keypoints'], (-1, 3))
            assert len(points) == sizes[entry['category_id']]
            assert np.isfinite(points).all()
            assert set(points[:, 2]) <= {0, 2}
            seen = points[points[:, 2] > 0, :2]
            assert entry['num_keypoints'] == len(seen) >= 3
            # A keypoint lies on the puppet, so at most its rim sticks out.
            assert (seen >= (x - 2, y - 2)).all()
            assert (seen <= (x + w + 2, y + h + 2)).all()


def test_images_are_there_in_the_stated_size(folder: Path) -> None:
    for contents in load(folder).values():
        names = {item['id']: item['name'] for item in contents['categories']}
        images = {image['id']: image for image in contents['images']}
        for entry in contents['annotations']:
            image = images[entry['image_id']]
            name = names[entry['category_id']]
            assert image['file_name'].startswith(f'{name}/')
            pixels = cv2.imread(str(folder / 'images' / image['file_name']))
            assert pixels.shape == (image['height'], image['width'], 3)
            assert pixels.std() > 5


def test_ids_are_unique_and_categories_do_not_overlap(folder: Path) -> None:
    splits = load(folder).values()
    for group in ('images', 'annotations', 'categories'):
        ids = [entry['id'] for split in splits for entry in split[group]]
        assert len(ids) == len(set(ids))
    names = [item['name'] for split in splits for item in split['categories']]
    assert len(names) == len(set(names)) == 14 + 1 + 13


def test_every_family_is_in_train_and_test(folder: Path) -> None:
    contents = load(folder)
    for split in ('train', 'test'):
        found = {
            item['supercategory'] for item in contents[split]['categories']
        }
        assert found == set(FAMILIES)


def test_share_of_invisible_keypoints(folder: Path) -> None:
    visible = [
        value > 0
        for contents in load(folder).values()
        for entry in contents['annotations']
        for value in entry['keypoints'][2::3]
    ]
    assert 0.08 <= 1 - np.mean(visible) <= 0.2


@pytest.mark.parametrize('family', range(len(FAMILIES)))
def test_anatomy_is_sound_for_many_seeds(family: int) -> None:
    for seed in range(30):
        species = make_species(seed, 0, family)
        count = len(species.landmarks)
        assert 5 <= count <= 30
        assert len({mark.name for mark in species.landmarks}) == count
        assert len({part.name for part in species.parts}) == len(species.parts)
        assert all(p.parent < i for i, p in enumerate(species.parts))
        linked = {index for link in species.links for index in link}
        assert linked == set(range(count))
        assert all(first != last for first, last in species.links)


def test_twins_share_their_looks_and_mirror_each_other() -> None:
    species = make_species(0, 0, list(FAMILIES).index('insect'))
    parts = {part.name: part for part in species.parts}
    twins = [name for name in parts if name.startswith('left_')]
    assert len(twins) >= 3
    for name in twins:
        left, right = parts[name], parts[name.replace('left_', 'right_')]
        assert left.texture is right.texture
        assert left.outline is right.outline
        assert abs(left.angle) == abs(right.angle)


@pytest.mark.parametrize('family', ['quadruped', 'insect', 'bird', 'worm'])
def test_left_is_on_the_left_when_seen_from_above(family: str) -> None:
    species = make_species(1, 0, list(FAMILIES).index(family))
    rng = np.random.default_rng(0)
    # The root frame heads along x in images, where y points down.
    points = np.mean(
        [
            landmark_points(species, pose_parts(species, rng))
            for _ in range(40)
        ],
        axis=0,
    )
    places = {
        mark.name: point[1] for mark, point in zip(species.landmarks, points)
    }
    lefts = [name for name in places if name.startswith('left_')]
    assert lefts
    for name in lefts:
        assert places[name] < places[name.replace('left_', 'right_')]


def directions(variation: Variation) -> np.ndarray:
    """Degrees from nose to chin of 30 masks, about their mean."""
    mask = make_species(0, 0, list(FAMILIES).index('mask'))
    names = [landmark.name for landmark in mask.landmarks]
    bystanders = make_bystanders(0, 2)
    steps = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        points = draw_scene(mask, bystanders, variation, rng).points
        x, y = points[names.index('chin')] - points[names.index('nose')]
        steps.append(complex(x, y) / np.hypot(x, y))
    middle = np.mean(steps)
    return np.degrees(np.abs(np.angle(steps / middle)))


def test_instances_turn_about_the_heading_of_their_species() -> None:
    still = directions(Variation(rotation=0, hue=0))
    assert still.max() < 15  # shear and perspective
    some = directions(Variation(rotation=45, hue=0))
    assert 30 < some.max() < 60
    assert directions(Variation(rotation=180, hue=0)).max() > 120


def test_a_coat_changes_each_colour_on_its_own() -> None:
    def hue_of(colour: tuple[float, float, float]) -> float:
        blue, green, red = colour
        return 360 * colorsys.rgb_to_hsv(red, green, blue)[0]

    bluish, reddish = (200.0, 80.0, 50.0), (40.0, 60.0, 180.0)
    turns = []
    for seed in range(20):
        coat = random_coat(np.random.default_rng(seed), 60 / 360)
        assert coat(bluish) == coat(bluish)
        turns.append(
            [
                (hue_of(coat(one)) - hue_of(one) + 180) % 360 - 180
                for one in (bluish, reddish)
            ]
        )
    changes = np.asarray(turns)
    assert np.abs(changes).max() < 60.001
    assert np.abs(changes).max() > 40
    assert np.abs(np.corrcoef(changes.T)[0, 1]) < 0.5
    same = random_coat(np.random.default_rng(0), 0)
    assert same(bluish) == bluish


def test_more_training_categories_leave_the_test_species_alone() -> None:
    few = make_splits(0, dict(train=2, val=1, test=3))
    many = make_splits(0, dict(train=30, val=1, test=3))
    for one, other in zip(few['test'], many['test']):
        assert one.landmarks == other.landmarks
        assert [p.texture for p in one.parts] == [
            p.texture for p in other.parts
        ]


def test_project_turns_scales_then_shifts() -> None:
    matrix = translation(5.0, 1.0) @ scaling(2.0) @ rotation(np.pi / 2)
    moved = project(matrix, np.array([[1.0, 0.0], [0.0, 1.0]]))
    np.testing.assert_allclose(moved, [[5.0, 3.0], [3.0, 1.0]], atol=1e-12)


def test_equal_options_are_kept_and_others_refused(tmp_path: Path) -> None:
    files = generate(tmp_path, **TINY)
    stamp = files['train'].stat().st_mtime_ns
    generate(tmp_path, **TINY)
    assert files['train'].stat().st_mtime_ns == stamp
    with pytest.raises(OtherPuppetsError, match="'seed': 0"):
        generate(tmp_path, seed=1, **TINY)

    generate(tmp_path, seed=1, overwrite=True, **TINY)
    generate(tmp_path / 'fresh', seed=1, **TINY)
    fresh = file_bytes(tmp_path / 'fresh')
    assert all((tmp_path / name).read_bytes() == fresh[name] for name in fresh)


def test_interrupted_run_is_drawn_anew(tmp_path: Path) -> None:
    files = generate(tmp_path, **TINY)
    before = file_bytes(tmp_path)
    files['test'].unlink()
    next((tmp_path / 'images').rglob('*.jpg')).write_bytes(b'')
    generate(tmp_path, **TINY)
    assert file_bytes(tmp_path) == before


@pytest.mark.parametrize(
    'options',
    [
        dict(seed=-1),
        dict(categories=(1, 0, 1)),
        dict(instances=(1, 1)),
        dict(num_workers=0),
        dict(variation=Variation(rotation=181)),
        dict(variation=Variation(hue=-1)),
    ],
)
def test_bad_options_are_refused(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        generate(tmp_path, **options)
    assert not list(tmp_path.iterdir())


def test_progress_counts_categories(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    generate(tmp_path, progress=lambda *call: calls.append(call), **TINY)
    assert calls == [(done, 6) for done in range(1, 7)]


def test_contact_sheet_shows_every_family() -> None:
    sheet = contact_sheet()
    assert sheet.shape == (876, 966, 3)
    assert sheet.dtype == np.uint8
