"""Estimators, heads and their parts, each registered with mmpose."""

from .data_preprocessor import EpisodeDataPreprocessor
from .estimators import FewShotPoseEstimator, TrivialPoseEstimator
from .heads import CapeFormerHead, PomNetHead
from .layers import (
    DetrDecoder,
    HeatmapMatcher,
    KeypointPooling,
    LearnedKeypointIdentifier,
    ProposalGenerator,
    QueryEncoder,
    QuerySupportEncoder,
    RefinementDecoder,
    SineKeypointIdentifier,
)
from .losses import (
    HeatmapMSELoss,
    KeypointL1Loss,
    SimilarityCrossEntropyLoss,
    SimilarityHeatmapLoss,
)

__all__ = [
    'CapeFormerHead',
    'DetrDecoder',
    'EpisodeDataPreprocessor',
    'FewShotPoseEstimator',
    'HeatmapMSELoss',
    'HeatmapMatcher',
    'KeypointL1Loss',
    'KeypointPooling',
    'LearnedKeypointIdentifier',
    'PomNetHead',
    'ProposalGenerator',
    'QueryEncoder',
    'QuerySupportEncoder',
    'RefinementDecoder',
    'SimilarityCrossEntropyLoss',
    'SimilarityHeatmapLoss',
    'SineKeypointIdentifier',
    'TrivialPoseEstimator',
]
