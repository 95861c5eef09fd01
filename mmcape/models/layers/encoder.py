"""Post-norm transformer encoders over query patches and keypoint tokens."""

from __future__ import annotations

import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from .blocks import FeedForward, SelfAttention


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward.

    Args:
        embed_dims: Width of the tokens.
        num_heads: Attention heads.
        feedforward_channels: Width inside the feed-forward part.
        dropout: Dropout rate everywhere.
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
        self.feed_forward = FeedForward(
            embed_dims, feedforward_channels, dropout
        )

    def forward(
        self,
        tokens: Tensor,
        position: Tensor | None = None,
        padding: Tensor | None = None,
    ) -> Tensor:
        """Refine tokens; arguments as in :meth:`SelfAttention.forward`."""
        return self.feed_forward(self.self_attn(tokens, position, padding))


class Encoder(BaseModule):
    """Stack of encoder layers, the part both encoders share."""

    def __init__(
        self,
        embed_dims: int = 256,
        num_heads: int = 8,
        num_layers: int = 3,
        feedforward_channels: int = 2048,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            EncoderLayer(embed_dims, num_heads, feedforward_channels, dropout)
            for _ in range(num_layers)
        )


@MODELS.register_module()
class QuerySupportEncoder(Encoder):
    """Query-support refine encoder: joint self-attention of both sides.

    Query patches and keypoint tokens form one sequence. Before every layer the
    position code (patches) and the identifier (keypoints) are added to the
    tokens themselves, so they also feed values and residual; the paper's text
    adds them to attention's query and key only, the released weights need
    this. Arguments as in :class:`EncoderLayer`, plus ``num_layers``.
    """

    def forward(
        self,
        query_tokens: Tensor,
        query_position: Tensor,
        keypoint_tokens: Tensor,
        identifier: Tensor | None,
        keypoint_valid: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Refine both sides.

        Args:
            query_tokens: (B, h * w, C) patches of the query image.
            query_position: (h * w, C) their position code.
            keypoint_tokens: (B, K, C).
            identifier: (K, C) order code of the keypoints, or None.
            keypoint_valid: (B, K) bool; others are not attended to.

        Returns:
            Refined ``query_tokens`` and ``keypoint_tokens``.
        """
        num_patches, num_keypoints = (
            query_tokens.size(1),
            keypoint_valid.size(1),
        )
        if identifier is None:
            identifier = torch.zeros_like(keypoint_tokens[0])
        position = torch.cat([query_position, identifier])
        padding = torch.cat(
            [
                keypoint_valid.new_zeros(query_tokens.size(0), num_patches),
                ~keypoint_valid,
            ],
            dim=1,
        )

        tokens = torch.cat([query_tokens, keypoint_tokens], dim=1)
        for layer in self.layers:
            tokens = layer(tokens + position, padding=padding)
        query_tokens, keypoint_tokens = tokens.split(
            [num_patches, num_keypoints], dim=1
        )
        return query_tokens, keypoint_tokens


@MODELS.register_module()
class QueryEncoder(Encoder):
    """DETR encoder over the query alone; keypoint tokens pass unchanged.

    POMNet's encoder, and the ablation without query-support interaction
    (Table 3). Position codes are added to attention's query and key, as in
    DETR. Arguments as in :class:`EncoderLayer`, plus ``num_layers``.
    """

    def forward(
        self,
        query_tokens: Tensor,
        query_position: Tensor,
        keypoint_tokens: Tensor,
        identifier: Tensor | None,
        keypoint_valid: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Refine the query side.

        Takes what :meth:`QuerySupportEncoder.forward` takes. The identifier,
        if any, is added to the keypoint tokens once; ``keypoint_valid`` has
        nothing to mask here.
        """
        del keypoint_valid
        position = query_position.expand_as(query_tokens)
        for layer in self.layers:
            query_tokens = layer(query_tokens, position=position)
        if identifier is not None:
            keypoint_tokens = keypoint_tokens + identifier
        return query_tokens, keypoint_tokens
