"""Keypoint tokens matched against query patches: a first position each."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from .coordinates import cell_centres


class Proposals(NamedTuple):
    """What the generator finds for each keypoint."""

    similarity: Tensor
    """(B, K, h, w) raw logits."""
    expectation: Tensor
    """(B, K, 2) expected position over the whole map, normalised."""
    proposals: Tensor
    """(B, K, 2) the same within the 3x3 window around the maximum."""
    peak_mass: Tensor
    """(B, K) share of the softmax that lies in this window."""


@MODELS.register_module()
class ProposalGenerator(BaseModule):
    """Similarity-aware proposal generator.

    Both sides are projected, the keypoints' channels are re-weighted by
    ``1 + tanh(MLP(keypoint))``, and an inner product gives the similarity.
    All this stays in the precision of the weights under autocast: logits
    reach hundreds, where bfloat16 counts in steps of two.

    Args:
        embed_dims: Width of the tokens.
        bottleneck_channels: Width inside the channel attention's MLP.
    """

    def __init__(
        self, embed_dims: int = 256, bottleneck_channels: int = 128
    ) -> None:
        super().__init__()
        self.keypoint_proj = nn.Linear(embed_dims, embed_dims)
        self.query_proj = nn.Linear(embed_dims, embed_dims)
        self.channel_attention = nn.Sequential(
            nn.Linear(embed_dims, bottleneck_channels),
            nn.ReLU(),
            nn.Linear(bottleneck_channels, embed_dims),
            nn.Tanh(),
        )

    def forward(
        self,
        query_tokens: Tensor,
        keypoint_tokens: Tensor,
        size: tuple[int, int],
    ) -> Proposals:
        """Match keypoints with patches.

        Args:
            query_tokens: (B, h * w, C).
            keypoint_tokens: (B, K, C).
            size: ``(h, w)`` of the query's feature map.
        """
        with torch.autocast(query_tokens.device.type, enabled=False):
            dtype = self.query_proj.weight.dtype
            keypoints = self.keypoint_proj(keypoint_tokens.to(dtype))
            keypoints = keypoints * (1 + self.channel_attention(keypoints))
            patches = self.query_proj(query_tokens.to(dtype))
            similarity = keypoints @ patches.transpose(1, 2)
            return _locate(similarity.unflatten(2, size))


def _locate(similarity: Tensor) -> Proposals:
    """Expected positions over the map and around its maximum."""
    _, _, height, width = similarity.shape
    size = (height, width)
    probability = similarity.flatten(2).softmax(dim=-1)
    centres = cell_centres(size, probability.device, probability.dtype)
    expectation = _mean_of(centres, probability)

    window = _window_around_maximum(probability, size)
    local = probability * window
    peak_mass = local.sum(-1)
    proposals = _mean_of(centres, local) / (peak_mass.unsqueeze(-1) + 1e-10)
    return Proposals(similarity, expectation, proposals, peak_mass)


def _mean_of(centres: Tensor, weights: Tensor) -> Tensor:
    """Sum of centres (N, 2) under weights (B, K, N).

    No matrix product, which autocast would round to a pixel or two.
    """
    return (weights.unsqueeze(-1) * centres).sum(dim=-2)


def _window_around_maximum(
    probability: Tensor, size: tuple[int, int]
) -> Tensor:
    """3x3 window around each map's maximum, (B, K, h * w) of 0 and 1."""
    peak = F.one_hot(probability.argmax(-1), probability.size(-1))
    window = F.max_pool2d(
        peak.unflatten(2, size).to(probability.dtype),
        kernel_size=3,
        stride=1,
        padding=1,
    )
    return window.flatten(2)
