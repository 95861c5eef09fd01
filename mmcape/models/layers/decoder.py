"""Post-norm decoder layers: keypoint tokens look at the query image."""

from __future__ import annotations

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from .blocks import Attention, FeedForward, SelfAttention


class DecoderLayer(nn.Module):
    """Self-attention among keypoints, cross-attention to the query image.

    Args:
        embed_dims: Width of the tokens.
        num_heads: Attention heads.
        feedforward_channels: Width inside the feed-forward part.
        dropout: Dropout rate everywhere.
        positioned: Whether keypoints have a position code. Cross-attention
            then compares [feature, position] concatenations, twice as wide as
            the values that it gathers.
    """

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        feedforward_channels: int,
        dropout: float,
        positioned: bool,
    ) -> None:
        super().__init__()
        width = 2 * embed_dims if positioned else embed_dims
        self.self_attn = SelfAttention(embed_dims, num_heads, dropout)
        self.cross_attn = Attention(
            width, num_heads, dropout=dropout, vdim=embed_dims
        )
        self.cross_proj = (
            nn.Linear(width, embed_dims) if positioned else nn.Identity()
        )
        self.cross_norm = nn.LayerNorm(embed_dims)
        self.dropout = nn.Dropout(dropout)
        self.feed_forward = FeedForward(
            embed_dims, feedforward_channels, dropout
        )

    def forward(
        self,
        keypoint_tokens: Tensor,
        keypoint_position: Tensor | None,
        keypoint_padding: Tensor,
        query_tokens: Tensor,
        query_keys: Tensor,
    ) -> Tensor:
        """Refine keypoint tokens.

        Args:
            keypoint_tokens: (B, K, C).
            keypoint_position: (B, K, C) position code plus identifier, if
                ``positioned``.
            keypoint_padding: (B, K) bool, True = not to be attended to.
            query_tokens: (B, h * w, C) values of the cross-attention.
            query_keys: (B, h * w, C) patches with their position codes, or
                (B, h * w, 2 C) both side by side if ``positioned``.

        Returns:
            (B, K, C).
        """
        tokens = self.self_attn(
            keypoint_tokens, keypoint_position, keypoint_padding
        )
        compared = tokens
        if keypoint_position is not None:
            compared = torch.cat([tokens, keypoint_position], dim=-1)
        gathered = self.cross_attn(compared, query_keys, query_tokens)
        gathered = self.dropout(self.cross_proj(gathered))
        return self.feed_forward(self.cross_norm(tokens + gathered))


class Decoder(BaseModule):
    """Stack of decoder layers and a norm, the part both decoders share.

    Arguments as in :class:`DecoderLayer`, plus ``num_layers``.
    """

    positioned: bool
    """As in :class:`DecoderLayer`, fixed by each decoder."""

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
            DecoderLayer(
                embed_dims,
                num_heads,
                feedforward_channels,
                dropout,
                self.positioned,
            )
            for _ in range(num_layers)
        )
        self.norm = nn.LayerNorm(embed_dims)
