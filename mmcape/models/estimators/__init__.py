"""Whole models, as the runner trains and tests them."""

from .few_shot import FewShotPoseEstimator
from .trivial import TrivialPoseEstimator

__all__ = ['FewShotPoseEstimator', 'TrivialPoseEstimator']
