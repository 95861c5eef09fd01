"""Keypoint tokens that gather what they need from the query image."""

from __future__ import annotations

from mmpose.registry import MODELS
from torch import Tensor

from .blocks import keep_one
from .decoder import Decoder


@MODELS.register_module()
class DetrDecoder(Decoder):
    """DETR decoder with support keypoints as object queries.

    As published, the tokens themselves start the decoder and have no position
    code; the image has one in the keys of the cross-attention. Arguments as in
    :class:`Decoder`.
    """

    positioned = False

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
                keypoint_tokens, None, padding, query_tokens, query_keys
            )
        return self.norm(keypoint_tokens)
