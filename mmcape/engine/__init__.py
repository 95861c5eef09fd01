"""Hooks, loops and optimizer wrappers for mmengine's runner."""

from .hooks import (
    BrokenImageHook,
    ChannelsLastHook,
    CheckpointFitHook,
    EpisodeVisualizationHook,
    FiniteLossHook,
    NonFiniteLossError,
    StepSeedHook,
)
from .loops import CachedTestLoop, CachedValLoop
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
    'StepSeedHook',
]
