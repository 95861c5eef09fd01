"""Hooks for mmengine's runner."""

from .broken_image_hook import BrokenImageHook
from .channels_last_hook import ChannelsLastHook
from .checkpoint_fit_hook import CheckpointFitHook
from .episode_visualization_hook import EpisodeVisualizationHook
from .finite_loss_hook import FiniteLossHook, NonFiniteLossError
from .resumable_checkpoint_hook import ResumableCheckpointHook
from .step_seed_hook import StepSeedHook

__all__ = [
    'BrokenImageHook',
    'ChannelsLastHook',
    'CheckpointFitHook',
    'EpisodeVisualizationHook',
    'FiniteLossHook',
    'NonFiniteLossError',
    'ResumableCheckpointHook',
    'StepSeedHook',
]
