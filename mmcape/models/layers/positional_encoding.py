"""Sine codes of map cells and of points, over one shared frequency helper."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_TEMPERATURE = 10000
_EPS = 1e-6


def sine_code(phase: Tensor, num_channels: int) -> Tensor:
    """Sine and cosine of a phase at geometrically falling frequencies.

    Args:
        phase: (...) angles in radians.
        num_channels: Channels of the code, even.

    Returns:
        (..., num_channels), sine and cosine interleaved.
    """
    exponent = torch.arange(
        0, num_channels, 2, device=phase.device, dtype=torch.float32
    )
    frequency = _TEMPERATURE ** (-exponent / num_channels)
    angle = phase.unsqueeze(-1) * frequency
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(-2)


def encode_points(points: Tensor, embed_dims: int) -> Tensor:
    """Code of normalised points.

    Args:
        points: (..., 2) as (x, y) in [0, 1].
        embed_dims: Channels of the code, a multiple of 4.

    Returns:
        (..., embed_dims), the y half, then the x half.
    """
    x, y = (points * (2 * math.pi)).unbind(-1)
    half = embed_dims // 2
    return torch.cat([sine_code(y, half), sine_code(x, half)], dim=-1)


def ordinal_phase(
    count: int, length: int, device: torch.device | None = None
) -> Tensor:
    """Phase of the first ``count`` of ``length`` ordered places, (count,)."""
    ordinal = torch.arange(1, count + 1, device=device, dtype=torch.float32)
    return ordinal / (length + _EPS) * (2 * math.pi)


def encode_grid(
    size: tuple[int, int],
    embed_dims: int,
    device: torch.device | None = None,
) -> Tensor:
    """Code of the cells of a map (the DETR normalisation).

    Cells are counted from 1 to the map's size, so a cell's code is that of
    its far edge and not, as in :func:`encode_points`, of where its centre is.
    The published weights rely on the half cell between the two.

    Args:
        size: ``(h, w)`` of the map.
        embed_dims: Channels of the code, a multiple of 4.
        device: Where the result lives.

    Returns:
        (h * w, embed_dims), row by row; the y half, then the x half.
    """
    h, w = size
    half = embed_dims // 2
    rows = sine_code(ordinal_phase(h, h, device), half)
    columns = sine_code(ordinal_phase(w, w, device), half)
    return torch.cat(
        [
            rows[:, None].expand(h, w, half),
            columns[None].expand(h, w, half),
        ],
        dim=-1,
    ).flatten(0, 1)
