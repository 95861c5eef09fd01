"""Colours and textures of a species."""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt

Colour = tuple[float, float, float]
Image = npt.NDArray[np.float32]
Coat = Callable[[Colour], Colour]

PATTERNS = (
    'plain',
    'stripes',
    'halves',
    'gradient',
    'dots',
    'checker',
    'rings',
    'midline',
)


@dataclass(frozen=True)
class Texture:
    """Look of a part.

    Attributes:
        pattern: One of `PATTERNS`.
        base: Main colour, (blue, green, red) in 0..255.
        mark: Second colour; unused by plain parts.
        cycles: How often the pattern repeats along the part.
    """

    pattern: str
    base: Colour
    mark: Colour
    cycles: float

    def recoloured(self, coat: Coat) -> Texture:
        """Returns the same pattern in the colours of an individual."""
        return replace(self, base=coat(self.base), mark=coat(self.mark))

    def paint(self, u: Image, v: Image) -> Image:
        """Returns the colours (h, w, 3) at the given places of a part.

        Args:
            u: (h, w), place along the part: 0 at its start, 1 at its end.
            v: (h, w), place across the part, in units of its length.
        """
        amount = _mark_amount(self.pattern, u, v, np.float32(self.cycles))
        base = np.asarray(self.base, dtype=np.float32)
        mark = np.asarray(self.mark, dtype=np.float32)
        return base + amount[..., None] * (mark - base)


def _mark_amount(
    pattern: str, u: Image, v: Image, cycles: np.float32
) -> Image:
    """Returns how much of the mark colour shows, (h, w) in 0..1."""
    if pattern == 'plain':
        return np.zeros_like(u)
    if pattern == 'gradient':
        return np.clip(u, 0, 1)
    if pattern == 'stripes':
        marked = (u * cycles) % 1 > 0.5
    elif pattern == 'halves':
        marked = v > 0
    elif pattern == 'midline':
        marked = np.abs(v) < 0.09
    elif pattern == 'rings':
        marked = (np.hypot(u - 0.5, v) * 2 * cycles) % 1 > 0.5
    elif pattern == 'checker':
        marked = ((u * cycles) % 1 > 0.5) ^ ((v * cycles) % 1 > 0.5)
    elif pattern == 'dots':
        du = (u * cycles) % 1 - 0.5
        dv = (v * cycles + 0.5) % 1 - 0.5
        marked = du * du + dv * dv < 0.1
    else:
        raise ValueError(f'unknown pattern {pattern!r}, not in {PATTERNS}')
    return marked.astype(np.float32)


class Wardrobe:
    """Hands out textures of one palette, neighbours never alike.

    Args:
        rng: Source of the palette and of all later choices.
        size: Number of colours in the palette.
    """

    def __init__(self, rng: np.random.Generator, size: int = 6) -> None:
        self._rng = rng
        self._palette = _draw_palette(rng, size)
        self._waiting: list[int] = []

    def texture(self, *patterns: str) -> Texture:
        """Returns the next texture.

        Args:
            patterns: Patterns to choose from; all by default.
        """
        rng = self._rng
        if not self._waiting:
            self._waiting = list(rng.permutation(len(self._palette)))
        base = self._waiting.pop()
        step = int(rng.integers(1, len(self._palette)))
        mark = (base + step) % len(self._palette)
        return Texture(
            pattern=str(rng.choice(patterns or PATTERNS)),
            base=self._palette[base],
            mark=self._palette[mark],
            cycles=float(rng.uniform(1.5, 2.6)),
        )


def random_coat(rng: np.random.Generator, hue: float) -> Coat:
    """Returns how one individual differs from its species' colours.

    Every colour changes on its own, and always to the same one.

    Args:
        rng: Source of the changes.
        hue: Largest change of hue in turns; saturation and value change by
            up to a quarter. With 0, nothing changes.
    """

    @cache
    def coat(colour: Colour) -> Colour:
        blue, green, red = (level / 255 for level in colour)
        angle, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
        return hsv_colour(
            angle + rng.uniform(-hue, hue),
            min(saturation * rng.uniform(0.75, 1.25), 1.0),
            min(value * rng.uniform(0.75, 1.25), 1.0),
        )

    return coat if hue > 0 else lambda colour: colour


def _draw_palette(rng: np.random.Generator, size: int) -> list[Colour]:
    """Returns colours of well separated hues and one light or dark grey."""
    start = rng.uniform()
    colours = [random_grey(rng)]
    for index in range(size - 1):
        hue = start + (index + rng.uniform(-0.25, 0.25)) / (size - 1)
        saturation = rng.uniform(0.6, 1.0)
        value = rng.choice([rng.uniform(0.4, 0.6), rng.uniform(0.75, 1.0)])
        colours.append(hsv_colour(hue, saturation, float(value)))
    return colours


def random_grey(rng: np.random.Generator) -> Colour:
    """Returns an almost white or almost black colour."""
    value = rng.choice([rng.uniform(0.08, 0.2), rng.uniform(0.85, 1.0)])
    return hsv_colour(rng.uniform(), 0.08, float(value))


def hsv_colour(hue: float, saturation: float, value: float) -> Colour:
    """Returns the (blue, green, red) of a hue in turns."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return (255 * blue, 255 * green, 255 * red)
