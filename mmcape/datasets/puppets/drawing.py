"""Draws textured outlines into float images (H, W, 3), BGR in 0..255."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from .anatomy import Part
from .appearance import Image, Texture
from .pose import project
from .shapes import Array

Mask = npt.NDArray[np.uint8]

# Sub-pixel bits of the coordinates handed to OpenCV.
_SHIFT = 4


def draw_parts(canvas: Image, parts: Sequence[Part], matrices: Array) -> Mask:
    """Draws parts by layer and returns their common silhouette.

    Args:
        canvas: Changed in place.
        parts: The pieces to draw.
        matrices: (len(parts), 3, 3), part frame -> image.

    Returns:
        (H, W) coverage in 0..255.
    """
    silhouette = np.zeros(canvas.shape[:2], dtype=np.uint8)
    for index in sorted(range(len(parts)), key=lambda i: parts[i].layer):
        part = parts[index]
        draw_shape(
            canvas, silhouette, part.outline, matrices[index], part.texture
        )
    return silhouette


def draw_shape(
    canvas: Image,
    silhouette: Mask,
    outline: Array,
    matrix: Array,
    texture: Texture,
) -> None:
    """Draws one textured outline with a dark rim.

    Args:
        canvas: (H, W, 3), changed in place.
        silhouette: (H, W) coverage, raised in place.
        outline: (N, 2) in the part frame.
        matrix: 3x3, part frame -> image.
        texture: Look of the inside.
    """
    corners = project(matrix, outline)
    limit = np.asarray(canvas.shape[1::-1])
    low = np.clip(np.floor(corners.min(axis=0)) - 1, 0, limit).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)) + 2, 0, limit).astype(int)
    width, height = (int(side) for side in high - low)
    if width <= 0 or height <= 0:
        return

    fixed = np.round((corners - low) * (1 << _SHIFT)).astype(np.int32)
    inside = np.zeros((height, width), dtype=np.uint8)
    rim = np.zeros((height, width), dtype=np.uint8)
    cv2.fillPoly(inside, [fixed], (255,), cv2.LINE_AA, _SHIFT)
    cv2.polylines(rim, [fixed], True, (150,), 1, cv2.LINE_AA, _SHIFT)

    colours = _shaded(outline, matrix, texture, low, (height, width))
    window = (slice(low[1], high[1]), slice(low[0], high[0]))
    patch = canvas[window]
    patch += (inside / np.float32(255))[..., None] * (colours - patch)
    patch *= 1 - (rim / np.float32(255))[..., None]
    np.maximum(silhouette[window], inside, out=silhouette[window])


def _shaded(
    outline: Array,
    matrix: Array,
    texture: Texture,
    low: npt.NDArray[np.int_],
    shape: tuple[int, int],
) -> Image:
    """Returns the texture seen through a window, darker at the sides."""
    # Closed form, unlike LAPACK's, which starts threads for nine numbers.
    inverse = np.asarray(cv2.invert(matrix)[1], dtype=np.float32)
    columns = np.arange(low[0], low[0] + shape[1], dtype=np.float32)
    rows = np.arange(low[1], low[1] + shape[0], dtype=np.float32)[:, None]
    x, y, scale = (a * columns + (b * rows + c) for a, b, c in inverse)
    x, y = x / scale, y / scale

    start, stop = outline[:, 0].min(), outline[:, 0].max()
    length = np.float32(stop - start)
    colours = texture.paint((x - np.float32(start)) / length, y / length)
    half = np.float32(np.abs(outline[:, 1]).max())
    shade = 1 - 0.3 * np.clip(y / half, -1, 1) ** 2
    return colours * shade[..., None]
