"""Hooks for mmengine's runner."""

from .episode_visualization_hook import EpisodeVisualizationHook
from .step_seed_hook import StepSeedHook

__all__ = ['EpisodeVisualizationHook', 'StepSeedHook']
