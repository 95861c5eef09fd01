"""What mmpose's own transforms lack for episodes."""

from .for_each_instance import ForEachInstance
from .image_cache import ImageCache
from .load_annotated_image import LoadAnnotatedImage, UnreadableImageError
from .pack_episode import PackEpisodeInputs
from .random_scale_rotation import RandomScaleRotation
from .square_crop_box import GetSquareCropBox

__all__ = [
    'ForEachInstance',
    'GetSquareCropBox',
    'ImageCache',
    'LoadAnnotatedImage',
    'PackEpisodeInputs',
    'RandomScaleRotation',
    'UnreadableImageError',
]
