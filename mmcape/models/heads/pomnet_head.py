"""POMNet's head: pool, let keypoints interact, draw heatmaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmpose.registry import MODELS
from mmpose.utils.typing import ConfigType, OptConfigType
from torch import Tensor, nn

from mmcape.codecs import heatmap_maximum

from .base import FewShotHead, SupportEncoding


@dataclass(frozen=True)
class PomNetOutput:
    """Heatmaps and where their maxima lie."""

    heatmaps: Tensor
    """(B, K, heatmap h, heatmap w)."""
    points: Tensor
    """(B, K, 2) final prediction, normalised to the query crop; outside of
    it, by one cell in x and y, where a heatmap shows nothing."""
    scores: Tensor
    """(B, K) maximum of each heatmap."""

    @property
    def stages(self) -> dict[str, Tensor]:
        """(B, K, 2) places of the maxima, the only step."""
        return dict(prediction=self.points)

    @property
    def maps(self) -> Tensor:
        """(B, K, h, w) the heatmaps."""
        return self.heatmaps


@MODELS.register_module()
class PomNetHead(FewShotHead[PomNetOutput]):
    """POMNet's head (ECCV 2022).

    Args:
        in_channels: Channels of the backbones' last feature maps.
        codec: Config of the keypoint codec.
        encoder: Config of the encoder of the query image.
        decoder: Config of the decoder of the keypoint tokens.
        matcher: Config of what turns the two into heatmaps.
        heatmap_loss: Config of the loss on heatmaps.
        embed_dims: Width of the tokens, handed down to all parts.
        pooling: Config of the support pooling.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        codec: ConfigType,
        encoder: ConfigType,
        decoder: ConfigType,
        matcher: ConfigType,
        heatmap_loss: ConfigType,
        embed_dims: int = 256,
        pooling: OptConfigType = None,
    ) -> None:
        super().__init__(in_channels, codec, embed_dims, pooling)

        def build(cfg: ConfigType) -> Any:
            shared = dict(embed_dims=embed_dims)
            return MODELS.build(cfg, default_args=shared)

        self.encoder = build(encoder)
        self.decoder = build(decoder)
        self.matcher = build(matcher)
        self.heatmap_loss = MODELS.build(heatmap_loss)

    def init_weights(self) -> None:
        """Xavier uniform in the transformer, tiny weights in the matcher.

        The projections keep torch's initialisation.
        """
        for part in (self.encoder, self.decoder):
            for name, parameter in part.named_parameters():
                if parameter.dim() > 1:
                    nn.init.xavier_uniform_(parameter)
                elif name.endswith('bias'):
                    nn.init.zeros_(parameter)
        self.matcher.init_weights()

    def match(self, query: Tensor, support: SupportEncoding) -> PomNetOutput:
        """Encode, decode, match; see :class:`SupportMatching`.

        Raises:
            ValueError: If the heatmaps are not of the codec's size.
        """
        height, width = query.shape[-2:]
        tokens, position = self.patches(query)
        tokens, keypoint_tokens = self.encoder(
            tokens, position, support.tokens, None, support.valid
        )
        keypoint_tokens = self.decoder(
            query_tokens=tokens,
            query_position=position,
            keypoint_tokens=keypoint_tokens,
            keypoint_valid=support.valid,
        )
        heatmaps = self.matcher(
            tokens, keypoint_tokens, support.valid, (height, width)
        )
        size = (heatmaps.size(3), heatmaps.size(2))
        if size != self.codec.heatmap_size:
            raise ValueError(
                f'feature maps {(width, height)} give heatmaps {size}, but '
                f'codec.heatmap_size is {self.codec.heatmap_size}: change '
                'matcher.num_deconvs or the codec'
            )
        cells, scores = heatmap_maximum(heatmaps)
        points = cells.float() / cells.new_tensor(size).float()
        return PomNetOutput(heatmaps, points, scores)

    def loss_terms(
        self, output: PomNetOutput, keypoints: Tensor, valid: Tensor
    ) -> dict[str, Tensor]:
        """The loss on heatmaps; see :class:`KeypointHead`."""
        targets = self.codec.heatmaps(keypoints)
        loss = self.heatmap_loss(output.heatmaps, targets, valid)
        return dict(loss_heatmap=loss)
