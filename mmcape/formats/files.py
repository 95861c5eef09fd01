"""Reading annotation files, and finding the images that they name."""

from __future__ import annotations

import json
import os.path as osp
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2

from mmcape.utils.input_error import InputError

from .poses import Pose

_DEPTH = 4
"""How many folders above an annotation file its images may be named from."""


def read_json(path: Path) -> Any:
    """Content of a JSON file.

    Raises:
        InputError: If it is missing or no JSON.
    """
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except OSError as error:
        raise InputError(f'{path} cannot be read: {error.strerror}') from error
    except ValueError as error:
        raise InputError(f'{path} is not valid JSON: {error}') from error


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file; its folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps(content, indent=1, allow_nan=False, default=_plain),
        encoding='utf-8',
    )


def _plain(value: Any) -> Any:
    """Numbers and arrays of numpy as those of Python."""
    return value.tolist()


def image_size(pose: Pose) -> tuple[int, int]:
    """``(w, h)`` of a pose's image, read from it if need be.

    Raises:
        InputError: If it is not known and the image cannot be read.
    """
    if pose.image_size is not None:
        return pose.image_size
    image = cv2.imread(pose.image)
    if image is None:
        raise InputError(f'image {pose.image} cannot be read for its size')
    return image.shape[1], image.shape[0]


def find_image(name: str, file: Path, img_root: str | Path | None) -> str:
    """Path of an image that an annotation file names.

    Args:
        name: As in the file.
        file: The annotation file.
        img_root: Folder that names are relative to. By default it is looked
            for: the file's folder and those above it, and 'images' therein.

    Raises:
        InputError: If there is no such image.
    """
    relative = Path(*name.replace('\\', '/').split('/'))
    if name.startswith('/'):
        relative = Path(name)
    roots = list(_roots(file, img_root))
    places = [root / relative for root in roots]
    # a table that moved with its images names the folder they came from
    places += [root / relative.name for root in roots[:1]]
    for place in places:
        if place.is_file():
            return osp.normpath(place)
    where = img_root or f'near {file}'
    raise InputError(
        f'{file} names the image {name}, which is not found {where}: give '
        'the folder of the images'
    )


def _roots(file: Path, img_root: str | Path | None) -> Iterator[Path]:
    if img_root is not None:
        yield Path(img_root)
        return
    for folder in list(file.absolute().parents)[:_DEPTH]:
        yield folder
        yield folder / 'images'
