"""A contact sheet: instances of the first test species, annotated."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from .appearance import hsv_colour
from .scene import DEFAULT_VARIATION, Scene, Variation, draw_scene
from .species import FAMILIES, SPLITS, make_bystanders, make_species

_TILE = 120
_GAP = 6

Picture = npt.NDArray[np.uint8]


def contact_sheet(
    seed: int = 0, variation: Variation = DEFAULT_VARIATION
) -> Picture:
    """Returns four instances of one test species of every family.

    The same keypoint has the same colour in all four, the first one shows
    the skeleton as well. They are other instances than those of the data set.

    Args:
        seed: Seed of the data set.
        variation: How far the instances of a species differ.

    Returns:
        (H, W, 3) uint8, BGR; two species side by side in every row.
    """
    bystanders = make_bystanders(seed)
    strips: list[Picture] = []
    for index in range(len(FAMILIES) + len(FAMILIES) % 2):
        species = make_species(seed, SPLITS.index('test'), index)
        rng = np.random.default_rng([seed, index])
        tiles = [
            _tile(draw_scene(species, bystanders, variation, rng), links)
            for links in (species.links, (), (), ())
        ]
        strips.append(_join(tiles, 0, axis=1))
    rows = [
        _join(strips[start : start + 2], _GAP, axis=1)
        for start in range(0, len(strips), 2)
    ]
    return _join(rows, _GAP, axis=0)


def _tile(scene: Scene, links: tuple[tuple[int, int], ...]) -> Picture:
    """Returns a square around the box with links and visible keypoints."""
    left, top, width, height = scene.bbox
    factor = _TILE / (1.2 * max(width, height))
    shift = _TILE / 2 - factor * np.array([left + width / 2, top + height / 2])
    crop = np.array([[factor, 0.0, shift[0]], [0.0, factor, shift[1]]])
    tile = cv2.warpAffine(
        scene.image,
        crop,
        (_TILE, _TILE),
        flags=cv2.INTER_AREA,
        borderValue=(128, 128, 128),
    )
    places = np.round(16 * (factor * scene.points + shift)).astype(int)
    for first, last in links:
        if scene.visible[first] and scene.visible[last]:
            ends = (places[first].tolist(), places[last].tolist())
            cv2.line(tile, *ends, (255, 255, 255), 1, cv2.LINE_AA, 4)
    for index in np.flatnonzero(scene.visible):
        centre = places[index].tolist()
        colour = hsv_colour(index / len(places), 0.9, 1.0)
        cv2.circle(tile, centre, 56, (0, 0, 0), -1, cv2.LINE_AA, 4)
        cv2.circle(tile, centre, 38, colour, -1, cv2.LINE_AA, 4)
    return tile.astype(np.uint8)


def _join(pictures: list[Picture], gap: int, axis: int) -> Picture:
    """Returns pictures of equal size in a row (axis 1) or column (0)."""
    padding = [(0, 0), (0, 0), (0, 0)]
    padding[axis] = (gap, 0)
    padded = [
        np.pad(one, padding, constant_values=255) for one in pictures[1:]
    ]
    return np.concatenate([pictures[0], *padded], axis=axis)
