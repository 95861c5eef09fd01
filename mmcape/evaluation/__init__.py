"""Metrics over episodes."""

from .episode_pck import EpisodePCK

__all__ = ['EpisodePCK']
