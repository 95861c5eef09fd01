"""What follows the backbone."""

from .capeformer_head import CapeFormerHead, CapeOutput, SupportEncoding
from .keypoint_channels_head import KeypointChannelsHead
from .map_head import MapHead, MapOutput
from .protonet_head import ProtoNetHead

__all__ = [
    'CapeFormerHead',
    'CapeOutput',
    'KeypointChannelsHead',
    'MapHead',
    'MapOutput',
    'ProtoNetHead',
    'SupportEncoding',
]
