"""Outlines of puppet parts.

Note:
    - A *part frame* has its origin at the joint to the parent part and its
      x axis along the part; y completes it clockwise, as in images.
    - An outline is an (N, 2) array of (x, y) in that frame, symmetric about
      the x axis unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def capsule(length: float, start: float, end: float) -> Array:
    """Returns a rounded bar whose half width goes from start to end."""
    turn = np.linspace(np.pi / 2, 3 * np.pi / 2, 8)
    back = start * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    front = -end * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return np.concatenate([back, front + (length, 0.0)])


def ellipse(length: float, half: float) -> Array:
    """Returns an ellipse that reaches from x = 0 to x = length."""
    turn = np.linspace(0.0, 2 * np.pi, 24, endpoint=False)
    x = length / 2 * (1 + np.cos(turn))
    return np.stack([x, half * np.sin(turn)], axis=1)


def disc(radius: float) -> Array:
    """Returns a circle around the joint."""
    return ellipse(2 * radius, radius) - (radius, 0.0)


def leaf(length: float, half: float, belly: float = 0.5) -> Array:
    """Returns a shape with a point at both ends.

    Args:
        length: Distance of the two points.
        half: Half of the largest width.
        belly: Where along the length it is widest, in (0, 1).
    """
    along = np.linspace(0.0, 1.0, 12)
    bend = np.log(0.5) / np.log(belly)
    width = half * np.sin(np.pi * along**bend) ** 0.8
    upper = np.stack([length * along, width], axis=1)
    return np.concatenate([upper, upper[-2:0:-1] * (1.0, -1.0)])


def trapezoid(length: float, start: float, end: float) -> Array:
    """Returns a bar with corners, half width going from start to end."""
    return polygon([(0, -start), (length, -end), (length, end), (0, start)])


def claw(length: float, half: float) -> Array:
    """Returns a two-pronged tip."""
    upper = [
        (0.0, 0.45 * half),
        (0.45 * length, half),
        (length, 0.75 * half),
        (0.6 * length, 0.3 * half),
    ]
    lower = [(x, -y) for x, y in reversed(upper)]
    return polygon([*upper, (0.5 * length, 0.0), *lower])


def fan(length: float, spread: float, teeth: int) -> Array:
    """Returns a sector of the given half angle with a toothed rim."""
    turn = np.linspace(-spread, spread, 2 * teeth + 1)
    radius = np.where(np.arange(2 * teeth + 1) % 2 == 1, 1.0, 0.8) * length
    rim = np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1)
    return np.concatenate([np.zeros((1, 2)), rim])


def polygon(points: Sequence[tuple[float, float]]) -> Array:
    """Returns the given corners as an outline."""
    return np.asarray(points, dtype=np.float64)
