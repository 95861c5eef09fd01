"""Estimators, heads and their parts, each registered with mmpose."""

from .data_preprocessor import EpisodeDataPreprocessor
from .estimators import (
    AdaptivePoseEstimator,
    FewShotPoseEstimator,
    TrivialPoseEstimator,
)
from .heads import CapeFormerHead, KeypointChannelsHead, ProtoNetHead
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
    'AdaptivePoseEstimator',
    'CapeFormerHead',
    'EpisodeDataPreprocessor',
    'FewShotPoseEstimator',
    'KeypointChannelsHead',
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
