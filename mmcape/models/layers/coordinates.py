"""Normalised coordinates: the unit square over the image, (x, y) order."""

from __future__ import annotations

import torch
from torch import Tensor


def inverse_sigmoid(x: Tensor, eps: float = 1e-3) -> Tensor:
    """Logit of ``x`` in [0, 1], with ``x`` and ``1 - x`` clamped at ``eps``.

    The generous ``eps`` bounds the logit at +-6.9; the published weights were
    trained with it.
    """
    x = x.clamp(min=0, max=1)
    return torch.log(x.clamp(min=eps) / (1 - x).clamp(min=eps))


def cell_centres(
    size: tuple[int, int],
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> Tensor:
    """Centres of the cells of a map, normalised.

    Args:
        size: ``(h, w)`` of the map.
        device: Where the result lives.
        dtype: Floating type of the result.

    Returns:
        (h * w, 2) points ``((j + 0.5) / w, (i + 0.5) / h)``, row by row.
    """
    h, w = size
    y = (torch.arange(h, device=device, dtype=dtype) + 0.5) / h
    x = (torch.arange(w, device=device, dtype=dtype) + 0.5) / w
    grid_y, grid_x = torch.meshgrid(y, x, indexing='ij')
    return torch.stack([grid_x, grid_y], dim=-1).flatten(0, 1)
