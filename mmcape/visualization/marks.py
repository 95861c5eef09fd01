"""Marks of keypoints, whose sizes go with the picture that they are in."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import cv2
import numpy as np

Edges = Sequence[tuple[int, int]]
Colour = tuple[int, int, int]

PANEL = 384
"""Side at which sizes are as written below, in pixels."""
WHITE, DARK, RED = (255, 255, 255), (40, 40, 40), (235, 30, 30)
_CROWD = 25
"""With more keypoints than that, marks become smaller."""
_BITS = 4  # of fractions of a pixel, for OpenCV
_REACH = 8.0
RING = 1.75
"""Radius of a ring around a dot of radius 1."""


def colour(index: int, count: int) -> Colour:
    """RGB colour of a keypoint, spread around the colour circle."""
    r, g, b = colorsys.hsv_to_rgb(index / max(count, 1), 1.0, 0.95)
    return int(255 * r), int(255 * g), int(255 * b)


def unit_of(image: np.ndarray, count: int = 1) -> float:
    """What a pixel of a panel is in an image, for marks of a crowd.

    Small panels have larger marks than in proportion.

    Args:
        image: (H, W, 3).
        count: Number of keypoints that share the image.
    """
    crowd = np.clip((_CROWD / max(count, 1)) ** 0.5, 0.55, 1.0)
    return float(max(max(image.shape[:2]) / PANEL, 0.8) * crowd)


def radius_of(image: np.ndarray, count: int = 1) -> float:
    """Radius of a keypoint's dot with its rim, in pixels."""
    return 5.5 * unit_of(image, count)


def draw_keypoints(
    image: np.ndarray,
    keypoints: np.ndarray,
    drawn: np.ndarray,
    skeleton: Edges = (),
) -> None:
    """Draw keypoints and their connections into an image, in place.

    Args:
        image: (H, W, 3) uint8 RGB.
        keypoints: (K, 2) in pixels.
        drawn: (K,) bool, which ones to draw.
        skeleton: Pairs of keypoints to connect, counted from 0.
    """
    count = int(np.sum(drawn))
    unit, radius = unit_of(image, count), radius_of(image, count)
    for i, j in skeleton:
        if drawn[i] and drawn[j]:
            ends = keypoints[[i, j]]
            _line(image, ends, WHITE, 3.2 * unit)
            _line(image, ends, DARK, 1.4 * unit)
    for i in np.flatnonzero(drawn):
        _dot(image, keypoints[i], radius, WHITE)
        _dot(image, keypoints[i], 0.75 * radius, colour(i, len(drawn)))


def draw_rings(
    image: np.ndarray, keypoints: np.ndarray, drawn: np.ndarray
) -> None:
    """Draw a red ring around keypoints, in place; arguments as above."""
    count = int(np.sum(drawn))
    unit, radius = unit_of(image, count), radius_of(image, count)
    for i in np.flatnonzero(drawn):
        _ring(image, keypoints[i], RING * radius, WHITE, 3.2 * unit)
        _ring(image, keypoints[i], RING * radius, RED, 2.0 * unit)


def draw_crosses(
    image: np.ndarray, keypoints: np.ndarray, drawn: np.ndarray
) -> None:
    """Draw a cross at places where keypoints should be, in place."""
    count = int(np.sum(drawn))
    unit, arm = unit_of(image, count), 0.9 * radius_of(image, count)
    for i in np.flatnonzero(drawn):
        for diagonal in ([arm, arm], [arm, -arm]):
            ends = keypoints[i] + np.array([diagonal, np.negative(diagonal)])
            _line(image, ends, WHITE, 4.0 * unit)
            _line(image, ends, colour(i, len(drawn)), 2.0 * unit)


def draw_walks(
    image: np.ndarray, walks: np.ndarray, drawn: np.ndarray
) -> None:
    """Draw the way of each keypoint, hollow at its start, in place.

    One that has not moved yet is full.

    Args:
        image: (H, W, 3) uint8 RGB.
        walks: (steps, K, 2) in pixels; the first is the start.
        drawn: (K,) bool, which ones to draw.
    """
    count = int(np.sum(drawn))
    unit, radius = unit_of(image, count), radius_of(image, count)
    for i in np.flatnonzero(drawn):
        shade = colour(i, len(drawn))
        for ends in zip(walks[:-1, i], walks[1:, i]):
            _line(image, np.stack(ends), WHITE, 4.0 * unit)
        for ends in zip(walks[:-1, i], walks[1:, i]):
            _line(image, np.stack(ends), shade, 2.0 * unit)
        for place in walks[1:-1, i]:
            _dot(image, place, 0.45 * radius, WHITE)
            _dot(image, place, 0.3 * radius, shade)
        if len(walks) > 1:
            _ring(image, walks[0, i], 0.7 * radius, WHITE, 3.4 * unit)
            _ring(image, walks[0, i], 0.7 * radius, shade, 1.8 * unit)
        _dot(image, walks[-1, i], 0.8 * radius, WHITE)
        _dot(image, walks[-1, i], 0.6 * radius, shade)


def draw_box(image: np.ndarray, box: np.ndarray) -> None:
    """Draw a box (4,), corners in pixels, in place."""
    x1, y1, x2, y2 = box
    corners = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2], [x1, y1]])
    for ends in zip(corners[:-1], corners[1:]):
        _line(image, np.stack(ends), (255, 200, 0), 1.5 * unit_of(image))


def _line(
    image: np.ndarray, ends: np.ndarray, shade: Colour, width: float
) -> None:
    first, second = (_fixed(image, place) for place in ends)
    thickness = max(1, round(width))
    cv2.line(image, first, second, shade, thickness, cv2.LINE_AA, _BITS)


def _dot(
    image: np.ndarray, place: np.ndarray, radius: float, shade: Colour
) -> None:
    size = round(radius * 2**_BITS)
    where = _fixed(image, place)
    cv2.circle(image, where, size, shade, -1, cv2.LINE_AA, _BITS)


def _ring(
    image: np.ndarray,
    place: np.ndarray,
    radius: float,
    shade: Colour,
    width: float,
) -> None:
    size, thickness = round(radius * 2**_BITS), max(1, round(width))
    where = _fixed(image, place)
    cv2.circle(image, where, size, shade, thickness, cv2.LINE_AA, _BITS)


def _fixed(image: np.ndarray, place: np.ndarray) -> tuple[int, int]:
    """A place in OpenCV's fixed-point numbers, which far ones overflow."""
    reach = _REACH * max(image.shape[:2])
    x, y = np.rint(np.clip(place, -reach, reach) * 2**_BITS).astype(int)
    return int(x), int(y)
