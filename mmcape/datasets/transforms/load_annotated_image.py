"""Reading an image and holding it against its annotation."""

from __future__ import annotations

import errno
import os.path as osp
from typing import Any

import cv2
from mmpose.datasets.transforms import LoadImage
from mmpose.registry import TRANSFORMS

from mmcape.utils.cut_off_images import is_cut_off_file
from mmcape.utils.input_error import InputError

from .image_cache import ImageCache

_OUR_OWN = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""Errors that say nothing about the file that was to be read."""


class UnreadableImageError(InputError):
    """An image that is missing, cut off, or none.

    Args:
        message: What is wrong.
        path: The file. Of an error that has left a loader's worker, the
            message alone is left.
        reason: What is wrong with the file, without its name.
    """

    def __init__(self, message: str, path: str = '', reason: str = '') -> None:
        super().__init__(message)
        self.path = path
        self.reason = reason or message


@TRANSFORMS.register_module()
class LoadAnnotatedImage(LoadImage):
    """Loads an image that must have the size that was annotated.

    Keypoints of another edition or a resized copy of an image would be
    scored without complaint.

    Required keys: img_path, annotated_size (w, h). Added keys: as in
    mmpose's ``LoadImage``. Optional key: img, taken in place of the file.

    Args:
        check_size: Whether another size is refused.
        cache: Arguments of an :class:`ImageCache` for decoded images, or None
            to decode an image each time. Images must be local files.
        **kwargs: Those of mmpose's ``LoadImage``.
    """

    def __init__(
        self,
        check_size: bool = True,
        cache: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.check_size = check_size
        self.cache = cache and ImageCache(**cache)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Load one image.

        Raises:
            UnreadableImageError: If it is missing or not intact.
            ValueError: If it has another size.
        """
        try:
            loaded = self._load(results)
        except (AssertionError, AttributeError, OSError, cv2.error) as error:
            # mmpose raises an error of its own from the one that it met
            if getattr(error.__context__, 'errno', None) in _OUR_OWN:
                raise
            raise UnreadableImageError(
                'the file is missing or no intact image', results['img_path']
            ) from error
        height, width = loaded['ori_shape']
        if self.check_size and (width, height) != results['annotated_size']:
            raise ValueError(
                f'the image has {width} x {height} pixels, its annotation '
                f'is for {results["annotated_size"]}; get the edition that '
                'was annotated, or set check_size=False if you know better'
            )
        return loaded

    def _load(self, results: dict[str, Any]) -> dict[str, Any]:
        if 'img' in results:
            return super().transform(results)
        path = results['img_path']
        image = self.cache.get(path) if self.cache else None
        if image is not None:
            return super().transform(dict(results, img=image))
        loaded = super().transform(results)
        if osp.isfile(path) and is_cut_off_file(path):
            raise OSError(f'{path} ends too early')
        if self.cache:
            self.cache.put(path, loaded['img'])
        return loaded
