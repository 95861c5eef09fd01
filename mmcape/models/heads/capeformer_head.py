"""The two-stage head: pool, encode, propose, refine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from mmengine.model import BaseModule
from mmpose.registry import KEYPOINT_CODECS, MODELS
from mmpose.utils.typing import ConfigType, OptConfigType
from torch import Tensor, nn

from mmcape.models.layers.positional_encoding import encode_grid


@dataclass(frozen=True)
class SupportEncoding:
    """What matching needs of the support images."""

    tokens: Tensor
    """(B, K, C) keypoint tokens."""
    valid: Tensor
    """(B, K) bool, keypoints seen in every support image."""


@dataclass(frozen=True)
class CapeOutput:
    """Every stage's answer; points are normalised to the query crop."""

    similarity: Tensor
    """(B, K, h, w) raw logits."""
    expectation: Tensor
    """(B, K, 2) expected position over the whole similarity map."""
    proposals: Tensor
    """(B, K, 2) expected position around the map's maximum."""
    layers: Tensor
    """(L, B, K, 2) prediction of every decoder layer; L may be 0."""
    scores: Tensor
    """(B, K) share of the similarity's softmax around its maximum."""

    @property
    def points(self) -> Tensor:
        """(B, K, 2) final prediction."""
        return self.layers[-1] if len(self.layers) else self.proposals


@MODELS.register_module()
class CapeFormerHead(BaseModule):
    """CapeFormer's head (CVPR 2023).

    Every part is a registered module of its own, so that an ablation is a
    config that exchanges or removes one.

    Args:
        in_channels: Channels of the backbone's last feature map.
        codec: Config of the keypoint codec.
        encoder: Config of the encoder.
        proposal_generator: Config of the proposal generator.
        embed_dims: Width of the tokens, handed down to all parts.
        pooling: Config of the support pooling.
        identifier: Config of the keypoint identifier; None for none.
        decoder: Config of the decoder; None predicts the proposals
            (one-stage).
        heatmap_loss: Config of the loss on similarity maps, or None.
        proposal_loss: Config of the loss on expectations, or None.
        refine_loss: Config of the loss on every decoder layer.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        codec: ConfigType,
        encoder: ConfigType,
        proposal_generator: ConfigType,
        embed_dims: int = 256,
        pooling: ConfigType | None = None,
        identifier: OptConfigType = None,
        decoder: OptConfigType = None,
        heatmap_loss: OptConfigType = None,
        proposal_loss: OptConfigType = None,
        refine_loss: OptConfigType = None,
    ) -> None:
        super().__init__()
        if (decoder is None) != (refine_loss is None):
            raise ValueError(
                '`decoder` and `refine_loss` go together: give both, or '
                'neither for a one-stage head'
            )
        if decoder is None and heatmap_loss is None and proposal_loss is None:
            raise ValueError('a one-stage head needs a loss')

        def build(cfg: OptConfigType) -> Any:
            shared = dict(embed_dims=embed_dims)
            return cfg and MODELS.build(cfg, default_args=shared)

        self.codec = KEYPOINT_CODECS.build(codec)
        self.embed_dims = embed_dims
        self.pooling = MODELS.build(pooling or dict(type='KeypointPooling'))
        self.support_proj = nn.Linear(in_channels, embed_dims)
        self.query_proj = nn.Conv2d(in_channels, embed_dims, kernel_size=1)
        self.identifier = build(identifier)
        self.encoder = build(encoder)
        self.proposal_generator = build(proposal_generator)
        self.decoder = build(decoder)
        self.heatmap_loss = heatmap_loss and MODELS.build(heatmap_loss)
        self.proposal_loss = proposal_loss and MODELS.build(proposal_loss)
        self.refine_loss = refine_loss and MODELS.build(refine_loss)

    def init_weights(self) -> None:
        """Xavier uniform on every matrix, zero projection biases."""
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
        for projection in (self.support_proj, self.query_proj):
            assert projection.bias is not None
            nn.init.zeros_(projection.bias)
        if self.decoder is not None:
            self.decoder.zero_offsets()

    def encode_support(
        self, features: Tensor, keypoints: Tensor, visible: Tensor
    ) -> SupportEncoding:
        """Turn annotated support images into keypoint tokens.

        Args:
            features: (B, S, C, h, w) of the support images.
            keypoints: (B, S, K, 2) in pixels of the crops.
            visible: (B, S, K) bool.
        """
        valid = (visible & self.codec.in_reach(keypoints)).all(dim=1)
        pooled = self.pooling(features, keypoints, self.codec)
        pooled = pooled * valid.unsqueeze(-1)
        return SupportEncoding(self.support_proj(pooled), valid)

    def forward(
        self, features: Tensor, support: SupportEncoding
    ) -> CapeOutput:
        """Find the support's keypoints in query images.

        Args:
            features: (B, C, h, w) of the query images.
            support: From :meth:`encode_support`.
        """
        _, _, height, width = features.shape
        size, device = (height, width), features.device
        tokens = self.query_proj(features).flatten(2).transpose(1, 2)
        position = encode_grid(size, self.embed_dims, device)
        identifier = None
        if self.identifier is not None:
            identifier = self.identifier(support.tokens.size(1), device)

        tokens, keypoint_tokens = self.encoder(
            tokens, position, support.tokens, identifier, support.valid
        )
        found = self.proposal_generator(tokens, keypoint_tokens, size)
        if self.decoder is None:
            layers = found.proposals.new_empty(0, *found.proposals.shape)
        else:
            layers = self.decoder(
                query_tokens=tokens,
                query_position=position,
                keypoint_tokens=keypoint_tokens,
                identifier=identifier,
                keypoint_valid=support.valid,
                proposals=found.proposals,
            )
        return CapeOutput(
            similarity=found.similarity,
            expectation=found.expectation,
            proposals=found.proposals,
            layers=layers,
            scores=found.peak_mass,
        )

    def loss(
        self,
        output: CapeOutput,
        support: SupportEncoding,
        keypoints: Tensor,
        visible: Tensor,
    ) -> dict[str, Tensor]:
        """Losses against the annotated query.

        Args:
            output: From :meth:`forward`.
            support: From :meth:`encode_support`.
            keypoints: (B, K, 2) of the query, in pixels of the crop.
            visible: (B, K) bool.

        Returns:
            One scalar a term, and ``acc_pck``: the share of keypoints that
            lie within 0.2 of the crop's side, for the log.
        """
        valid = visible & self.codec.in_reach(keypoints) & support.valid
        target = self.codec.normalize(keypoints)

        losses = {}
        if self.heatmap_loss is not None:
            maps = self.codec.cell_targets(
                keypoints, output.similarity.shape[-2:]
            )
            losses['loss_heatmap'] = self.heatmap_loss(
                output.similarity, maps, valid
            )
        if self.proposal_loss is not None:
            losses['loss_proposal'] = self.proposal_loss(
                output.expectation, target, valid
            )
        for i, points in enumerate(output.layers):
            losses[f'loss_layer{i}'] = self.refine_loss(points, target, valid)

        with torch.no_grad():
            distance = (output.points - target).norm(dim=-1)
            hits = ((distance < 0.2) & valid).sum()
            losses['acc_pck'] = hits / valid.sum().clamp(min=1)
        return losses
