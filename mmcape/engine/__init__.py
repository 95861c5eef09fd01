"""Hooks, loops and optimizer wrappers for mmengine's runner."""

from .hooks import (
    BrokenImageHook,
    ChannelsLastHook,
    CheckpointFitHook,
    EpisodeVisualizationHook,
    FiniteLossHook,
    NonFiniteLossError,
    ResumableCheckpointHook,
    StepSeedHook,
)
from .loops import CachedTestLoop, CachedValLoop, ResumableTrainLoop
from .optim_wrappers import Bfloat16OptimWrapper

__all__ = [
    'Bfloat16OptimWrapper',
    'BrokenImageHook',
    'CachedTestLoop',
    'CachedValLoop',
    'ChannelsLastHook',
    'CheckpointFitHook',
    'EpisodeVisualizationHook',
    'FiniteLossHook',
    'NonFiniteLossError',
    'ResumableCheckpointHook',
    'ResumableTrainLoop',
    'StepSeedHook',
]
