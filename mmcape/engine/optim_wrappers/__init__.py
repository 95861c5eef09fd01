"""Optimizer wrappers for mmengine's runner."""

from .bfloat16_optim_wrapper import Bfloat16OptimWrapper

__all__ = ['Bfloat16OptimWrapper']
