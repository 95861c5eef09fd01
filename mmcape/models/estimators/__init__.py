"""Whole models, as the runner trains and tests them."""

from .adaptive import AdaptivePoseEstimator
from .few_shot import FewShotPoseEstimator
from .trivial import TrivialPoseEstimator

__all__ = [
    'AdaptivePoseEstimator',
    'FewShotPoseEstimator',
    'TrivialPoseEstimator',
]
