"""The post-norm blocks that encoders and decoders are made of."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Attention(nn.MultiheadAttention):
    """Multi-head attention by one fused kernel, whatever the mode.

    Torch's own module materialises the weights where it takes its shortcut
    for evaluation. Arguments as there; tensors are batch first.
    """

    def forward(  # type: ignore[override]
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        padding: Tensor | None = None,
    ) -> Tensor:
        """Gather values.

        Args:
            query: (B, N, C).
            key: (B, M, ...) of the width ``kdim``.
            value: (B, M, ...) of the width ``vdim``.
            padding: (B, M) bool, True = not to be attended to.

        Returns:
            (B, N, C).
        """
        queries, keys, values = self._heads(query, key, value)
        gathered = F.scaled_dot_product_attention(
            queries,
            keys,
            values,
            attn_mask=None if padding is None else ~padding[:, None, None],
            dropout_p=self.dropout if self.training else 0.0,
        )
        return self.out_proj(gathered.transpose(1, 2).flatten(2))

    def weights(
        self, query: Tensor, key: Tensor, padding: Tensor | None = None
    ) -> Tensor:
        """What :meth:`forward` weighs values with, for pictures.

        Args:
            query: As in :meth:`forward`.
            key: As in :meth:`forward`.
            padding: As in :meth:`forward`.

        Returns:
            (B, heads, N, M); each row sums to 1.
        """
        queries, keys = self._heads(query, key)
        logits = queries @ keys.transpose(2, 3) / queries.size(3) ** 0.5
        if padding is not None:
            logits = logits.masked_fill(padding[:, None, None], -torch.inf)
        return logits.softmax(dim=3)

    def _heads(self, *inputs: Tensor) -> list[Tensor]:
        """Query, key and value, as far as given, (B, heads, N, width)."""
        return [
            F.linear(tokens, weight, bias)
            .unflatten(2, (self.num_heads, -1))
            .transpose(1, 2)
            for tokens, weight, bias in zip(
                inputs, self._projections(), self.in_proj_bias.chunk(3)
            )
        ]

    def _projections(self) -> tuple[Tensor, ...]:
        """Weights of query, key and value."""
        if self.in_proj_weight is not None:
            return self.in_proj_weight.chunk(3)
        return self.q_proj_weight, self.k_proj_weight, self.v_proj_weight


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
        self.attention = Attention(embed_dims, num_heads, dropout=dropout)
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
        attended = self.attention(located, located, tokens, padding)
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
