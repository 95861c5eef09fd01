"""Hooks for mmengine's runner."""

from .checkpoint_fit_hook import CheckpointFitHook
from .episode_visualization_hook import EpisodeVisualizationHook
from .step_seed_hook import StepSeedHook

__all__ = ['CheckpointFitHook', 'EpisodeVisualizationHook', 'StepSeedHook']
