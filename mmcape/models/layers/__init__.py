"""Parts of the heads, in the order in which data meets them."""

from .detr_decoder import DetrDecoder
from .encoder import QueryEncoder, QuerySupportEncoder
from .heatmap_matcher import HeatmapMatcher
from .keypoint_identifier import (
    LearnedKeypointIdentifier,
    SineKeypointIdentifier,
)
from .keypoint_pooling import KeypointPooling
from .proposal_generator import ProposalGenerator
from .refinement_decoder import RefinementDecoder

__all__ = [
    'DetrDecoder',
    'HeatmapMatcher',
    'KeypointPooling',
    'LearnedKeypointIdentifier',
    'ProposalGenerator',
    'QueryEncoder',
    'QuerySupportEncoder',
    'RefinementDecoder',
    'SineKeypointIdentifier',
]
