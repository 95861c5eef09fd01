"""Keypoints <-> maps."""

from .heatmap_maximum import heatmap_maximum
from .separable_gaussian import SeparableGaussian

__all__ = ['SeparableGaussian', 'heatmap_maximum']
