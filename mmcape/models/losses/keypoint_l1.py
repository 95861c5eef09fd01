"""L1 distance of keypoints, averaged over those that count."""

from __future__ import annotations

from mmpose.registry import MODELS
from torch import Tensor, nn


def mean_over_valid(values: Tensor, valid: Tensor) -> Tensor:
    """Mean over each sample's valid keypoints, then over the batch.

    A sample without any contributes 0.

    Args:
        values: (B, K).
        valid: (B, K) bool.
    """
    weight = valid.to(values.dtype)
    count = weight.sum(dim=1).clamp(min=1)
    return ((values * weight).sum(dim=1) / count).mean()


@MODELS.register_module()
class KeypointL1Loss(nn.Module):
    """L1 distance between normalised keypoints, x and y summed (Eq. 8).

    Args:
        loss_weight: Factor on the loss.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, points: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        """Scalar loss.

        Args:
            points: (B, K, 2) normalised prediction.
            target: (B, K, 2) normalised ground truth.
            valid: (B, K) bool, which keypoints count.
        """
        distance = (points - target).abs().sum(dim=-1)
        return self.loss_weight * mean_over_valid(distance, valid)
