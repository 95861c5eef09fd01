"""Finding a support's keypoints in one's own pictures."""

from mmcape.utils.input_error import InputError

from .inferencer import CapeInferencer
from .support import AnnotatedSupport, annotate, annotate_from, read_support

__all__ = [
    'AnnotatedSupport',
    'CapeInferencer',
    'InputError',
    'annotate',
    'annotate_from',
    'read_support',
]
