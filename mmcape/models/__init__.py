"""Estimators, heads and their parts, each registered with mmpose."""

from .data_preprocessor import EpisodeDataPreprocessor
from .estimators import FewShotPoseEstimator, TrivialPoseEstimator
from .heads import CapeFormerHead, ProtoNetHead
from .layers import (
    KeypointPooling,
    LearnedKeypointIdentifier,
    ProposalGenerator,
    QueryEncoder,
    QuerySupportEncoder,
    RefinementDecoder,
    SineKeypointIdentifier,
)
from .losses import (
    KeypointL1Loss,
    SimilarityCrossEntropyLoss,
    SimilarityHeatmapLoss,
)

__all__ = [
    'CapeFormerHead',
    'EpisodeDataPreprocessor',
    'FewShotPoseEstimator',
    'KeypointL1Loss',
    'KeypointPooling',
    'LearnedKeypointIdentifier',
    'ProposalGenerator',
    'ProtoNetHead',
    'QueryEncoder',
    'QuerySupportEncoder',
    'RefinementDecoder',
    'SimilarityCrossEntropyLoss',
    'SimilarityHeatmapLoss',
    'SineKeypointIdentifier',
    'TrivialPoseEstimator',
]
