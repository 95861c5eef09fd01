"""One image of one puppet and its annotation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from .anatomy import Species
from .appearance import Image, random_coat
from .clutter import draw_background, draw_occluder
from .drawing import Mask, draw_parts
from .pose import landmark_points, place_body, pose_parts, silhouette
from .shapes import Array

MIN_VISIBLE = 3


@dataclass(frozen=True)
class Variation:
    """How far the instances of a species may differ.

    Attributes:
        rotation: Largest turn away from the heading of the species, in
            degrees; 180 is any direction.
        hue: Largest change of hue, in degrees, of each of the species'
            colours; 0 leaves saturation and value as they are, too.
    """

    rotation: float = 90.0
    hue: float = 60.0


DEFAULT_VARIATION = Variation()


@dataclass(frozen=True, eq=False)
class Scene:
    """A drawn instance.

    Attributes:
        image: (H, W, 3) uint8, BGR.
        points: (K, 2) pixel (x, y), also of keypoints that are not visible.
        visible: (K,) bool; False if occluded or out of the image.
        bbox: (x, y, w, h) of the silhouette inside the image, whether or
            not something covers it.
        area: Pixels of that silhouette.
    """

    image: npt.NDArray[np.uint8]
    points: Array
    visible: npt.NDArray[np.bool_]
    bbox: tuple[float, float, float, float]
    area: float


def draw_scene(
    species: Species,
    bystanders: Sequence[Species],
    variation: Variation,
    rng: np.random.Generator,
) -> Scene:
    """Draws an instance with at least `MIN_VISIBLE` visible keypoints.

    Args:
        species: The category.
        bystanders: Species for clutter and occluders.
        variation: How far it may differ from the others.
        rng: Source of everything random.
    """
    scene = _draw_once(species, bystanders, variation, rng)
    while np.count_nonzero(scene.visible) < MIN_VISIBLE:
        scene = _draw_once(species, bystanders, variation, rng)
    return scene


def _draw_once(
    species: Species,
    bystanders: Sequence[Species],
    variation: Variation,
    rng: np.random.Generator,
) -> Scene:
    """Draws an instance, however little of it may be visible."""
    width, height = (int(side) for side in rng.integers(160, 257, size=2))
    parts_to_body = pose_parts(species, rng)
    outline = silhouette(species, parts_to_body)
    turn = np.radians(variation.rotation) * rng.uniform(-1.0, 1.0)
    angle = species.heading + turn
    view = place_body(outline, (width, height), angle, rng)
    matrices = view @ parts_to_body

    canvas = draw_background((width, height), bystanders, rng)
    coat = random_coat(rng, variation.hue / 360)
    parts = [
        replace(part, texture=part.texture.recoloured(coat))
        for part in species.parts
    ]
    covered = draw_parts(canvas, parts, matrices)
    bbox = _tight_box(covered)
    hidden = _occlude(canvas, bystanders, bbox, rng)

    points = landmark_points(species, matrices)
    return Scene(
        image=_photograph(canvas, rng),
        points=points,
        visible=_visible(points, hidden),
        bbox=bbox,
        area=float(np.count_nonzero(covered > 127)),
    )


def _occlude(
    canvas: Image,
    bystanders: Sequence[Species],
    bbox: tuple[float, float, float, float],
    rng: np.random.Generator,
) -> Mask:
    """Draws up to four occluders inside a box, returns their coverage."""
    hidden = np.zeros(canvas.shape[:2], dtype=np.uint8)
    left, top, width, height = bbox
    for _ in range(int(rng.integers(0, 5))):
        centre = (
            left + width * rng.uniform(0.1, 0.9),
            top + height * rng.uniform(0.1, 0.9),
        )
        extent = max(width, height)
        mask = draw_occluder(canvas, bystanders, centre, extent, rng)
        np.maximum(hidden, mask, out=hidden)
    return hidden


def _tight_box(covered: Mask) -> tuple[float, float, float, float]:
    """Returns the (x, y, w, h) of the covered pixels, edges included."""
    columns = np.flatnonzero((covered > 127).any(axis=0))
    rows = np.flatnonzero((covered > 127).any(axis=1))
    left, top = float(columns[0]), float(rows[0])
    return left, top, columns[-1] + 1.0 - left, rows[-1] + 1.0 - top


def _visible(points: Array, hidden: Mask) -> npt.NDArray[np.bool_]:
    """Returns which points are in the image and under no occluder."""
    height, width = hidden.shape
    near = np.round(points).astype(int)
    inside = ((near >= 0) & (near < (width, height))).all(axis=1)
    near = np.clip(near, 0, (width - 1, height - 1))
    return inside & (hidden[near[:, 1], near[:, 0]] <= 127)


def _photograph(
    canvas: Image, rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Returns the image under random light, colours, focus and noise."""
    height, width = canvas.shape[:2]
    slope = rng.uniform(-0.25, 0.25, size=2).astype(np.float32)
    across = np.linspace(-1, 1, width, dtype=np.float32)
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    light = 1 + slope[0] * across + slope[1] * down

    lit = cv2.transform(canvas, _colour_matrix(rng)) * light[..., None]
    contrast = np.float32(rng.uniform(0.8, 1.15))
    lit = 128 + contrast * (lit - 128) + np.float32(rng.uniform(-20, 20))
    sigma = rng.uniform(0.0, 1.0)
    if sigma > 0.3:
        lit = cv2.GaussianBlur(lit, (5, 5), sigma)
    strength = np.float32(rng.uniform(0.0, 9.0))
    noise = rng.standard_normal(lit.shape, dtype=np.float32)
    return np.clip(lit + strength * noise, 0, 255).astype(np.uint8)


def _colour_matrix(rng: np.random.Generator) -> Array:
    """Returns a 3x3 change of hue (up to 17 degrees) and saturation."""
    turn = rng.uniform(-0.3, 0.3)
    saturation = rng.uniform(0.7, 1.1)
    grey = np.full((3, 3), 1 / 3)
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    chroma = np.cos(turn) * (np.eye(3) - grey) + np.sin(turn) * cross
    return grey + saturation * chroma
