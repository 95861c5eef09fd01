"""What follows the backbone."""

from .capeformer_head import CapeFormerHead, CapeOutput, SupportEncoding
from .map_head import MapHead, MapOutput
from .protonet_head import ProtoNetHead

__all__ = [
    'CapeFormerHead',
    'CapeOutput',
    'MapHead',
    'MapOutput',
    'ProtoNetHead',
    'SupportEncoding',
]
