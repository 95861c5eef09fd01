"""Reading annotation files, and finding the images that they name."""

from __future__ import annotations

import json
import os.path as osp
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmcape.datasets.preparation import image_files
from mmcape.utils import json_files
from mmcape.utils.atomic_files import write_atomically
from mmcape.utils.input_error import InputError

from .poses import Pose

_CLIMB = 3
"""In which folder above an annotation file a name with '..' must stay."""
_DEPTH = 4
"""How many folders above an annotation file its images may be named from."""


def read_json(path: Path) -> Any:
    """Content of a JSON file.

    Raises:
        InputError: If it is missing or no JSON.
    """
    try:
        return json_files.read_json(path)
    except OSError as error:
        raise InputError(f'{path} cannot be read: {error.strerror}') from error
    except json_files.JsonError as error:
        raise InputError(str(error)) from error


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file; its folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=1, allow_nan=False, default=_plain)
    write_atomically(path, text.encode())


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
    try:
        return image_files.image_size(Path(pose.image))
    except image_files.BrokenImageError as error:
        raise InputError(
            f'image {pose.image} cannot be read for its size: {error}'
        ) from error


def find_image(name: str, file: Path, img_root: str | Path | None) -> str:
    """Path of an image that an annotation file names.

    A name cannot lead out of the folder that it is looked for in; but from
    the file's own folder it may, up to two folders above: labelme's files in
    a folder of results name images beside the results.

    Args:
        name: As in the file.
        file: The annotation file.
        img_root: Folder that names are relative to. By default it is looked
            for: the file's folder and those above it, and 'images' therein.

    Raises:
        InputError: If there is no such image.
    """
    relative = Path(name.replace('\\', '/'))
    roots = list(_roots(file, img_root))
    bounds = {root: root for root in roots}
    if img_root is None:
        bounds[roots[0]] = list(file.absolute().parents)[:_CLIMB][-1]
    if relative.is_absolute():
        roots = roots[:1]
    places = [
        root / relative
        for root in roots
        if _is_inside(root / relative, bounds[root])
    ]
    # a table that moved with its images names the folder they came from
    places += [root / relative.name for root in roots[:1]]
    for place in places:
        if osp.isfile(place):
            return osp.normpath(place)
    where = img_root or f'near {file}'
    raise InputError(
        f'{file} names the image {name}, which is not found {where}: give '
        'the folder of the images'
    )


def _is_inside(path: Path, folder: Path) -> bool:
    """Whether a path lies below a folder, by its name."""
    return Path(osp.abspath(folder)) in Path(osp.abspath(path)).parents


def _roots(file: Path, img_root: str | Path | None) -> Iterator[Path]:
    if img_root is not None:
        yield Path(img_root)
        return
    for folder in list(file.absolute().parents)[:_DEPTH]:
        yield folder
        yield folder / 'images'
