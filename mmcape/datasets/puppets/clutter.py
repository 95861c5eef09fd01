"""What surrounds a puppet: backgrounds, stray pieces and occluders."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .anatomy import Species
from .appearance import Colour, Image, Texture, Wardrobe, hsv_colour
from .drawing import Mask, draw_parts, draw_shape
from .pose import (
    pose_parts,
    project,
    rotation,
    scaling,
    silhouette,
    translation,
)
from .shapes import Array, capsule, disc, polygon


def draw_background(
    size: tuple[int, int],
    bystanders: Sequence[Species],
    rng: np.random.Generator,
) -> Image:
    """Returns noise with polygons, lines and pieces of other species.

    Args:
        size: (width, height) in pixels.
        bystanders: Species the stray pieces are taken from.
        rng: Source of everything random.
    """
    canvas = _noise(size, rng)
    for _ in range(int(rng.integers(3, 9))):
        _draw_blob(canvas, rng)
    for _ in range(int(rng.integers(1, 4))):
        draw_piece(canvas, bystanders, _random_place(size, rng), rng)
    return canvas


def draw_occluder(
    canvas: Image,
    bystanders: Sequence[Species],
    centre: tuple[float, float],
    extent: float,
    rng: np.random.Generator,
) -> Mask:
    """Draws something over the puppet and returns its (H, W) coverage.

    Args:
        canvas: Changed in place.
        bystanders: Species the occluding pieces are taken from.
        centre: (x, y) in pixels.
        extent: Size of the puppet in pixels.
        rng: Source of everything random.
    """
    if rng.random() < 0.3:
        return draw_piece(canvas, bystanders, centre, rng)
    radius = extent * rng.uniform(0.08, 0.17)
    kind = rng.integers(3)
    outline = (
        disc(1.0),
        capsule(rng.uniform(2.0, 4.0), 0.5, 0.5) - (1.0, 0.0),
        _jagged(rng),
    )[kind]
    mask = np.zeros(canvas.shape[:2], dtype=np.uint8)
    matrix = (
        translation(*centre)
        @ rotation(rng.uniform(0, 2 * np.pi))
        @ scaling(radius)
    )
    draw_shape(canvas, mask, outline, matrix, Wardrobe(rng).texture())
    return mask


def draw_piece(
    canvas: Image,
    bystanders: Sequence[Species],
    centre: tuple[float, float],
    rng: np.random.Generator,
) -> Mask:
    """Draws a few joined parts of another species, returns coverage."""
    species = bystanders[int(rng.integers(len(bystanders)))]
    matrices = pose_parts(species, rng)
    chosen = [int(rng.integers(len(species.parts)))]
    wanted = int(rng.integers(2, 5))
    for index, part in enumerate(species.parts):
        if len(chosen) < wanted and part.parent in chosen:
            chosen.append(index)

    points = silhouette(species, matrices)
    extent = float(np.ptp(points, axis=0).max())
    factor = min(canvas.shape[:2]) * rng.uniform(0.5, 0.8) / extent
    start = project(matrices[chosen[0]], np.zeros((1, 2)))[0]
    view = (
        translation(*centre)
        @ rotation(rng.uniform(0, 2 * np.pi))
        @ scaling(factor)
        @ translation(*-start)
    )
    parts = [species.parts[index] for index in chosen]
    return draw_parts(canvas, parts, view @ matrices[chosen])


def _noise(size: tuple[int, int], rng: np.random.Generator) -> Image:
    """Returns a mix of two dull colours, cloudy at several scales."""
    first, second = (
        np.asarray(_dull_colour(rng), dtype=np.float32) for _ in range(2)
    )
    amount = np.zeros(size[::-1], dtype=np.float32)
    for cells, weight in ((3, 0.6), (9, 0.4), (40, 0.3)):
        grid = rng.uniform(-1, 1, size=(cells, cells)).astype(np.float32)
        amount += weight * cv2.resize(
            grid, size, interpolation=cv2.INTER_CUBIC
        )
    amount = np.clip(0.5 + amount, 0, 1)[..., None]
    return first + amount * (second - first)


def _draw_blob(canvas: Image, rng: np.random.Generator) -> None:
    """Draws a dull polygon or a line somewhere."""
    height, width = canvas.shape[:2]
    side = min(height, width)
    place = _random_place((width, height), rng)
    turned = translation(*place) @ rotation(rng.uniform(0, 2 * np.pi))
    if rng.random() < 0.5:
        outline = side * rng.uniform(0.1, 0.3) * _jagged(rng)
    else:
        thick = rng.uniform(0.005, 0.03) * side
        outline = capsule(rng.uniform(0.4, 1.2) * side, thick, thick)
    texture = Texture(
        pattern=str(rng.choice(['plain', 'gradient', 'stripes', 'checker'])),
        base=_dull_colour(rng),
        mark=_dull_colour(rng),
        cycles=float(rng.uniform(2, 6)),
    )
    unused = np.zeros((height, width), dtype=np.uint8)
    draw_shape(canvas, unused, outline, turned, texture)


def _jagged(rng: np.random.Generator) -> Array:
    """Returns a random polygon around the origin, about 1 in radius."""
    count = int(rng.integers(3, 8))
    turns = np.sort(rng.uniform(0, 2 * np.pi, size=count))
    radii = rng.uniform(0.6, 1.3, size=count)
    x, y = radii * np.cos(turns), radii * np.sin(turns)
    return polygon(list(zip(x.tolist(), y.tolist())))


def _dull_colour(rng: np.random.Generator) -> Colour:
    """Returns a colour of low saturation."""
    return hsv_colour(
        rng.uniform(), rng.uniform(0.0, 0.4), rng.uniform(0.25, 0.9)
    )


def _random_place(
    size: tuple[int, int], rng: np.random.Generator
) -> tuple[float, float]:
    """Returns (x, y) somewhere in the image."""
    return rng.uniform() * size[0], rng.uniform() * size[1]
