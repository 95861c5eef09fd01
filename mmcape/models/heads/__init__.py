"""What follows the backbone."""

from .base import FewShotHead, HeadOutput, SupportEncoding
from .capeformer_head import CapeFormerHead, CapeOutput
from .pomnet_head import PomNetHead, PomNetOutput

__all__ = [
    'CapeFormerHead',
    'CapeOutput',
    'FewShotHead',
    'HeadOutput',
    'PomNetHead',
    'PomNetOutput',
    'SupportEncoding',
]
