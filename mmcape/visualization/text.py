"""Text in pictures: captions, numbers beside keypoints, legends."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .marks import DARK, PANEL, RING, WHITE, Colour, colour, radius_of, unit_of

_DIRECTIONS = tuple(
    (float(np.cos(angle)), float(np.sin(angle)))
    for angle in np.deg2rad([-45, 45, 135, -135, 0, 180, -90, 90, -20, 160])
)
_RINGS = (0.2, 1.2, 2.6)


@lru_cache(maxsize=64)
def font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The font of all pictures, which matplotlib brings along."""
    name = 'DejaVuSans-Bold.ttf' if bold else 'DejaVuSans.ttf'
    folder = Path(matplotlib.get_data_path()) / 'fonts' / 'ttf'
    return ImageFont.truetype(str(folder / name), size)


def fitted(text: str, width: float, face: ImageFont.FreeTypeFont) -> str:
    """The text, its middle left out where it is too long.

    The ends tell names apart: ``left_front_..._tip``.
    """
    length = face.getlength(text)
    if length <= width:
        return text
    most = min(len(text) - 1, int(1.5 * len(text) * width / length))
    for kept in range(most, 0, -1):
        head = -(-kept // 2)
        short = f'{text[:head]}…{text[len(text) - (kept - head) :]}'
        if face.getlength(short) <= width:
            return short
    return ''


def caption(
    lines: Sequence[str], width: int, panel: int = PANEL
) -> np.ndarray:
    """A white strip (height, width, 3) with text, uint8 RGB.

    Args:
        lines: The first is bold.
        width: In pixels.
        panel: Side of the panels that it belongs to.
    """
    size = max(11, round(panel * 0.042))
    step, margin = round(1.3 * size), round(0.4 * size)
    height = step * len(lines) + 2 * margin
    picture = Image.new('RGB', (width, height), WHITE)
    draw = ImageDraw.Draw(picture)
    for row, line in enumerate(lines):
        face = font(size, bold=row == 0)
        text = fitted(line, width - 2 * margin, face)
        draw.text((margin, margin + row * step), text, (0, 0, 0), face)
    return np.array(picture)


def legend(
    names: Sequence[str], shown: Sequence[int], width: int, panel: int = PANEL
) -> np.ndarray:
    """Numbers and names of keypoints in columns, uint8 RGB.

    Args:
        names: Of all K keypoints.
        shown: Which of them.
        width: In pixels.
        panel: Side of the panels that it belongs to.

    Returns:
        (height, width, 3).
    """
    size = max(9, round(panel * 0.036))
    face, step = font(size), round(1.45 * size)
    longest = max((face.getlength(names[i]) for i in shown), default=0)
    tag = 4.2 * size  # dot and number
    column = min(max(longest + tag, 7 * size), max(0.6 * panel, 160), width)
    columns = max(1, min(int(width // column), len(shown)))
    rows = -(-len(shown) // columns)
    picture = Image.new('RGB', (width, step * rows + size), WHITE)
    draw = ImageDraw.Draw(picture)
    for place, index in enumerate(shown):
        x = (place // rows) * width / columns + 0.4 * size
        y = (place % rows) * step + 0.4 * size
        shade = colour(index, len(names))
        draw.ellipse(
            (x, y + 0.2 * size, x + 0.8 * size, y + size), shade, DARK
        )
        draw.text((x + 1.1 * size, y), f'{index}', DARK, font(size, True))
        room = width / columns - tag
        text = fitted(names[index], room, face)
        draw.text((x + 3.2 * size, y), text, (0, 0, 0), face)
    return np.array(picture)


def write_numbers(
    image: np.ndarray,
    keypoints: np.ndarray,
    drawn: np.ndarray,
    ringed: np.ndarray | None = None,
) -> None:
    """Write each keypoint's number beside it, in place.

    Numbers cover neither keypoints nor each other; one that finds no room
    near its keypoint is left out (the colour still tells which it is).

    Args:
        image: (H, W, 3) uint8 RGB.
        keypoints: (K, 2) in pixels.
        drawn: (K,) bool, which ones.
        ringed: (K,) bool, which of them are inside a ring.
    """
    indices = np.flatnonzero(drawn)
    count = len(indices)
    unit, radius = unit_of(image, count), radius_of(image, count)
    size = max(8, round(15 * unit))
    face = font(size, bold=True)
    labels = {int(i): face.getlength(f'{i}') for i in indices}
    radii = np.full(len(drawn), radius)
    if ringed is not None:
        radii[ringed] *= RING + 0.2
    places = place_labels(
        keypoints, labels, size, radii, (image.shape[1], image.shape[0])
    )
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    for index, (x, y, far) in places.items():
        if far:
            end = (x + labels[index] / 2, y + size / 2)
            draw.line((*keypoints[index], *end), WHITE, max(1, round(unit)))
    for index, (x, y, _) in places.items():
        draw.text(
            (x, y),
            f'{index}',
            WHITE,
            face,
            anchor='lt',
            stroke_width=max(1, round(1.6 * unit)),
            stroke_fill=_outline(colour(index, len(drawn))),
        )
    image[...] = np.asarray(picture)


def _outline(shade: Colour) -> Colour:
    """A dark tone of a colour."""
    r, g, b = (part // 4 for part in shade)
    return r, g, b


def place_labels(
    keypoints: np.ndarray,
    widths: dict[int, float],
    height: float,
    radii: np.ndarray,
    size: tuple[int, int],
) -> dict[int, tuple[float, float, bool]]:
    """Choose a free place for each label, near its keypoint.

    Args:
        keypoints: (K, 2) in pixels.
        widths: Width of the label of each keypoint that has one.
        height: Of all labels.
        radii: (K,) of the keypoints' dots.
        size: ``(w, h)`` of the image.

    Returns:
        Left, top, and whether it is so far that a line should lead there.
    """
    near, reach = keypoints[list(widths)], radii[list(widths), None]
    taken = [np.concatenate([near - reach, near + reach], axis=1)]
    places = {}
    for index, width in widths.items():
        for ring in _RINGS:
            box = _free(
                keypoints[index],
                (width, 0.8 * height),
                radii[index] + ring * height,
                np.concatenate(taken),
                size,
            )
            if box is not None:
                taken.append(box[None])
                places[index] = (box[0], box[1], ring > _RINGS[0])
                break
    return places


def _free(
    centre: np.ndarray,
    label: tuple[float, float],
    distance: float,
    taken: np.ndarray,
    size: tuple[int, int],
) -> np.ndarray | None:
    """Corners of the first place around a centre that nothing covers."""
    half = np.array(label) / 2
    for direction in np.array(_DIRECTIONS):
        middle = centre + direction * (distance + half)
        corners = np.concatenate([middle - half, middle + half])
        inside = (corners >= 1).all() and (corners[2:] < np.array(size)).all()
        apart = (corners[:2] > taken[:, 2:]) | (corners[2:] < taken[:, :2])
        if inside and apart.any(axis=1).all():
            return corners
    return None
