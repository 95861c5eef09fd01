"""Annotation files, episodes and the transforms of their images."""

from .annotation_checks import AnnotationError
from .collate import collate_episodes
from .episode_samplers import (
    EvaluationEpisodeSampler,
    TrainingEpisodeSampler,
)
from .mp100 import MP100Dataset
from .transforms import (
    ForEachInstance,
    GetSquareCropBox,
    LoadAnnotatedImage,
    PackEpisodeInputs,
    RandomScaleRotation,
    UnreadableImageError,
)

__all__ = [
    'AnnotationError',
    'EvaluationEpisodeSampler',
    'ForEachInstance',
    'GetSquareCropBox',
    'LoadAnnotatedImage',
    'MP100Dataset',
    'PackEpisodeInputs',
    'RandomScaleRotation',
    'TrainingEpisodeSampler',
    'UnreadableImageError',
    'collate_episodes',
]
