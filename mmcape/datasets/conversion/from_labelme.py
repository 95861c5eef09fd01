"""A folder of labelme files: points that share a group id.

The label of a point names a keypoint. The points of one group id are one
object; a rectangle or polygon with that group id gives its category and box.
Without group ids, a file holds one object.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmcape.utils.json_files import JsonError, read_json

from ..preparation.image_files import BrokenImageError, image_size
from .own_data import (
    Box,
    Category,
    ConversionError,
    Instance,
    OwnData,
    OwnImage,
)

OUTLINES = ('rectangle', 'polygon')

Shape = Mapping[str, Any]
_Found = tuple[str, str, dict[str, tuple[float, float, int]], 'Box | None']


def read_labelme(
    root: Path,
    category: str | None = None,
    keypoints: Sequence[str] | None = None,
) -> OwnData:
    """Read a folder of labelme files.

    Args:
        root: The folder; sub-folders belong to it.
        category: Category of objects without a rectangle or polygon.
        keypoints: Names of the keypoints in the order wanted; by default in
            the order in which they are met.

    Raises:
        ConversionError: If a file can be read in no way, or in several;
            names file and label.
    """
    root = Path(os.path.abspath(root))
    files = sorted(root.rglob('*.json'))
    if not files:
        raise ConversionError(f'{root} has no labelme files (*.json)')
    data = OwnData()
    found: list[_Found] = []
    for path in files:
        content = _read(path)
        image = _image(content, path, root)
        name = image.path.relative_to(root).as_posix()
        groups = _groups(content['shapes'], path)
        if name in data.images:
            raise ConversionError(
                f'{path}: image {name} is annotated by another file as well'
            )
        if groups:
            data.images[name] = image
        else:
            data.unlabelled += 1
        for group, shapes in groups.items():
            kind, points, box = _object(shapes, group, category, path)
            found.append((name, kind, points, box))

    names = _keypoint_names(found, keypoints, root)
    for kind, kind_names in names.items():
        data.add_category(kind, Category(tuple(kind_names)), root)
    for name, kind, points, box in found:
        triples = [points.get(key, (0.0, 0.0, 0)) for key in names[kind]]
        data.instances.append(
            Instance(name, kind, np.array(triples, float), box)
        )
    return data


def _read(path: Path) -> dict[str, Any]:
    try:
        content = read_json(path)
    except JsonError as error:
        raise ConversionError(str(error)) from error
    shapes = content.get('shapes') if isinstance(content, dict) else None
    if not isinstance(shapes, list) or not isinstance(
        content.get('imagePath'), str
    ):
        raise ConversionError(
            f'{path} is no labelme file: it needs `shapes` and `imagePath`'
        )
    return content


def _image(content: Mapping[str, Any], path: Path, root: Path) -> OwnImage:
    name = content['imagePath'].replace('\\', '/')
    image = Path(os.path.normpath(path.parent / name))
    if root not in image.parents:
        raise ConversionError(
            f'{path}: imagePath {name!r} leaves the folder {root}; move '
            'image and file below one folder'
        )
    try:
        size = image_size(image)
    except BrokenImageError as error:
        raise ConversionError(f'{path}: imagePath {name!r}: {error}') from None
    stated = (content.get('imageWidth'), content.get('imageHeight'))
    if None not in stated and stated != size:
        raise ConversionError(
            f'{path}: imageWidth and imageHeight are {stated}, but {image} '
            f'has {size} pixels; annotate the image that is there'
        )
    return OwnImage(image, size)


def _groups(
    shapes: Iterable[Shape], path: Path
) -> dict[int | str | None, list[Shape]]:
    """Shapes by group id; refuses files where only some have one."""
    groups: dict[int | str | None, list[Shape]] = defaultdict(list)
    for number, shape in enumerate(shapes):
        if not isinstance(shape, dict) or not isinstance(
            shape.get('label'), str
        ):
            raise ConversionError(f'{path}: shapes[{number}] has no `label`')
        if not _are_points(shape.get('points')):
            raise ConversionError(
                f'{path}: `points` of {shape["label"]!r} (shapes[{number}]) '
                'are no list of x, y'
            )
        group = shape.get('group_id')
        if not isinstance(group, (int, str, type(None))):
            raise ConversionError(
                f'{path}: group_id of {shape["label"]!r} (shapes[{number}]) '
                f'is {group!r}, no number'
            )
        groups[group].append(shape)
    if None in groups and len(groups) > 1:
        labels = [shape['label'] for shape in groups[None]]
        raise ConversionError(
            f'{path}: {labels} have no group_id but other shapes have one; '
            'give all shapes of an object the same group_id'
        )
    return groups


def _are_points(value: Any) -> bool:
    try:
        array = np.array(value, float)
    except (OverflowError, TypeError, ValueError):
        return False
    return (
        array.ndim == 2
        and array.shape[1] == 2
        and len(array) > 0
        and bool(np.isfinite(array).all())
    )


def _object(
    shapes: Sequence[Shape],
    group: int | str | None,
    category: str | None,
    path: Path,
) -> tuple[str, dict[str, tuple[float, float, int]], Box | None]:
    """Category, keypoints and box of the shapes of one object."""
    where = f'{path}, ' + (
        'shapes without group_id' if group is None else f'group_id {group}'
    )
    points: dict[str, tuple[float, float, int]] = {}
    outlines = []
    for shape in shapes:
        kind, label = shape.get('shape_type', 'polygon'), shape['label']
        if kind in OUTLINES:
            outlines.append(shape)
        elif kind != 'point':
            raise ConversionError(
                f'{where}: {label!r} is a {kind}; remove it, keypoints are '
                'points and objects rectangles or polygons'
            )
        elif label in points:
            raise ConversionError(
                f'{where}: {label!r} is there twice; give each object a '
                'group_id of its own, and each of its keypoints its own label'
            )
        else:
            (x, y) = shape['points'][0]
            flags = shape.get('flags')
            occluded = isinstance(flags, dict) and flags.get('occluded')
            points[label] = (float(x), float(y), 1 if occluded else 2)
    if len(outlines) > 1:
        labels = [shape['label'] for shape in outlines]
        raise ConversionError(
            f'{where}: {labels} are several rectangles or polygons for one '
            'object; give each object a group_id of its own'
        )
    if not points:
        raise ConversionError(
            f'{where}: {outlines[0]["label"]!r} has no points with its '
            'group_id'
        )
    if outlines:
        corners = np.array(outlines[0]['points'], float)
        (x, y), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
        width, height = right - x, bottom - y
        box = float(x), float(y), float(width), float(height)
        return outlines[0]['label'], points, box
    if category is None:
        raise ConversionError(
            f'{where}: no rectangle or polygon names the category; draw one '
            'with the same group_id, or use --category'
        )
    return category, points, None


def _keypoint_names(
    found: Sequence[_Found], given: Sequence[str] | None, root: Path
) -> dict[str, list[str]]:
    """Names of each category's keypoints, in order."""
    names: dict[str, list[str]] = {}
    for image, kind, points, _ in found:
        known = names.setdefault(kind, list(given or ()))
        for label in points:
            if label in known:
                continue
            if given is not None:
                raise ConversionError(
                    f'{root / image}: {label!r} is none of the keypoints '
                    f'{list(given)}; correct the label or --keypoints'
                )
            known.append(label)
    return names
