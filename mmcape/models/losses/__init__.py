"""Loss terms."""

from .keypoint_l1 import KeypointL1Loss
from .similarity_cross_entropy import SimilarityCrossEntropyLoss
from .similarity_heatmap import SimilarityHeatmapLoss

__all__ = [
    'KeypointL1Loss',
    'SimilarityCrossEntropyLoss',
    'SimilarityHeatmapLoss',
]
