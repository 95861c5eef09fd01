"""Hooks, loops and optimizer wrappers for mmengine's runner."""

from .hooks import (
    ChannelsLastHook,
    CheckpointFitHook,
    EpisodeVisualizationHook,
    StepSeedHook,
)
from .loops import CachedTestLoop, CachedValLoop
from .optim_wrappers import Bfloat16OptimWrapper

__all__ = [
    'Bfloat16OptimWrapper',
    'CachedTestLoop',
    'CachedValLoop',
    'ChannelsLastHook',
    'CheckpointFitHook',
    'EpisodeVisualizationHook',
    'StepSeedHook',
]
