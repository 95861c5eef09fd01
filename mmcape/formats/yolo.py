"""YOLO-pose data sets as Ultralytics' models take them.

A data.yaml file names folders of images. Beside ``images`` in their path is
``labels``, with a .txt file an image and a line an instance: the class, the
box by its centre, width and height, and the keypoints, all as parts of the
image's width and height.
"""

from __future__ import annotations

import os.path as osp
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from mmcape.datasets.instances import clip_box
from mmcape.datasets.preparation import image_files
from mmcape.utils.input_error import InputError

from .categories import choose_category
from .poses import LabelledPoses, Pose

FILE = 'data.yaml'
_SPLITS = ('train', 'val', 'test')
_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')


def read_yolo(
    path: str | Path,
    category: str | int | None = None,
    img_root: str | Path | None = None,
) -> LabelledPoses:
    """Read the instances of a class in all splits.

    Args:
        path: The .yaml file of the data set, or the folder with data.yaml.
            Names of keypoints are its ``kpt_names``, or as sleap-io writes
            them ``node_names``; a ``skeleton`` counts from 0.
        category: Name or number of the class; needed where there are several.
        img_root: Folder of the data set; by default ``path`` in the file,
            where that is below the file, or the file's own.

    Raises:
        InputError: If the file does not describe poses, a folder is missing,
            or a line is none of the format.
    """
    path = Path(path)
    file = path / FILE if path.is_dir() else path
    config = _read_config(file)
    count, dims = config['kpt_shape']
    classes = _by_number(config.get('names'))
    found: list[tuple[int, Pose]] = []
    for folder in _image_folders(config, file, img_root):
        for image in sorted(folder.rglob('*')):
            if image.suffix.lower() in _SUFFIXES:
                found += _instances(image, count, dims)
    if not found:
        raise InputError(f'{file}: its data set has no labelled instance')
    used = {
        number: str(classes.get(number, f'class {number}'))
        for number in sorted({number for number, _ in found})
    }
    chosen = choose_category(used, category, file)
    return LabelledPoses(
        names=_keypoint_names(config, chosen, count),
        poses=[pose for number, pose in found if number == chosen],
        skeleton=_skeleton(config, count),
        category=used[chosen],
    )


def _read_config(file: Path) -> dict[str, Any]:
    try:
        config = yaml.safe_load(file.read_text(encoding='utf-8'))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise InputError(f'{file} cannot be read: {error}') from error
    shape = config.get('kpt_shape') if isinstance(config, dict) else None
    if not (
        isinstance(shape, list)
        and len(shape) == 2
        and all(type(one) is int for one in shape)
        and 0 < shape[0] < 10000
        and shape[1] in (2, 3)
    ):
        raise InputError(
            f'{file} describes no YOLO-pose data set: it needs `kpt_shape`, '
            'the number of keypoints and 2 or 3 values for each'
        )
    return config


def _by_number(names: Any) -> dict[Any, Any]:
    """Names as a list or as a dictionary."""
    if isinstance(names, dict):
        return names
    return dict(enumerate(names)) if isinstance(names, list) else {}


def _keypoint_names(
    config: dict[str, Any], number: int, count: int
) -> list[str]:
    names = _by_number(config.get('kpt_names')).get(number)
    names = names or config.get('node_names')
    if isinstance(names, list) and len(names) == count:
        names = [str(name) for name in names]
        if len(set(names)) == count:
            return names
    return [f'keypoint_{i}' for i in range(1, count + 1)]


def _skeleton(config: dict[str, Any], count: int) -> list[tuple[int, int]]:
    edges = config.get('skeleton')
    return [
        (edge[0], edge[1])
        for edge in (edges if isinstance(edges, list) else ())
        if isinstance(edge, list)
        and len(edge) == 2
        and all(type(end) is int and 0 <= end < count for end in edge)
    ]


def _image_folders(
    config: dict[str, Any], file: Path, img_root: str | Path | None
) -> Iterator[Path]:
    """Folders of the splits; each must be below the data set's."""
    root = Path(img_root) if img_root is not None else file.parent
    bases = [root, root / str(config.get('path') or '')]
    for split in _SPLITS:
        entries = config.get(split) or []
        for entry in entries if isinstance(entries, list) else [entries]:
            # exports write ../train/images for a folder beside the file
            names = [str(entry), str(entry).lstrip('./')]
            places = [base / name for base in bases for name in names]
            inside = [one for one in places if _is_below(one, root)]
            folder = next(filter(osp.isdir, inside), None)
            if folder is None:
                raise InputError(
                    f'{file} names the folder {entry} of {split} images, '
                    f'which is not found in {root}: give the folder of the '
                    'data set'
                )
            yield folder


def _is_below(path: Path, root: Path) -> bool:
    place = Path(osp.abspath(path))
    return Path(osp.abspath(root)) in (place, *place.parents)


def _label_file(image: Path) -> Path:
    """Where Ultralytics looks for an image's labels."""
    parts = list(image.parts)
    if 'images' in parts[:-1]:
        last = len(parts) - 2 - parts[-2::-1].index('images')
        parts[last] = 'labels'
    return Path(*parts).with_suffix('.txt')


def _instances(
    image: Path, count: int, dims: int
) -> Iterator[tuple[int, Pose]]:
    """Class and pose of each line of an image's labels."""
    file = _label_file(image)
    if not osp.isfile(file):
        return
    try:
        lines = file.read_text(encoding='utf-8').splitlines()
        size = image_files.image_size(image)
    except (OSError, ValueError, image_files.BrokenImageError) as error:
        raise InputError(
            f'{file} or its image cannot be read: {error}'
        ) from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            where = f'{file}, line {number}'
            yield _instance(line.split(), count, dims, str(image), size, where)


def _instance(
    cells: list[str],
    count: int,
    dims: int,
    image: str,
    size: tuple[int, int],
    where: str,
) -> tuple[int, Pose]:
    try:
        values = np.array(cells, np.float64)
    except ValueError as error:
        raise InputError(f'{where}: {error}') from error
    sound = np.isfinite(values).all() and abs(values).max() < 1e6
    if len(values) != 5 + count * dims or not sound:
        raise InputError(
            f'{where} has not {5 + count * dims} numbers: class, box and '
            f'{count} keypoints of {dims} values'
        )
    points = values[5:].reshape(count, dims)
    # without a column for it, what is not visible lies at the origin
    visible = points[:, 2] > 0 if dims == 3 else (points > 0).any(axis=1)
    middle, extent = values[1:3] * size, values[3:5] * size
    box = clip_box([*(middle - extent / 2), *extent], *size)
    return int(values[0]), Pose(
        image=image,
        keypoints=points[:, :2] * size,
        visible=visible,
        box=None if box is None else np.array(box, np.float64),
        image_size=size,
    )
