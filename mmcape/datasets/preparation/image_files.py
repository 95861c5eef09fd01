"""What an image file holds: its size, and whether it is intact."""

from __future__ import annotations

import warnings
from pathlib import Path

from PIL import Image, UnidentifiedImageError

_ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)


class BrokenImageError(Exception):
    """A file that is no intact image."""


def has_size(path: Path, size: tuple[int, int]) -> bool:
    """Whether a file is an image of this width and height."""
    try:
        return path.is_file() and image_size(path) == size
    except BrokenImageError:
        return False


def image_size(path: Path, decode: bool = False) -> tuple[int, int]:
    """Width and height as a loader sees them, turned as EXIF says.

    Args:
        path: The file.
        decode: Whether to decode all of it: what its head promises may be
            missing.

    Raises:
        BrokenImageError: If the file cannot be read.
    """
    try:
        with warnings.catch_warnings(), Image.open(path) as image:
            warnings.simplefilter('ignore')
            width, height = image.size
            turned = image.getexif().get(_ORIENTATION) in _TURNED
            if decode:
                image.load()
    except (
        OSError,
        SyntaxError,
        ValueError,
        UnidentifiedImageError,
        Image.DecompressionBombError,
    ) as error:
        raise BrokenImageError(f'{path} is no intact image: {error}') from None
    return (height, width) if turned else (width, height)
