"""Proposals corrected layer by layer: the second stage."""

from __future__ import annotations

import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from .blocks import FeedForward, SelfAttention, keep_one
from .coordinates import inverse_sigmoid
from .mlp import MLP
from .positional_encoding import encode_points


class DecoderLayer(nn.Module):
    """Self-attention among keypoints, cross-attention to the query image.

    Cross-attention compares [feature, position] concatenations, twice as wide
    as the values that it gathers. Arguments as in
    :class:`~mmcape.models.layers.encoder.EncoderLayer`.
    """

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        feedforward_channels: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.self_attn = SelfAttention(embed_dims, num_heads, dropout)
        self.cross_attn = nn.MultiheadAttention(
            2 * embed_dims,
            num_heads,
            dropout=dropout,
            vdim=embed_dims,
            batch_first=True,
        )
        self.cross_proj = nn.Linear(2 * embed_dims, embed_dims)
        self.cross_norm = nn.LayerNorm(embed_dims)
        self.dropout = nn.Dropout(dropout)
        self.feed_forward = FeedForward(
            embed_dims, feedforward_channels, dropout
        )

    def forward(
        self,
        keypoint_tokens: Tensor,
        keypoint_position: Tensor,
        keypoint_padding: Tensor,
        query_tokens: Tensor,
        query_keys: Tensor,
    ) -> Tensor:
        """Refine keypoint tokens.

        Args:
            keypoint_tokens: (B, K, C).
            keypoint_position: (B, K, C) position code plus identifier.
            keypoint_padding: (B, K) bool, True = not to be attended to.
            query_tokens: (B, h * w, C) values of the cross-attention.
            query_keys: (B, h * w, 2 C) patches and their position codes.

        Returns:
            (B, K, C).
        """
        tokens = self.self_attn(
            keypoint_tokens, keypoint_position, keypoint_padding
        )
        gathered, _ = self.cross_attn(
            torch.cat([tokens, keypoint_position], dim=-1),
            query_keys,
            query_tokens,
            need_weights=False,
        )
        gathered = self.dropout(self.cross_proj(gathered))
        return self.feed_forward(self.cross_norm(tokens + gathered))


@MODELS.register_module()
class RefinementDecoder(BaseModule):
    """Proposal refinement decoder.

    Each layer moves every keypoint by an offset in logit space, starting from
    where the layer before left it.

    Args:
        embed_dims: Width of the tokens.
        num_heads: Attention heads.
        num_layers: Refinement steps.
        feedforward_channels: Width inside the feed-forward part.
        dropout: Dropout rate everywhere.
    """

    def __init__(
        self,
        embed_dims: int = 256,
        num_heads: int = 8,
        num_layers: int = 3,
        feedforward_channels: int = 2048,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.embed_dims = embed_dims
        self.layers = nn.ModuleList(
            DecoderLayer(embed_dims, num_heads, feedforward_channels, dropout)
            for _ in range(num_layers)
        )
        self.norm = nn.LayerNorm(embed_dims)
        self.position_mlp = MLP(embed_dims, embed_dims, embed_dims, 2)
        branches = [MLP(embed_dims, embed_dims, 2, 4) for _ in self.layers]
        self.offset_branches = nn.ModuleList(branches)

    def zero_offsets(self) -> None:
        """Make every offset zero: predictions equal the proposals."""
        for branch in self.offset_branches:
            assert isinstance(branch, MLP)
            branch.zero_output()

    def forward(
        self,
        query_tokens: Tensor,
        query_position: Tensor,
        keypoint_tokens: Tensor,
        identifier: Tensor | None,
        keypoint_valid: Tensor,
        proposals: Tensor,
    ) -> Tensor:
        """Refine proposals.

        Args:
            query_tokens: (B, h * w, C) from the encoder.
            query_position: (h * w, C) their position code.
            keypoint_tokens: (B, K, C) from the encoder.
            identifier: (K, C) order code of the keypoints, or None.
            keypoint_valid: (B, K) bool; others are not attended to.
            proposals: (B, K, 2) normalised.

        Returns:
            (L, B, K, 2) normalised prediction of every layer.
        """
        padding = keep_one(~keypoint_valid)
        query_keys = torch.cat(
            [query_tokens, query_position.expand_as(query_tokens)], dim=-1
        )

        # Gradients flow as published: proposals learn through the first
        # position code, a step through the prediction that starts from it.
        tokens, predictions = keypoint_tokens, []
        located, start = proposals, proposals.detach()
        for layer, branch in zip(self.layers, self.offset_branches):
            position = self.position_mlp(
                encode_points(located, self.embed_dims)
            )
            if identifier is not None:
                position = position + identifier
            tokens = layer(tokens, position, padding, query_tokens, query_keys)
            # the prediction reads normed tokens, the step handed on does not
            predictions.append(_shift(start, branch(self.norm(tokens))))
            start = _shift(start.detach(), branch(tokens))
            located = start.detach()
        return torch.stack(predictions)


def _shift(points: Tensor, offset: Tensor) -> Tensor:
    """Move normalised points by an offset in logit space."""
    return (inverse_sigmoid(points) + offset).sigmoid()
