"""What follows the backbone."""

from .capeformer_head import CapeFormerHead, CapeOutput, SupportEncoding

__all__ = ['CapeFormerHead', 'CapeOutput', 'SupportEncoding']
