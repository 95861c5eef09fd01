"""Reading an image and holding it against its annotation."""

from __future__ import annotations

from typing import Any

from mmpose.datasets.transforms import LoadImage
from mmpose.registry import TRANSFORMS

from .image_cache import ImageCache


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
            ValueError: If it cannot be read, or has another size.
        """
        try:
            loaded = self._load(results)
        except (AttributeError, OSError) as error:
            raise ValueError(
                'the file is missing or no intact image'
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
        if not self.cache or 'img' in results:
            return super().transform(results)
        image = self.cache.get(results['img_path'])
        if image is not None:
            return super().transform(dict(results, img=image))
        loaded = super().transform(results)
        self.cache.put(results['img_path'], loaded['img'])
        return loaded
