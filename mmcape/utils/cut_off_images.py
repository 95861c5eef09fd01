"""Image files that end too early; OpenCV fills such images up with grey."""

from __future__ import annotations

import io
import os
from pathlib import Path

from PIL import Image, UnidentifiedImageError

_ENDS = (b'\xff\xd9', b'IEND\xaeB`\x82')
"""Last bytes of an intact JPEG and PNG file."""
_TAIL = 64


def is_cut_off(content: bytes) -> bool:
    """Whether an image file's content ends too early.

    Only where the usual end is missing, all of it is decoded once more.
    """
    if _has_usual_end(content):
        return False
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.load()
    except (OSError, SyntaxError, ValueError) as error:
        # formats that Pillow does not know are OpenCV's to judge
        return not isinstance(error, UnidentifiedImageError)
    return False


def is_cut_off_file(path: str) -> bool:
    """:func:`is_cut_off` of a file, of which only the end is read if intact.

    Raises:
        OSError: If the file cannot be read.
    """
    with open(path, 'rb') as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        if _has_usual_end(file.read()):
            return False
    return is_cut_off(Path(path).read_bytes())


def _has_usual_end(content: bytes) -> bool:
    return content.rstrip(b'\0').endswith(_ENDS)
