"""The post-norm blocks that encoders and decoders are made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SelfAttention(nn.Module):
    """Self-attention with residual and post-norm.

    Args:
        embed_dims: Width of the tokens.
        num_heads: Attention heads.
        dropout: Dropout rate.
    """

    def __init__(
        self, embed_dims: int, num_heads: int, dropout: float
    ) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(
            embed_dims, num_heads, dropout=dropout, batch_first=True
        )
        self.norm = nn.LayerNorm(embed_dims)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        tokens: Tensor,
        position: Tensor | None = None,
        padding: Tensor | None = None,
    ) -> Tensor:
        """Let tokens look at each other.

        Args:
            tokens: (B, N, C); values and residual.
            position: (B, N, C) code added to attention's query and key only.
            padding: (B, N) bool, True = not to be attended to.

        Returns:
            (B, N, C).
        """
        located = tokens if position is None else tokens + position
        attended, _ = self.attention(
            located,
            located,
            tokens,
            key_padding_mask=padding,
            need_weights=False,
        )
        return self.norm(tokens + self.dropout(attended))


class FeedForward(nn.Module):
    """Two linear layers with ReLU between, residual and post-norm.

    Args:
        embed_dims: Width of the tokens.
        hidden_channels: Width between the linear layers.
        dropout: Dropout rate.
    """

    def __init__(
        self, embed_dims: int, hidden_channels: int, dropout: float
    ) -> None:
        super().__init__()
        self.linear1 = nn.Linear(embed_dims, hidden_channels)
        self.linear2 = nn.Linear(hidden_channels, embed_dims)
        self.norm = nn.LayerNorm(embed_dims)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (B, N, C) to (B, N, C)."""
        hidden = self.dropout(self.linear1(tokens).relu())
        return self.norm(tokens + self.dropout(self.linear2(hidden)))


def keep_one(padding: Tensor) -> Tensor:
    """Unmask the first keypoint of samples where all are masked.

    Attention over nothing is NaN; what these samples predict is not used.

    Args:
        padding: (B, K) bool, True = not to be attended to.
    """
    first = torch.arange(padding.size(1), device=padding.device) == 0
    return padding & ~(padding.all(dim=1, keepdim=True) & first)
