"""Made-up supports and queries, to trace and to compare models with."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

_CELL = 8
"""Side in pixels of the random blobs that crops show."""

SupportInput = tuple[Tensor, Tensor, Tensor]


def make_example(
    model: Any, batch: int, shots: int, keypoints: int, seed: int = 0
) -> tuple[SupportInput, Tensor]:
    """Input of the two steps: annotated crops, and crops of queries.

    Crops are soft random blobs, not noise, which looks alike everywhere to a
    network. One keypoint in eight is hidden, the first one never.

    Args:
        model: Estimator whose codec tells the size of the crops.
        batch: B, the number of supports and of queries.
        shots: S.
        keypoints: K.
        seed: Of all values.

    Returns:
        Crops (B, S, 3, H, W) uint8, keypoints (B, S, K, 2) and visibility
        (B, S, K) bool of the supports, and crops (B, 3, H, W) of the queries.
    """
    rng = torch.Generator().manual_seed(seed)
    width, height = model.head.codec.input_size

    def blobs(count: int) -> Tensor:
        cells = (height // _CELL + 1, width // _CELL + 1)
        coarse = torch.rand(count, 3, *cells, generator=rng)
        fine = F.interpolate(coarse, (height, width), mode='bilinear')
        return (255 * fine).round().to(torch.uint8)

    crops = blobs(batch * shots).unflatten(0, (batch, shots))
    points = torch.rand(batch, shots, keypoints, 2, generator=rng)
    points = points * torch.tensor([width, height])
    visible = torch.rand(batch, shots, keypoints, generator=rng) > 1 / 8
    visible[..., 0] = True
    return (crops, points, visible), blobs(batch)
