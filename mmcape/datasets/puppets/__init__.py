"""Puppets: a drawn benchmark for category-agnostic pose estimation."""

from __future__ import annotations

from .dataset import GENERATOR_VERSION, OtherPuppetsError, generate
from .scene import Variation
from .sheet import contact_sheet
from .species import FAMILIES

__all__ = [
    'FAMILIES',
    'GENERATOR_VERSION',
    'OtherPuppetsError',
    'Variation',
    'contact_sheet',
    'generate',
]
