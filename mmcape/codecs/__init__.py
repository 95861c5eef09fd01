"""Keypoints <-> maps."""

from .separable_gaussian import SeparableGaussian

__all__ = ['SeparableGaussian']
