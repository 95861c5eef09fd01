"""Files that a visitor uploads: checked, and kept in one folder."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from mmcape.apis.pictures import decode_picture, read_file
from mmcape.apis.queries import VIDEO_SUFFIXES, Frames
from mmcape.utils.input_error import InputError

_PREVIEW_SIDE = 1600
MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """How much a visitor may upload."""

    upload_mb: float = 50.0
    """Size of a file."""
    megapixels: float = 50.0
    """Size of a picture, or of a video's frame, once it is decoded."""
    shots: int = 10
    """Support pictures."""
    queries: int = 100
    """Query pictures."""
    frames: int = 300
    """Frames of a video."""
    session_mb: float = 1000.0
    """Everything that is kept of one visitor."""


@dataclass(frozen=True)
class StoredPicture:
    """A picture that was uploaded."""

    name: str
    """Its own name, or that of the video and the frame."""
    path: str
    """The file as it came; a frame is written as JPEG."""
    preview: str
    """JPEG for the browser, not larger than a screen."""
    size: tuple[int, int]
    """``(w, h)`` of the picture itself."""


class Store:
    """A visitor's files.

    Args:
        folder: Is made, and deleted by :meth:`clear`.
        limits: What is refused.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.folder = folder
        self.limits = limits
        self._number = 0
        self._sizes: dict[str, int] = {}
        folder.mkdir(parents=True)

    def keep_picture(self, upload: str | Path) -> StoredPicture:
        """Keep an image file.

        Raises:
            InputError: If it is none, is broken, or too large.
        """
        upload = Path(upload)
        self._check_size(upload)
        content = read_file(upload)
        self._check_pixels(_declared_size(content, upload.name), upload.name)
        image = decode_picture(content, upload.name)
        return self._keep(upload.name, content, image)

    def keep_video(self, upload: str | Path) -> list[StoredPicture]:
        """Keep the frames of a video.

        Raises:
            InputError: If it is none, has too many frames, or too large ones.
        """
        upload = Path(upload)
        self._check_size(upload)
        kept: list[StoredPicture] = []
        try:
            for number, image in enumerate(_frames(upload)):
                self._check_pixels(image.shape[1::-1], upload.name)
                if number >= self.limits.frames:
                    raise InputError(
                        f'{upload.name} has more than {self.limits.frames} '
                        'frames: cut it shorter'
                    )
                name = f'{upload.stem}_{number:06d}.jpg'
                kept.append(self._keep(name, _jpeg(image), image))
        except InputError:
            self.drop(kept)
            raise
        return kept

    def drop(self, pictures: list[StoredPicture]) -> None:
        """Delete pictures."""
        for picture in pictures:
            shutil.rmtree(Path(picture.path).parent, ignore_errors=True)
            self._sizes.pop(picture.path, None)

    def clear(self) -> None:
        """Delete everything."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _keep(
        self, name: str, content: bytes, image: np.ndarray
    ) -> StoredPicture:
        preview = _preview(image)
        size = len(content) + len(preview)
        used = sum(self._sizes.values())
        if used + size > self.limits.session_mb * MEGABYTE:
            raise InputError(
                f'{name} does not fit: a visitor may keep '
                f'{self.limits.session_mb:g} MB; remove other pictures first'
            )
        self._number += 1
        folder = self.folder / f'{self._number:06d}'
        folder.mkdir()
        # one folder a picture: two pictures may have the same name
        (folder / name).write_bytes(content)
        (folder / '_preview.jpg').write_bytes(preview)
        self._sizes[str(folder / name)] = size
        return StoredPicture(
            name=name,
            path=str(folder / name),
            preview=str(folder / '_preview.jpg'),
            size=(image.shape[1], image.shape[0]),
        )

    def _check_size(self, upload: Path) -> None:
        size = upload.stat().st_size
        if size > self.limits.upload_mb * MEGABYTE:
            raise InputError(
                f'{upload.name} has {size / MEGABYTE:.1f} MB, at most '
                f'{self.limits.upload_mb:g} MB are taken'
            )

    def _check_pixels(self, size: tuple[int, ...], name: str) -> None:
        if size[0] * size[1] > self.limits.megapixels * 1e6:
            raise InputError(
                f'{name} has {size[0]} x {size[1]} pixels, at most '
                f'{self.limits.megapixels:g} million are taken'
            )


def is_video(upload: str | Path) -> bool:
    """Whether a file is taken for a video, by its suffix."""
    return Path(upload).suffix.lower() in VIDEO_SUFFIXES


def _declared_size(content: bytes, name: str) -> tuple[int, int]:
    """Size (w, h) that a file's header tells, before anything is decoded."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            return image.size
    except (
        *(OSError, SyntaxError, ValueError),
        *(UnidentifiedImageError, Image.DecompressionBombError),
    ) as error:
        raise InputError(
            f'{name} is no intact image (JPEG, PNG, BMP, TIFF, WebP)'
        ) from error


def _frames(upload: Path) -> Iterator[np.ndarray]:
    try:
        for query in Frames(str(upload)):
            assert query.image is not None
            yield query.image
    except InputError as error:
        message = str(error).replace(str(upload), upload.name)
        raise InputError(message) from error


def _preview(image: np.ndarray) -> bytes:
    height, width = image.shape[:2]
    zoom = min(1.0, _PREVIEW_SIDE / max(height, width))
    size = max(1, round(width * zoom)), max(1, round(height * zoom))
    return _jpeg(cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def _jpeg(image: np.ndarray) -> bytes:
    _, content = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, 95])
    return content.tobytes()
