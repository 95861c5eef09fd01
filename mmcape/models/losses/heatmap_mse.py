"""Supervision of dense heatmaps."""

from __future__ import annotations

from mmpose.registry import MODELS
from torch import Tensor, nn

from .keypoint_l1 import mean_over_valid


@MODELS.register_module()
class HeatmapMSELoss(nn.Module):
    """Mean squared error between heatmaps and targets.

    Published samples are padded to 100 keypoints and the loss is the mean
    over all of them, so that an object with more keypoints weighs more.

    Args:
        divisor: What the sum over a sample's keypoints is divided by; None
            for the number of those that count.
        loss_weight: Factor on the loss.
    """

    def __init__(
        self, divisor: int | None = 100, loss_weight: float = 1.0
    ) -> None:
        super().__init__()
        self.divisor = divisor
        self.loss_weight = loss_weight

    def forward(
        self, heatmaps: Tensor, target: Tensor, valid: Tensor
    ) -> Tensor:
        """Scalar loss.

        Args:
            heatmaps: (B, K, h, w).
            target: (B, K, h, w).
            valid: (B, K) bool, which keypoints count.
        """
        error = (heatmaps - target).square().mean(dim=(2, 3))
        if self.divisor is None:
            return self.loss_weight * mean_over_valid(error, valid)
        total = (error * valid).sum(dim=1) / self.divisor
        return self.loss_weight * total.mean()
