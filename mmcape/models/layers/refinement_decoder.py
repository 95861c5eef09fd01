"""Proposals corrected layer by layer: the second stage."""

from __future__ import annotations

from typing import Any

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from .blocks import keep_one
from .coordinates import inverse_sigmoid
from .decoder import Decoder
from .mlp import MLP
from .positional_encoding import encode_points


@MODELS.register_module()
class RefinementDecoder(Decoder):
    """Proposal refinement decoder.

    Each layer moves every keypoint by an offset in logit space, starting from
    where the layer before left it. Arguments as in :class:`Decoder`.
    """

    positioned = True

    def __init__(self, embed_dims: int = 256, **kwargs: Any) -> None:
        super().__init__(embed_dims, **kwargs)
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
            logit = inverse_sigmoid(start)
            # the prediction reads normed tokens, the step handed on does not
            predictions.append((logit + branch(self.norm(tokens))).sigmoid())
            start = (logit.detach() + branch(tokens)).sigmoid()
            located = start.detach()
        return torch.stack(predictions)
