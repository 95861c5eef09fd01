"""Finding a support's keypoints in one's own pictures."""

from .errors import InputError

__all__ = ['InputError']
