"""Estimators, heads and their parts, each registered with mmpose."""

from .data_preprocessor import EpisodeDataPreprocessor
from .estimators import (
    AdaptivePoseEstimator,
    FewShotPoseEstimator,
    TrivialPoseEstimator,
)
from .heads import (
    CapeFormerHead,
    KeypointChannelsHead,
    PomNetHead,
    ProtoNetHead,
)
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
    'AdaptivePoseEstimator',
    'CapeFormerHead',
    'DetrDecoder',
    'EpisodeDataPreprocessor',
    'FewShotPoseEstimator',
    'HeatmapMSELoss',
    'HeatmapMatcher',
    'KeypointChannelsHead',
    'KeypointL1Loss',
    'KeypointPooling',
    'LearnedKeypointIdentifier',
    'PomNetHead',
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
