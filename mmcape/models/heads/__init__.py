"""What follows the backbone."""

from .base import (
    FewShotHead,
    HeadOutput,
    KeypointHead,
    SupportEncoding,
    SupportMatching,
)
from .capeformer_head import CapeFormerHead, CapeOutput
from .keypoint_channels_head import KeypointChannelsHead
from .map_head import MapHead, MapOutput
from .pomnet_head import PomNetHead, PomNetOutput
from .protonet_head import ProtoNetHead

__all__ = [
    'CapeFormerHead',
    'CapeOutput',
    'FewShotHead',
    'HeadOutput',
    'KeypointChannelsHead',
    'KeypointHead',
    'MapHead',
    'MapOutput',
    'PomNetHead',
    'PomNetOutput',
    'ProtoNetHead',
    'SupportEncoding',
    'SupportMatching',
]
