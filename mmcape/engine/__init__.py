"""Hooks for mmengine's runner."""

from .hooks import CheckpointFitHook, EpisodeVisualizationHook, StepSeedHook

__all__ = ['CheckpointFitHook', 'EpisodeVisualizationHook', 'StepSeedHook']
