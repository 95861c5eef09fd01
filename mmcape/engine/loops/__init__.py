"""Loops for mmengine's runner."""

from .cached_evaluation import CachedTestLoop, CachedValLoop

__all__ = ['CachedTestLoop', 'CachedValLoop']
