from .few_shot import FewShotPoseEstimator
from .trivial import TrivialPoseEstimator

__all__ = ['FewShotPoseEstimator', 'TrivialPoseEstimator']
