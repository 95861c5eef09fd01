"""Hooks for mmengine's runner."""

from .hooks import EpisodeVisualizationHook, StepSeedHook

__all__ = ['EpisodeVisualizationHook', 'StepSeedHook']
