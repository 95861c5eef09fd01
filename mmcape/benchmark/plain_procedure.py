"""The published procedure's arithmetic, on this project's weights.

Published code pads every sample to 100 keypoints, upsamples the support's
features to the heatmap's resolution to pool a few points, materialises
attention weights, runs POMNet's matching head keypoint by keypoint and builds
dense target heatmaps in the loader. Results are the same, up to rounding.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from mmpose.codecs.utils import generate_gaussian_heatmaps
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from mmcape.codecs import SeparableGaussian
from mmcape.models.layers import HeatmapMatcher

NUM_KEYPOINTS = 100
"""To which published code pads."""


class UpsampledPooling(nn.Module):
    """Pools features at the resolution of the heatmaps."""

    def forward(
        self, features: Tensor, keypoints: Tensor, codec: SeparableGaussian
    ) -> Tensor:
        """Takes and gives what ``KeypointPooling`` does."""
        size = codec.heatmap_size[::-1]
        upsampled = F.interpolate(
            features.flatten(0, -4), size=size, mode='bilinear'
        ).unflatten(0, features.shape[:-3])
        heatmaps = codec.heatmaps(keypoints)
        weights = heatmaps / (heatmaps.sum((-1, -2), keepdim=True) + 1e-8)
        return weights.flatten(-2) @ upsampled.flatten(-2).transpose(-1, -2)


class LoopedMatcher(nn.Module):
    """POMNet's matching head, one keypoint after the other.

    Args:
        matcher: The head whose weights it uses.
    """

    def __init__(self, matcher: HeatmapMatcher) -> None:
        super().__init__()
        self.matcher = matcher

    def forward(
        self,
        query_tokens: Tensor,
        keypoint_tokens: Tensor,
        keypoint_valid: Tensor,
        size: tuple[int, int],
    ) -> Tensor:
        """Takes and gives what ``HeatmapMatcher`` does in evaluation."""
        del keypoint_valid
        image = query_tokens.transpose(1, 2).unflatten(2, size)
        parts = self.matcher
        maps = []
        for token in keypoint_tokens.unbind(dim=1):
            tiled = token[..., None, None].expand(-1, -1, *size)
            related = parts.relation(torch.cat([image, tiled], dim=1))
            related = parts.relation_norm(related).relu()
            maps.append(parts.final(parts.upsample(related)))
        return torch.cat(maps, dim=1)


def plain_model(model: Any) -> Any:
    """A copy of an estimator that computes in the published way."""
    plain = copy.deepcopy(model)
    plain.head.pooling = UpsampledPooling()
    if hasattr(plain.head, 'matcher'):
        plain.head.matcher = LoopedMatcher(plain.head.matcher)
    return plain


@contextmanager
def plain_attention() -> Iterator[None]:
    """Materialise the weights of every attention."""
    with sdpa_kernel(SDPBackend.MATH):
        yield


def dense_targets(
    keypoints: npt.NDArray[np.float32],
    visible: npt.NDArray[np.bool_],
    codec: SeparableGaussian,
) -> npt.NDArray[np.float32]:
    """What a published loader builds for an image.

    Args:
        keypoints: (K, 2) in pixels of the crop.
        visible: (K,).
        codec: Sizes and sigma of the heatmaps.

    Returns:
        (100, heatmap h, heatmap w).
    """
    stride = np.divide(codec.input_size, codec.heatmap_size)
    heatmaps, _ = generate_gaussian_heatmaps(
        codec.heatmap_size,
        keypoints[None] / stride,
        visible[None].astype(np.float32),
        codec.sigma,
    )
    padding = NUM_KEYPOINTS - len(heatmaps)
    return np.pad(heatmaps, ((0, padding), (0, 0), (0, 0)))
