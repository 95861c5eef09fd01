"""What follows the backbone."""

from .base import FewShotHead, HeadOutput, SupportEncoding
from .capeformer_head import CapeFormerHead, CapeOutput

__all__ = [
    'CapeFormerHead',
    'CapeOutput',
    'FewShotHead',
    'HeadOutput',
    'SupportEncoding',
]
