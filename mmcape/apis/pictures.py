"""Image files and arrays, read as the benchmark reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Union

import cv2
import mmcv
import numpy as np

from mmcape.utils.cut_off_images import is_cut_off
from mmcape.utils.input_error import InputError

Picture = Union[str, Path, np.ndarray]
"""Path of an image, or (H, W, 3) uint8 in BGR order, as OpenCV has it."""


def read_picture(picture: Picture) -> np.ndarray:
    """Image (H, W, 3) uint8 BGR.

    Raises:
        InputError: If the file is missing or broken, or the array no image.
    """
    if isinstance(picture, np.ndarray):
        return check_picture(picture)
    return decode_picture(read_file(picture), str(picture))


def read_file(path: str | Path) -> bytes:
    """Content of an image file.

    Raises:
        InputError: If it cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(
            f'image {path} cannot be read: {error.strerror}'
        ) from error


def decode_picture(content: bytes, name: str) -> np.ndarray:
    """Image of a file's content.

    Raises:
        InputError: If it is no intact image.
    """
    image = mmcv.imfrombytes(content) if content else None
    if image is None or is_cut_off(content):
        raise InputError(f'{name} is no intact image')
    return image


def encode_picture(image: np.ndarray) -> bytes:
    """An image as the content of a file, without loss."""
    _, content = cv2.imencode('.png', image)
    return content.tobytes()


def check_picture(image: np.ndarray, name: str = 'the array') -> np.ndarray:
    """An array as a colour image.

    Raises:
        InputError: If it has another shape or type.
    """
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise InputError(
            f'{name} has shape {image.shape} and type {image.dtype}; an '
            'image is (H, W, 3) uint8 in BGR order'
        )
    if not image.size:
        raise InputError(f'{name} is an image of no size: {image.shape}')
    return image
