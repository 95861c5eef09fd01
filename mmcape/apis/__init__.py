"""Finding a support's keypoints in one's own pictures."""

from mmcape.utils.input_error import InputError

__all__ = ['InputError']
