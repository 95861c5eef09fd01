"""Loss terms."""

from .heatmap_mse import HeatmapMSELoss
from .keypoint_l1 import KeypointL1Loss
from .similarity_cross_entropy import SimilarityCrossEntropyLoss
from .similarity_heatmap import SimilarityHeatmapLoss

__all__ = [
    'HeatmapMSELoss',
    'KeypointL1Loss',
    'SimilarityCrossEntropyLoss',
    'SimilarityHeatmapLoss',
]
