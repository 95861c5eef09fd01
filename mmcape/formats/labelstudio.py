"""Label Studio's JSON export: a task an image, points in per cent of it.

Label Studio has no skeletons. Points belong to the rectangle that they are
related to or drawn as parts of, or else to the smallest one around them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from mmcape.datasets.annotation_checks import are_numbers
from mmcape.datasets.instances import clip_box
from mmcape.utils.input_error import InputError

from .categories import choose_category
from .files import find_image, read_json
from .poses import LabelledPoses, NamedPoints, all_names

_UPLOAD_PREFIX = re.compile(r'^[0-9a-f]{8}-')
"""What Label Studio puts before the names of uploaded images."""
_IMAGE_NAME = re.compile(
    r'\.(jpe?g|png|bmp|tiff?|webp|gif)($|[?#&])', re.IGNORECASE
)


def read_labelstudio(
    path: str | Path,
    category: str | int | None = None,
    img_root: str | Path | None = None,
) -> LabelledPoses:
    """Read the first finished annotation of each task.

    Points are taken as widths and heights of the image, as Label Studio's own
    conversions do. A rectangle is the box of its points, and its label the
    category; points outside of all rectangles are one instance.

    Args:
        path: The export "JSON" (not JSON-MIN) of a project with
            KeyPointLabels.
        category: Label of the rectangles; needed where they have several.
        img_root: Folder of the images, which are looked for by their name at
            upload, too.

    Raises:
        InputError: If it is no such export, or images are missing.
    """
    path = Path(path)
    tasks = read_json(path)
    found: list[tuple[str, NamedPoints, dict[str, Any]]] = []
    try:
        for number, task in enumerate(tasks, start=1):
            regions = _regions(task)
            if not any(_is_point(region) for region in regions):
                continue
            where = f'{path}, task {task.get("id", number)}'
            size = _size(regions, where)
            image = _find_image(task, path, img_root, where)
            known = dict(image=image, image_size=size)
            for label, instance in _instances(regions, size, where):
                found.append((label, instance, known))
    except InputError:
        raise
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        raise InputError(
            f'{path} is no JSON export of Label Studio (not JSON-MIN) with '
            f'KeyPointLabels: {type(error).__name__}: {error}'
        ) from error
    if not found:
        raise InputError(f'{path} has no task with a labelled keypoint')

    used = {label: label for label, _, _ in found}
    chosen = choose_category(used, category if len(used) > 1 else None, path)
    kept = [(one, known) for label, one, known in found if label == chosen]
    names = all_names([one for one, _ in kept])
    return LabelledPoses(
        names=names,
        poses=[one.as_pose(names=names, **known) for one, known in kept],
        category=chosen,
    )


def _is_point(region: dict[str, Any]) -> bool:
    return region.get('type') == 'keypointlabels'


def _regions(task: dict[str, Any]) -> list[dict[str, Any]]:
    """What is drawn in the first annotation that was not cancelled."""
    for annotation in task['annotations']:
        if not annotation.get('was_cancelled'):
            return list(annotation['result'])
    return []


def _size(regions: list[dict[str, Any]], where: str) -> tuple[int, int]:
    """``(w, h)`` of a task's image."""
    point = next(filter(_is_point, regions))
    size = point.get('original_width', 0), point.get('original_height', 0)
    if not are_numbers([*size], 2) or min(size) < 1 or max(size) > 1e6:
        raise InputError(f'{where} has no size of its image: {size}')
    if point.get('image_rotation'):
        raise InputError(
            f'{where}: its image is turned; turn it back and export again'
        )
    return int(size[0]), int(size[1])


def _find_image(
    task: dict[str, Any], path: Path, img_root: str | Path | None, where: str
) -> str:
    """Path of a task's image, by its address, its name, or that at upload."""
    addresses = [
        value
        for value in task['data'].values()
        if isinstance(value, str) and _IMAGE_NAME.search(value)
    ]
    if not addresses:
        raise InputError(f'{where} names no image in its `data`')
    parts = urlsplit(addresses[0])
    (address,) = parse_qs(parts.query).get('d', [unquote(parts.path)])
    name = address.rsplit('/', 1)[-1]
    places = [address.lstrip('/'), name, _UPLOAD_PREFIX.sub('', name)]
    for place in places[:-1]:
        try:
            return find_image(place, path, img_root)
        except InputError:
            continue
    return find_image(places[-1], path, img_root)


def _instances(
    regions: list[dict[str, Any]], size: tuple[int, int], where: str
) -> Iterator[tuple[str, NamedPoints]]:
    """Label and points of each instance with points."""
    instances: dict[str | None, tuple[str, NamedPoints]] = {}
    boxes: dict[str, np.ndarray] = {}
    for region in regions:
        if region.get('type') == 'rectanglelabels':
            box = clip_box(_rectangle(region['value'], size), *size)
            if box is not None:
                boxes[region['id']] = np.array(box, np.float64)
                label = str(region['value']['rectanglelabels'][0])
                instance = NamedPoints(box=boxes[region['id']])
                instances[region['id']] = (label, instance)
    instances[None] = ('object', NamedPoints())
    owners = _owners(regions, boxes)
    for region in filter(_is_point, regions):
        point = _pixels(region['value']['x'], region['value']['y'], size)
        owner = owners.get(region.get('id')) or _around(point, boxes)
        name = str(region['value']['keypointlabels'][0])
        points = instances[owner][1].points
        if name in points:
            raise InputError(
                f'{where}: an instance has two points {name!r}; draw a '
                'rectangle around each instance and its points'
            )
        points[name] = point
    return (one for one in instances.values() if one[1].points)


def _pixels(x: float, y: float, size: tuple[int, int]) -> tuple[float, float]:
    if not are_numbers([x, y], 2) or max(abs(x), abs(y)) > 1e6:
        raise ValueError(f'{x}, {y} are no parts of an image')
    return x * size[0] / 100, y * size[1] / 100


def _rectangle(value: dict[str, Any], size: tuple[int, int]) -> list[float]:
    """``[x, y, w, h]`` in pixels around a rectangle, which may be turned."""
    start = np.array(_pixels(value['x'], value['y'], size))
    width, height = _pixels(value['width'], value['height'], size)
    angle = np.deg2rad(float(value.get('rotation') or 0))
    along = np.array([np.cos(angle), np.sin(angle)]) * width
    down = np.array([-np.sin(angle), np.cos(angle)]) * height
    corners = start + np.stack([0 * along, along, down, along + down])
    low = corners.min(axis=0)
    return [*low.tolist(), *(corners.max(axis=0) - low).tolist()]


def _owners(
    regions: list[dict[str, Any]], boxes: dict[str, np.ndarray]
) -> dict[Any, str]:
    """Rectangles of points by relations, either way, and by parents."""
    owners = {}
    for region in regions:
        if region.get('type') == 'relation':
            ends = region['from_id'], region['to_id']
        else:
            ends = region.get('id'), region.get('parentID')
        for point, box in (ends, ends[::-1]):
            if box in boxes:
                owners[point] = box
    return owners


def _around(
    point: tuple[float, float], boxes: dict[str, np.ndarray]
) -> str | None:
    """The smallest box around a point."""
    around = {
        np.prod(box[2:] - box[:2]): key
        for key, box in boxes.items()
        if (box[:2] <= point).all() and (point <= box[2:] + 1).all()
    }
    return around[min(around)] if around else None
