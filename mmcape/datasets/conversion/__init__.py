"""From annotations of other tools to the format of MP-100."""

from .from_coco import read_coco
from .from_deeplabcut import read_deeplabcut
from .from_labelme import read_labelme
from .own_data import (
    Category,
    ConversionError,
    Instance,
    OwnData,
    OwnImage,
    merge,
)
from .split import split_categories
from .write import write

__all__ = [
    'Category',
    'ConversionError',
    'Instance',
    'OwnData',
    'OwnImage',
    'merge',
    'read_coco',
    'read_deeplabcut',
    'read_labelme',
    'split_categories',
    'write',
]
