"""Pictures to find keypoints in: images, folders, videos and cameras."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

import cv2
import numpy as np

from mmcape.utils.input_error import InputError

from .pictures import Picture, check_picture, read_picture

IMAGE_SUFFIXES = frozenset(
    ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp', '.ppm', '.pgm')
)
VIDEO_SUFFIXES = frozenset(
    ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg', '.wmv')
)

Inputs = Union[int, Picture, Sequence[Picture]]
"""An image, a list, a folder, a glob, a video file or a camera's number."""


@dataclass(frozen=True)
class Query:
    """One picture, or why there is none."""

    name: str
    """Path of the image or video, or what stands for it."""
    index: int
    """Place among the inputs."""
    image: np.ndarray | None
    """(H, W, 3) uint8 BGR."""
    problem: str = ''
    """Why there is no image."""
    frame: int | None = None
    """Frame of the video or camera, counted from 0."""

    @property
    def label(self) -> str:
        """What messages call it."""
        if self.frame is None:
            return self.name
        return f'{self.name}, frame {self.frame}'


class Images:
    """Images one after the other, each read when it is due.

    Args:
        pictures: Paths or arrays.
    """

    is_video = False

    def __init__(self, pictures: Sequence[Picture]) -> None:
        self.pictures = pictures

    def __len__(self) -> int:
        return len(self.pictures)

    def __iter__(self) -> Iterator[Query]:
        for index, picture in enumerate(self.pictures):
            is_array = isinstance(picture, np.ndarray)
            name = f'image_{index:06d}' if is_array else str(picture)
            try:
                if isinstance(picture, np.ndarray):
                    image = check_picture(picture, name)
                else:
                    image = read_picture(picture)
            except InputError as error:
                yield Query(name, index, None, problem=str(error))
            else:
                yield Query(name, index, image)


class Frames:
    """Frames of a video or of a camera.

    Args:
        source: Path of a video, or a camera's number.

    Raises:
        InputError: If it cannot be opened.
    """

    is_video = True

    def __init__(self, source: str | int) -> None:
        self.is_live = isinstance(source, int)
        self.name = f'camera {source}' if isinstance(source, int) else source
        self._capture = cv2.VideoCapture(source)
        if not self._capture.isOpened():
            raise InputError(
                f'{self.name} cannot be opened: is it there, and is its '
                'format known to OpenCV?'
            )
        count = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.length = count if count > 0 else None
        """Number of frames as the file tells, None if it does not."""
        self.rate = float(self._capture.get(cv2.CAP_PROP_FPS)) or 25.0
        """Frames a second."""

    def __iter__(self) -> Iterator[Query]:
        """Frames until the end; then the source is closed.

        Raises:
            InputError: If there is no frame at all.
        """
        number = 0
        try:
            while True:
                there, image = self._capture.read()
                if not there:
                    break
                yield Query(self.name, number, image, frame=number)
                number += 1
        finally:
            self._capture.release()
        if not number:
            raise InputError(f'{self.name} has no frame that can be read')


def open_queries(inputs: Any) -> Images | Frames:
    """What inputs mean.

    Raises:
        InputError: If there is nothing, or it is none of these.
    """
    if isinstance(inputs, np.ndarray):
        return Images([inputs])
    if isinstance(inputs, int) and not isinstance(inputs, bool):
        return Frames(inputs)
    if isinstance(inputs, (str, Path)):
        return _open_path(str(inputs))
    if isinstance(inputs, Sequence):
        for one in inputs:
            if not isinstance(one, (str, Path, np.ndarray)):
                raise InputError(
                    'a list of inputs holds paths and arrays, not '
                    f'{type(one).__name__}'
                )
        if not inputs:
            raise InputError('the list of inputs is empty')
        return Images(inputs)
    raise InputError(
        f'cannot look for keypoints in {type(inputs).__name__}: give a path, '
        'an array, a list of these, or a camera number'
    )


def _open_path(path: str) -> Images | Frames:
    place = Path(path)
    if place.is_dir():
        return _all_images(place.iterdir(), f'folder {path}')
    if not place.exists():
        if path.isdigit():
            return Frames(int(path))
        if glob.has_magic(path):
            found = glob.iglob(path, recursive=True)
            return _all_images(map(Path, found), f'pattern {path}')
    if place.suffix.lower() in VIDEO_SUFFIXES:
        if not place.is_file():
            raise InputError(f'video {path} is missing')
        return Frames(path)
    return Images([path])


def _all_images(places: Any, where: str) -> Images:
    found = sorted(
        str(place)
        for place in places
        if place.suffix.lower() in IMAGE_SUFFIXES and place.is_file()
    )
    if not found:
        raise InputError(
            f'{where} has no image ({", ".join(sorted(IMAGE_SUFFIXES))})'
        )
    return Images(found)
