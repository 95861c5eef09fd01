"""Keypoint tokens that gather what they need from the query image."""

from __future__ import annotations

from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from .blocks import FeedForward, SelfAttention, keep_one


class DetrDecoderLayer(nn.Module):
    """Self-attention among keypoints, cross-attention to the query image.

    Arguments as in :class:`~mmcape.models.layers.encoder.EncoderLayer`.
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
            embed_dims, num_heads, dropout=dropout, batch_first=True
        )
        self.cross_norm = nn.LayerNorm(embed_dims)
        self.dropout = nn.Dropout(dropout)
        self.feed_forward = FeedForward(
            embed_dims, feedforward_channels, dropout
        )

    def forward(
        self,
        keypoint_tokens: Tensor,
        keypoint_padding: Tensor,
        query_tokens: Tensor,
        query_keys: Tensor,
    ) -> Tensor:
        """Refine keypoint tokens.

        Args:
            keypoint_tokens: (B, K, C).
            keypoint_padding: (B, K) bool, True = not to be attended to.
            query_tokens: (B, h * w, C) values of the cross-attention.
            query_keys: (B, h * w, C) patches with their position codes.

        Returns:
            (B, K, C).
        """
        tokens = self.self_attn(keypoint_tokens, padding=keypoint_padding)
        gathered, _ = self.cross_attn(
            tokens, query_keys, query_tokens, need_weights=False
        )
        return self.feed_forward(
            self.cross_norm(tokens + self.dropout(gathered))
        )


@MODELS.register_module()
class DetrDecoder(BaseModule):
    """DETR decoder with support keypoints as object queries.

    As published, the tokens themselves start the decoder and have no position
    code; the image has one in the keys of the cross-attention.

    Args:
        embed_dims: Width of the tokens.
        num_heads: Attention heads.
        num_layers: Decoder layers.
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
        self.layers = nn.ModuleList(
            DetrDecoderLayer(
                embed_dims, num_heads, feedforward_channels, dropout
            )
            for _ in range(num_layers)
        )
        self.norm = nn.LayerNorm(embed_dims)

    def forward(
        self,
        query_tokens: Tensor,
        query_position: Tensor,
        keypoint_tokens: Tensor,
        keypoint_valid: Tensor,
    ) -> Tensor:
        """Refine keypoint tokens.

        Args:
            query_tokens: (B, h * w, C) from the encoder.
            query_position: (h * w, C) their position code.
            keypoint_tokens: (B, K, C) of the support.
            keypoint_valid: (B, K) bool; others are not attended to.

        Returns:
            (B, K, C), normed.
        """
        padding = keep_one(~keypoint_valid)
        query_keys = query_tokens + query_position
        for layer in self.layers:
            keypoint_tokens = layer(
                keypoint_tokens, padding, query_tokens, query_keys
            )
        return self.norm(keypoint_tokens)
