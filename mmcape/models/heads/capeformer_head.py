"""The two-stage head: pool, encode, propose, refine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmpose.registry import MODELS
from mmpose.utils.typing import ConfigType, OptConfigType
from torch import Tensor, nn

from mmcape.models.layers.confidence import CONFIDENCES

from .base import FewShotHead, SupportEncoding


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
    peak_mass: Tensor
    """(B, K) share of the similarity's softmax around its maximum."""
    confidence: str = 'peak_mass'
    """Which measure gives the scores."""

    @property
    def scores(self) -> Tensor:
        """(B, K) confidence."""
        return CONFIDENCES[self.confidence](self)

    @property
    def points(self) -> Tensor:
        """(B, K, 2) final prediction."""
        return self.layers[-1] if len(self.layers) else self.proposals

    @property
    def stages(self) -> dict[str, Tensor]:
        """(B, K, 2) proposals, and what each decoder layer makes of them."""
        layers = enumerate(self.layers, start=1)
        return dict(
            proposals=self.proposals,
            **{f'layer {number}': points for number, points in layers},
        )

    @property
    def maps(self) -> Tensor:
        """(B, K, h, w) the similarity."""
        return self.similarity


@MODELS.register_module()
class CapeFormerHead(FewShotHead[CapeOutput]):
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
        confidence: Measure that gives the keypoints' scores, see
            :mod:`mmcape.models.layers.confidence`.

    Raises:
        ValueError: If parts do not go together, or there is no such measure.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        codec: ConfigType,
        encoder: ConfigType,
        proposal_generator: ConfigType,
        embed_dims: int = 256,
        pooling: OptConfigType = None,
        identifier: OptConfigType = None,
        decoder: OptConfigType = None,
        heatmap_loss: OptConfigType = None,
        proposal_loss: OptConfigType = None,
        refine_loss: OptConfigType = None,
        confidence: str = 'peak_mass',
    ) -> None:
        super().__init__(in_channels, codec, embed_dims, pooling)
        if confidence not in CONFIDENCES:
            raise ValueError(
                f'confidence is {confidence!r}, not in {tuple(CONFIDENCES)}'
            )
        self.confidence = confidence
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

        self.identifier = build(identifier)
        self.max_keypoints = self.identifier and self.identifier.max_keypoints
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

    def match(self, query: Tensor, support: SupportEncoding) -> CapeOutput:
        """Encode, propose, refine; see :class:`SupportMatching`."""
        height, width = query.shape[-2:]
        tokens, position = self.patches(query)
        identifier = None
        if self.identifier is not None:
            identifier = self.identifier(support.tokens.size(1), query.device)

        tokens, keypoint_tokens = self.encoder(
            tokens, position, support.tokens, identifier, support.valid
        )
        found = self.proposal_generator(
            tokens, keypoint_tokens, (height, width)
        )
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
            peak_mass=found.peak_mass,
            confidence=self.confidence,
        )

    def loss_terms(
        self, output: CapeOutput, keypoints: Tensor, valid: Tensor
    ) -> dict[str, Tensor]:
        """One term a stage; see :class:`KeypointHead`."""
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
        return losses
