"""Panels with captions, and figures made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import mmcv
import numpy as np

from .text import caption

GAP = 6
BACKDROP = (64, 64, 64)


@dataclass(frozen=True)
class View:
    """A square picture to draw upon, and where points lie in it."""

    picture: np.ndarray
    """(side, side, 3) uint8 RGB."""
    zoom: float
    """Pixels of the view per pixel of what it shows."""
    corner: np.ndarray
    """(2,) what lies in the view's upper left corner."""

    def place(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 2) of what the view shows, in its pixels."""
        return (points - self.corner) * self.zoom


def view(
    image: np.ndarray, centre: np.ndarray, side: float, panel: int
) -> View:
    """The square around a centre, enlarged or reduced to a panel.

    Args:
        image: (H, W, 3) uint8 RGB; what lies outside of it is grey.
        centre: (2,) in pixels of the image.
        side: Side of the square, in pixels of the image.
        panel: Side of the result.
    """
    corner, zoom = np.asarray(centre) - side / 2, panel / side
    ratio = np.ones(2)
    if zoom < 0.5:  # warping alone would leave pixels out
        size = np.array(image.shape[1::-1])
        reduced = np.maximum(np.rint(2 * zoom * size), 1).astype(int)
        image = cv2.resize(
            image, reduced.tolist(), interpolation=cv2.INTER_AREA
        )
        ratio = size / reduced

    # pixel centres lie at whole numbers
    scale, shift = zoom * ratio, zoom * (ratio / 2 - 0.5 - corner)
    picture = cv2.warpAffine(
        image,
        np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]]]),
        (panel, panel),
        flags=cv2.INTER_CUBIC if zoom > 1 else cv2.INTER_LINEAR,
        borderValue=BACKDROP,
    )
    return View(picture, zoom, corner)


def whole(image: np.ndarray, panel: int) -> View:
    """All of a crop, its longer side as long as the panel's."""
    height, width = image.shape[:2]
    centre = np.array([width - 1, height - 1]) / 2
    return view(image, centre, max(height, width), panel)


def heat(
    shown: View, values: np.ndarray, top: float, crop: tuple[int, int]
) -> View:
    """A view of a crop with a map laid over it, bright where it is high.

    Args:
        shown: The view.
        values: (h, w), 0 or more, over the whole crop.
        top: Value of the brightest colour.
        crop: ``(w, h)`` of the crop, in its pixels.
    """
    side = shown.picture.shape[0]
    cells = np.clip(values / max(top, 1e-12), 0, 1).astype(np.float32)
    cell = np.array(crop) / cells.shape[::-1]  # in pixels of the crop
    scale, shift = cell * shown.zoom, shown.place(cell / 2)
    level = cv2.warpAffine(
        cells,
        np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]]]),
        (side, side),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    corners = shown.place(np.array([[0, 0], crop]) - 0.5)
    (left, upper), (right, lower) = np.rint(corners).astype(int)
    inside = np.zeros_like(level)
    inside[max(upper, 0) : lower, max(left, 0) : right] = 1

    colours = cv2.applyColorMap(
        (255 * level).astype(np.uint8), cv2.COLORMAP_INFERNO
    )[..., ::-1]
    grey = cv2.cvtColor(shown.picture, cv2.COLOR_RGB2GRAY)[..., None]
    opacity = (inside * (0.3 + 0.55 * level))[..., None]
    mixed = (1 - opacity) * (0.75 * grey) + opacity * colours
    return replace(shown, picture=mixed.round().astype(np.uint8))


def captioned(picture: np.ndarray, lines: Sequence[str]) -> np.ndarray:
    """A panel under its caption."""
    return np.concatenate(
        [caption(lines, picture.shape[1], picture.shape[0]), picture]
    )


def row(panels: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures of one height beside each other."""
    return _join(panels, axis=1)


def stack(strips: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures below each other; narrower ones are filled up with white."""
    width = max(strip.shape[1] for strip in strips)
    return _join(
        [
            np.pad(
                strip,
                [(0, 0), (0, width - strip.shape[1]), (0, 0)],
                constant_values=255,
            )
            for strip in strips
        ],
        axis=0,
    )


def grid(panels: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Pictures of one size in rows."""
    return stack(
        [
            row(panels[start : start + columns])
            for start in range(0, len(panels), columns)
        ]
    )


def _join(pictures: Sequence[np.ndarray], axis: int) -> np.ndarray:
    padding = [(0, 0), (0, 0), (0, 0)]
    padding[axis] = (GAP, 0)
    return np.concatenate(
        [
            pictures[0],
            *(np.pad(p, padding, constant_values=255) for p in pictures[1:]),
        ],
        axis=axis,
    )


def write_picture(path: str | Path, picture: np.ndarray) -> None:
    """Write an RGB picture (H, W, 3); the folder is made."""
    mmcv.imwrite(picture[..., ::-1], str(path))
