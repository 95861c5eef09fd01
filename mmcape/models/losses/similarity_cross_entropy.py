"""Supervision of similarity maps as a choice among cells."""

from __future__ import annotations

from mmpose.registry import MODELS
from torch import Tensor, nn

from .keypoint_l1 import mean_over_valid


@MODELS.register_module()
class SimilarityCrossEntropyLoss(nn.Module):
    """Cross-entropy between softmax(similarity) and a target map.

    Not in the paper. The squared error of
    :class:`~mmcape.models.losses.SimilarityHeatmapLoss` first drives all
    logits down, which costs hundreds of steps when nothing is pre-trained;
    this one starts matching at once.

    Args:
        loss_weight: Factor on the loss.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        self.loss_weight = loss_weight

    def forward(
        self, similarity: Tensor, target: Tensor, valid: Tensor
    ) -> Tensor:
        """Scalar loss.

        Args:
            similarity: (B, K, h, w) logits.
            target: (B, K, h, w) weights of the cells, normalised here; a
                keypoint whose weights are all zero contributes 0.
            valid: (B, K) bool, which keypoints count.
        """
        target = target.flatten(2)
        target = target / target.sum(dim=-1, keepdim=True).clamp(min=1e-6)
        log_probability = similarity.flatten(2).log_softmax(dim=-1)
        entropy = -(target * log_probability).sum(dim=-1)
        return self.loss_weight * mean_over_valid(entropy, valid)
