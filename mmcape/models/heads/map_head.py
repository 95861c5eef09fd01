"""What heads that answer with one map per keypoint share."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from mmpose.registry import MODELS
from mmpose.utils.typing import ConfigType
from torch import Tensor

from mmcape.models.layers.map_decoding import DECODINGS, decode_maps

from .base import KeypointHead


@dataclass(frozen=True)
class MapOutput:
    """Maps and where they are high; points are normalised to the crop."""

    similarity: Tensor
    """(B, K, h, w) logits."""
    points: Tensor
    """(B, K, 2) final prediction."""
    scores: Tensor
    """(B, K) share of the softmax around its maximum."""

    @property
    def stages(self) -> dict[str, Tensor]:
        """(B, K, 2) places of the maxima, the only step."""
        return dict(prediction=self.points)

    @property
    def maps(self) -> Tensor:
        """(B, K, h, w) the logits."""
        return self.similarity


class MapHead(KeypointHead[MapOutput]):
    """Base of the heads whose answer is read from maps.

    Args:
        codec: Config of the keypoint codec.
        heatmap_loss: Config of the loss on the maps; by default
            cross-entropy over the cells.
        decoding: How points are read from maps, see
            :func:`~mmcape.models.layers.map_decoding.decode_maps`.

    Raises:
        ValueError: If there is no such decoding.
    """

    def __init__(
        self,
        codec: ConfigType,
        heatmap_loss: ConfigType | None = None,
        decoding: str = 'argmax',
    ) -> None:
        super().__init__(codec)
        if decoding not in DECODINGS:
            raise ValueError(f'decoding is {decoding!r}, not in {DECODINGS}')
        self.heatmap_loss = MODELS.build(
            heatmap_loss or dict(type='SimilarityCrossEntropyLoss')
        )
        self.decoding = decoding

    def read(self, maps: Tensor) -> MapOutput:
        """Read points from maps (B, K, h, w)."""
        maps = maps.to(torch.promote_types(maps.dtype, torch.float32))
        points, scores = decode_maps(maps, self.codec, self.decoding)
        return MapOutput(similarity=maps, points=points, scores=scores)

    def map_loss(
        self, maps: Tensor, keypoints: Tensor, valid: Tensor
    ) -> Tensor:
        """Loss of maps alone, a scalar.

        Args:
            maps: (B, K, h, w) logits.
            keypoints: (B, K, 2) in pixels of the crop.
            valid: (B, K) bool, which keypoints count.
        """
        height, width = maps.shape[-2:]
        targets = self.codec.cell_targets(keypoints, (height, width))
        return self.heatmap_loss(maps, targets, valid)

    def loss_terms(
        self, output: MapOutput, keypoints: Tensor, valid: Tensor
    ) -> dict[str, Tensor]:
        """The loss of the maps; see :class:`KeypointHead`."""
        loss = self.map_loss(output.similarity, keypoints, valid)
        return dict(loss_heatmap=loss)
