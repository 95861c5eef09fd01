"""One map per keypoint -> one point per keypoint."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from mmcape.codecs import SeparableGaussian

from .coordinates import cell_centres

DECODINGS = ('argmax', 'soft_argmax', 'local_soft_argmax')


def decode_maps(
    maps: Tensor, codec: SeparableGaussian, decoding: str
) -> tuple[Tensor, Tensor]:
    """Find where each map is high.

    The codec rounds a keypoint to the nearest heatmap index, so a Gaussian
    lies half a heatmap cell right of and below its keypoint. The way back
    takes this half cell off: on a map of the heatmap's size, index ``j``
    decodes to ``j / w``.

    Args:
        maps: (B, K, h, w) logits.
        codec: Gave the maps that these learned from, of any resolution.
        decoding: 'argmax' gives the highest cell, 'soft_argmax' the expected
            position under the softmax, 'local_soft_argmax' the same within
            the 3x3 cells around the highest.

    Returns:
        (B, K, 2) normalised points, and (B, K) scores, which are the share of
        the softmax within the 3x3 cells.

    Raises:
        ValueError: If there is no such decoding.
    """
    size = (maps.size(-2), maps.size(-1))
    probability = maps.flatten(2).softmax(dim=-1)
    highest = probability.argmax(dim=-1)
    local = probability * _window(highest, size).to(probability.dtype)
    scores = local.sum(dim=-1)

    points = cell_centres(size, maps.device, maps.dtype)
    points = points - 0.5 / points.new_tensor(codec.heatmap_size)
    if decoding == 'argmax':
        return points[highest], scores
    if decoding == 'soft_argmax':
        return _expectation(points, probability), scores
    if decoding == 'local_soft_argmax':
        return _expectation(points, local / scores.unsqueeze(-1)), scores
    raise ValueError(f'no such decoding: {decoding!r}, only {DECODINGS}')


def _expectation(points: Tensor, weights: Tensor) -> Tensor:
    """Sum of points (N, 2) under weights (B, K, N), exact under autocast."""
    return (weights.unsqueeze(-1) * points).sum(dim=-2)


def _window(cells: Tensor, size: tuple[int, int]) -> Tensor:
    """3x3 window around cells (B, K), as (B, K, h * w) of 0 and 1."""
    height, width = size
    rows = F.one_hot(cells // width, height).float().unsqueeze(-1)
    columns = F.one_hot(cells % width, width).float().unsqueeze(-2)
    grown = F.max_pool2d(rows, (3, 1), stride=1, padding=(1, 0))
    across = F.max_pool2d(columns, (1, 3), stride=1, padding=(0, 1))
    return (grown * across).flatten(2)
