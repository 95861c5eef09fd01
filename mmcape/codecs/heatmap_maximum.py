"""Heatmaps -> keypoints."""

from __future__ import annotations

import torch
from torch import Tensor


@torch.no_grad()
def heatmap_maximum(heatmaps: Tensor) -> tuple[Tensor, Tensor]:
    """Place and value of every heatmap's maximum.

    The place moves by a quarter of a cell towards the higher neighbour, in x
    and in y, unless it is among the first two or the last of a row or a column
    (the 'default' post-processing of mmpose 0.x). A heatmap whose maximum is
    not positive shows nothing: its place is (-1, -1).

    Args:
        heatmaps: (B, K, h, w).

    Returns:
        (B, K, 2) places in heatmap cells and (B, K) values.
    """
    height, width = heatmaps.shape[-2:]
    scores, index = heatmaps.flatten(2).max(dim=-1)
    x, y = index % width, index.div(width, rounding_mode='floor')
    inside = (x > 1) & (x < width - 1) & (y > 1) & (y < height - 1)
    places = torch.stack([x, y], dim=-1).to(heatmaps.dtype)

    flat = heatmaps.flatten(2)
    slopes = []
    for step in (1, width):
        before = (index - step).clamp(min=0)
        after = (index + step).clamp(max=height * width - 1)
        slopes.append(_at(flat, after) - _at(flat, before))
    shift = 0.25 * torch.stack(slopes, dim=-1).sign()
    places = places + shift * inside.unsqueeze(-1)
    return places.masked_fill((scores <= 0).unsqueeze(-1), -1.0), scores


def _at(flat: Tensor, index: Tensor) -> Tensor:
    """Values (B, K) of flattened maps (B, K, N) at indices (B, K)."""
    return flat.gather(-1, index.unsqueeze(-1)).squeeze(-1)
