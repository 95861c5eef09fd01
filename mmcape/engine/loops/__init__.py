"""Loops for mmengine's runner."""

from .cached_evaluation import CachedTestLoop, CachedValLoop
from .resumable_training import ResumableTrainLoop

__all__ = ['CachedTestLoop', 'CachedValLoop', 'ResumableTrainLoop']
