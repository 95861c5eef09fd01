"""Supervision of similarity maps by Gaussian targets."""

from __future__ import annotations

from mmpose.registry import MODELS
from torch import Tensor, nn

from .keypoint_l1 import mean_over_valid


@MODELS.register_module()
class SimilarityHeatmapLoss(nn.Module):
    """Mean squared error between sigmoid(similarity) and a target map.

    Args:
        loss_weight: Factor on the loss.
    """

    def __init__(self, loss_weight: float = 2.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(
        self, similarity: Tensor, target: Tensor, valid: Tensor
    ) -> Tensor:
        """Scalar loss.

        Args:
            similarity: (B, K, h, w) logits.
            target: (B, K, h, w) in [0, 1].
            valid: (B, K) bool, which keypoints count.
        """
        error = (similarity.sigmoid() - target).square().mean(dim=(2, 3))
        return self.loss_weight * mean_over_valid(error, valid)
