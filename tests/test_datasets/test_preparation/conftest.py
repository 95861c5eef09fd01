"""Miniature copies of the thirteen sources, each in its own layout.

Every category has two images; an annotation file of each subset of a split
names them as MP-100 does. The pixels of an image tell its place apart.
"""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmcape.datasets.preparation.sources import SOURCES

SUBSETS = ('train', 'val', 'test')
SIZE = (24, 20)
NUM_KEYPOINTS = 4


def draw(path, size=SIZE, seed=0):
    """Write an image that no other seed gives."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    block = rng.integers(0, 255, (2, 2, 3), np.uint8)
    pixels = cv2.resize(block, size, interpolation=cv2.INTER_NEAREST)
    assert cv2.imwrite(str(path), pixels)
    return path


class World:
    """Sources below ``raw``, a data root below ``data``."""

    def __init__(self, root):
        self.raw, self.data_root = root / 'raw', root / 'data'
        self.images = []
        """(category, rest of the annotated name, size, keypoints, box)"""
        self.files = {}
        """File of a source by annotated name."""

    def add(self, category, tail, path=None, size=SIZE, points=None, box=None):
        name = f'{category}/{tail}'
        if points is None:
            points = [[4, 5], [8, 9], [12, 7], [9, 11]]
        box = box or [2.0, 3.0, 15.0, 12.0]
        self.images.append((name, size, points, box))
        if path is not None:
            path = self.raw / path
            if not path.exists():
                draw(path, size, seed=len(self.files) + 1)
            self.files[name] = path
        return name

    def content(self, names):
        categories = sorted({name.split('/')[0] for name in names})
        images, annotations = [], []
        for name, size, points, box in self.images:
            if name not in names:
                continue
            number = len(images) + 1
            images.append(
                dict(id=number, file_name=name, width=size[0], height=size[1])
            )
            annotations.append(
                dict(
                    id=number,
                    image_id=number,
                    category_id=self.category_id(name),
                    bbox=box,
                    area=box[2] * box[3],
                    iscrowd=0,
                    num_keypoints=len(points),
                    keypoints=[v for x, y in points for v in (x, y, 2)],
                )
            )
        return dict(
            images=images,
            annotations=annotations,
            categories=[
                dict(
                    id=self.category_id(f'{category}/'),
                    name=category,
                    keypoints=[],
                )
                for category in categories
            ],
        )

    @staticmethod
    def category_id(name):
        folders = [c for source in SOURCES for c in source.categories]
        return folders.index(name.split('/')[0]) + 1

    def subset(self, name):
        """Categories alternate between train, train, val and test."""
        return ('train', 'train', 'val', 'test')[self.category_id(name) % 4]

    def write_annotations(self):
        folder = self.data_root / 'annotations'
        folder.mkdir(parents=True, exist_ok=True)
        for subset in SUBSETS:
            names = [
                name for name, *_ in self.images if self.subset(name) == subset
            ]
            path = folder / f'mp100_split1_{subset}.json'
            path.write_text(json.dumps(self.content(names)))

    def edit(self, subset, change):
        """Change a parsed annotation file in place."""
        path = self.data_root / f'annotations/mp100_split1_{subset}.json'
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))


def write_carfusion(world):
    """Two sequences whose cars differ but whose file names are equal."""
    for position, sequence in enumerate(('car_fifth1', 'car_penn1')):
        for frame in (1201, 1207):
            stem = f'8_{frame}'
            folder = world.raw / 'carfusion/train' / sequence
            offset = 300 * position + frame % 100
            cars = [
                [(100 + offset, 200), (300 + offset, 260), (150, 400)],
                [(900 + offset, 500), (1000, 700), (1300 + offset, 610)],
            ]
            lines = [
                f'{x},{y},{point + 1},{car},1'
                for car, points in enumerate(cars)
                for point, (x, y) in enumerate(points)
            ]
            (folder / 'gt').mkdir(parents=True, exist_ok=True)
            (folder / f'gt/{stem}.txt').write_text('\n'.join(lines))
            for index, category in enumerate(('car', 'bus')):
                if sequence == 'car_fifth1' or index == 0:
                    # Somebody else's position of the sequence.
                    number = (15 - position) * 10**8 + 8 * 10**5 + frame
                    add_car(world, category, number, folder, stem, index)
    number = 3 * 10**8 + 8 * 10**5 + 1207
    folder = world.raw / 'carfusion/train/car_penn1'
    add_car(world, 'suv', number, folder, '8_1207', 1)


def add_car(world, category, number, folder, stem, car):
    points = [
        list(map(int, line.split(',')))[:2]
        for line in (folder / f'gt/{stem}.txt').read_text().splitlines()
        if line.split(',')[3] == str(car)
    ]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    w, h = max(xs) - min(xs), max(ys) - min(ys)
    x, y = max(min(xs) - w / 10, 0), max(min(ys) - h / 10, 0)
    box = [int(x), int(y), int(1.25 * w), int(1.25 * h)]
    world.add(
        category,
        f'{number}.jpg',
        folder.relative_to(world.raw) / f'images_jpg/{stem}.jpg',
        size=(1920, 1080),
        points=points,
        box=box,
    )


class FakeH5:
    """Stands in for h5py.File: data sets in an npz file."""

    def __init__(self, path, mode):
        assert mode == 'r'
        try:
            self.arrays = dict(np.load(path))
        except (OSError, ValueError) as error:
            raise OSError(str(error)) from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def __contains__(self, name):
        return name in self.arrays

    def __getitem__(self, name):
        return self.arrays[name]


def write_arrays(path, **arrays):
    """Write an HDF5 file if h5py is there, else what FakeH5 reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    h5py = sys.modules['h5py']
    if isinstance(h5py.File, type) and h5py.File is FakeH5:
        with path.open('wb') as file:
            np.savez(file, **arrays)
        return
    with h5py.File(path, 'w') as file:
        for name, array in arrays.items():
            file[name] = array


def write_frames(world):
    for key, category, seed in (
        ('fly', 'fly_body', 1),
        ('locust', 'locust_body', 2),
    ):
        rng = np.random.default_rng(seed)
        points = rng.uniform(2, 18, (6, 5, 2)).round(1)
        images = rng.integers(0, 255, (6, 20, 24, 1)).astype(np.uint8)
        # Smooth enough for JPEG to keep.
        images[:] = images[:, :1, :1]
        write_arrays(
            world.raw / f'deepposekit-data/datasets/{key}'
            '/annotation_data_release.h5',
            images=images,
            annotations=points,
            annotated=np.ones((6, 5), bool),
        )
        for number, frame in enumerate((4, 1)):
            name = world.add(
                category, f'{number}.jpg', points=points[frame].tolist()
            )
            world.files[name] = int(images[frame, 0, 0, 0])


def write_by_name(world):
    """The sources whose images have their own names in MP-100."""
    for number in (9, 25):
        tail = f'{number:012d}.jpg'
        world.add('human_body', tail, f'coco/train2017/{tail}')
        tail = f'helen/trainset/{number}_1.jpg'
        world.add('human_face', tail, f'300W/{tail}')
        tail = f'image{number:05d}.jpg'
        folder = 'AFLW/aflw/data/flickr'
        world.add('amur_tiger_body', tail, f'{folder}/{number % 3}/{tail}')
        world.add(
            'human_hand',
            f'{number}.jpg',
            f'OneHand10K/Train/source/{number}.jpg',
        )
        tail = f'macaque{number}.jpg'
        world.add('macaque_body', tail, f'macaquepose/v1/images/{tail}')
        for category in source('ap10k').categories:
            code = 100 * world.category_id(f'{category}/') + number
            tail = f'{code:012d}.jpg'
            world.add(category, tail, f'ap-10k/data/{tail}')
        for category in source('animalweb').categories:
            tail = f'{category[:-5]}_{number}.jpg'
            world.add(category, tail, f'animal_dataset_v1_clean_check/{tail}')
        for category in source('keypoint5').categories:
            tail = f'{number:08d}.jpg'
            world.add(category, tail, f'keypoint-5/{category}/images/{tail}')
        for category in source('deepfashion2').categories:
            code = 100 * world.category_id(f'{category}/') + number
            tail = f'{code:06d}.jpg'
            world.add(category, tail, f'DeepFashion2/train/image/{tail}')
    birds = (
        *(('grebe', '050.Eared_Grebe'), ('grebe', '053.Western_Grebe')),
        *(('gull', '059.California_Gull'), ('gull', '066.Western_Gull')),
        ('kingfisher', '079.Belted_Kingfisher'),
        ('kingfisher', '083.White_breasted_Kingfisher'),
        ('sparrow', '113.Baird_Sparrow'),
        ('sparrow', '133.White_throated_Sparrow'),
        *(('tern', '141.Artic_Tern'), ('tern', '147.Least_Tern')),
        ('warbler', '158.Bay_breasted_Warbler'),
        ('warbler', '182.Yellow_Warbler'),
        ('woodpecker', '187.American_Three_toed_Woodpecker'),
        ('woodpecker', '192.Downy_Woodpecker'),
        *(('wren', '193.Bewick_Wren'), ('wren', '199.Winter_Wren')),
    )
    for family, folder in birds:
        tail = f'{folder[4:]}_0001_{len(folder)}.jpg'
        world.add(
            f'{family}_body', tail, f'CUB_200_2011/images/{folder}/{tail}'
        )


def source(key):
    (found,) = (source for source in SOURCES if source.key == key)
    return found


@pytest.fixture
def h5py(monkeypatch):
    """The real package where it is installed, else a stand-in."""
    try:
        import h5py
    except ImportError:
        h5py = types.ModuleType('h5py')
        h5py.File = FakeH5
        monkeypatch.setitem(sys.modules, 'h5py', h5py)
    return h5py


@pytest.fixture
def world(tmp_path: Path, h5py) -> World:
    """All sources, with two images of every category but suv (one)."""
    world = World(tmp_path)
    write_by_name(world)
    write_carfusion(world)
    write_frames(world)
    world.write_annotations()
    return world
