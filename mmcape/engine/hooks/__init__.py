"""Hooks for mmengine's runner."""

from .channels_last_hook import ChannelsLastHook
from .checkpoint_fit_hook import CheckpointFitHook
from .episode_visualization_hook import EpisodeVisualizationHook
from .step_seed_hook import StepSeedHook

__all__ = [
    'ChannelsLastHook',
    'CheckpointFitHook',
    'EpisodeVisualizationHook',
    'StepSeedHook',
]
