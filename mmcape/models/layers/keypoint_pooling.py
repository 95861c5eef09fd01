"""Images and their keypoints -> one token per keypoint."""

from __future__ import annotations

from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor

from mmcape.codecs import SeparableGaussian


@MODELS.register_module()
class KeypointPooling(BaseModule):
    """Mean of the feature map under each keypoint's Gaussian."""

    def forward(
        self, features: Tensor, keypoints: Tensor, codec: SeparableGaussian
    ) -> Tensor:
        """Pool features.

        Args:
            features: (..., C, h, w) of annotated images.
            keypoints: (..., K, 2) in pixels of the crops.
            codec: Gaussian around a keypoint.

        Returns:
            (..., K, C) keypoint tokens.
        """
        height, width = features.shape[-2:]
        masks = codec.pooling_masks(keypoints, (height, width))
        masks = masks.to(features.dtype).flatten(-2)
        return masks @ features.flatten(-2).transpose(-1, -2)
