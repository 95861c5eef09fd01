"""Pictures of episodes."""

from .episode import draw_episode, draw_keypoints

__all__ = ['draw_episode', 'draw_keypoints']
