"""What must hold of an annotated picture, each part on its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Union

import numpy as np

from mmcape.utils.input_error import InputError

from .boxes import clip_corners, extent
from .pictures import Picture, check_picture, encode_picture, read_file

Edge = Sequence[Union[int, str]]
"""A pair of keypoints, each by its name or counted from 0."""


def picture_file(picture: Picture) -> bytes:
    """A picture as an image file, the one it comes from if there is one."""
    if isinstance(picture, np.ndarray):
        return encode_picture(check_picture(picture))
    return read_file(picture)


def picture_name(picture: Picture, shot: int) -> str:
    """What messages call a picture, the shot counted from 1."""
    if isinstance(picture, np.ndarray):
        return f'support image {shot}'
    return f'support image {picture}'


def shaped_array(
    values: Any, shape: tuple[int | None, ...], name: str
) -> np.ndarray:
    """An array of the shape (None is any); the first axis may be missing.

    Raises:
        InputError: If it has another shape.
    """
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f'`{name}` are not numbers: {error}') from error
    if array.ndim == len(shape) - 1 and shape[0] == 1:
        array = array[None]
    if array.ndim != len(shape) or any(
        wanted not in (None, found)
        for wanted, found in zip(shape, array.shape)
    ):
        wanted = ', '.join('K' if n is None else str(n) for n in shape)
        raise InputError(
            f'`{name}` have shape {array.shape}, for {shape[0]} support '
            f'image(s) it must be ({wanted})'
        )
    return array


def check_names(names: Sequence[str] | None, count: int) -> list[str]:
    """Names of K keypoints, by default by their numbers.

    Raises:
        InputError: If there are more or less than K, or two are equal.
    """
    if not count:
        raise InputError('a support needs at least one keypoint')
    if names is None:
        return [f'keypoint_{i}' for i in range(1, count + 1)]
    names = list(map(str, names))
    if len(names) != count:
        raise InputError(f'{len(names)} names for {count} keypoints')
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise InputError(f'several keypoints are called {sorted(twice)}')
    return names


def check_points(
    points: np.ndarray,
    shown: np.ndarray,
    size: tuple[int, int],
    names: Sequence[str],
    where: str,
) -> None:
    """Refuse visible points (K, 2) outside an image of size (w, h).

    Raises:
        InputError: If there is one.
    """
    for index in np.flatnonzero(shown):
        x, y = points[index]
        if not (0 <= x <= size[0] and 0 <= y <= size[1]):
            raise InputError(
                f'keypoint {names[index]!r} of {where} is at ({x:g}, {y:g}), '
                f'outside of its {size[0]} x {size[1]} pixels: correct it, '
                'or say that it is not visible'
            )


def check_boxes(
    boxes: Any,
    points: np.ndarray,
    shown: np.ndarray,
    sizes: Sequence[tuple[int, int]],
) -> np.ndarray:
    """Boxes (S, 4), by default the extent of the visible keypoints.

    Raises:
        InputError: If one has no area within its image.
    """
    if boxes is None:
        corners = [
            extent(points[shot][shown[shot]]) for shot in range(len(sizes))
        ]
    else:
        corners = list(shaped_array(boxes, (len(sizes), 4), 'boxes'))
    return np.stack(
        [
            clip_corners(box, size, f'of support image {shot}')
            for shot, (box, size) in enumerate(zip(corners, sizes), start=1)
        ]
    )


def check_skeleton(
    skeleton: Sequence[Edge], names: Sequence[str]
) -> list[tuple[int, int]]:
    """Edges as pairs of positions.

    Raises:
        InputError: If one is no pair of the keypoints.
    """
    place = {name: index for index, name in enumerate(names)}
    edges = []
    for edge in skeleton:
        ends = [
            place.get(end, -1) if isinstance(end, str) else int(end)
            for end in edge
        ]
        if len(ends) != 2 or not all(0 <= end < len(names) for end in ends):
            raise InputError(
                f'skeleton edge {edge!r} is no pair of the {len(names)} '
                'keypoints (by name, or counted from 0)'
            )
        edges.append((ends[0], ends[1]))
    return edges
