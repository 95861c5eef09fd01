"""Loss terms."""

from .keypoint_l1 import KeypointL1Loss
from .similarity_heatmap import SimilarityHeatmapLoss

__all__ = ['KeypointL1Loss', 'SimilarityHeatmapLoss']
