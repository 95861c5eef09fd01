"""Support images and their keypoints -> one token per keypoint."""

from __future__ import annotations

import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor

from mmcape.codecs import SeparableGaussian


@MODELS.register_module()
class KeypointPooling(BaseModule):
    """Mean of the feature map under each keypoint's Gaussian, over shots."""

    def forward(
        self, features: Tensor, keypoints: Tensor, codec: SeparableGaussian
    ) -> Tensor:
        """Pool support features.

        Args:
            features: (B, S, C, h, w) of the support images.
            keypoints: (B, S, K, 2) in pixels of the crops.
            codec: Gaussian around a keypoint.

        Returns:
            (B, K, C) keypoint tokens, the mean over all shots.
        """
        height, width = features.shape[-2:]
        masks = codec.pooling_masks(keypoints, (height, width))
        pooled = torch.einsum(
            'bskhw,bschw->bkc', masks.to(features.dtype), features
        )
        return pooled / features.size(1)
