"""Where in a picture the object is.

Boxes are corners x1, y1, x2, y2 in pixels: the first and the last pixel of
the object, as in the benchmark.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Union

import numpy as np

from mmcape.datasets.annotation_checks import are_numbers
from mmcape.datasets.instances import clip_box
from mmcape.formats.files import read_json
from mmcape.utils.input_error import InputError

PADDING = 0.15
"""Around keypoints whose extent stands for the object's box."""

Detector = Callable[[np.ndarray], Any]
"""Image (H, W, 3) uint8 BGR to boxes (N, 4), or (N, 5) with scores."""
BoxSource = Union[None, str, Path, Detector, np.ndarray, Sequence[Any]]


def whole_image(size: tuple[int, int]) -> np.ndarray:
    """Box (4,) of an image of size (w, h)."""
    return np.array([0, 0, size[0] - 1, size[1] - 1], np.float64)


def clip_corners(
    box: np.ndarray, size: tuple[int, int], where: str
) -> np.ndarray:
    """The part of a box (4,) within an image of size (w, h).

    Raises:
        InputError: If nothing is left.
    """
    limit = np.array([*size, *size], np.float64) - 1
    clipped = np.clip(np.asarray(box, np.float64), 0, limit)
    x1, y1, x2, y2 = clipped
    if not np.isfinite(clipped).all() or x2 <= x1 or y2 <= y1:
        numbers = ', '.join(f'{value:g}' for value in np.ravel(box))
        raise InputError(
            f'box ({numbers}) {where} has no area within its {size[0]} x '
            f'{size[1]} pixels; a box is x1, y1, x2, y2'
        )
    return clipped


def extent(points: np.ndarray) -> np.ndarray:
    """Box (4,) around points (N, 2), N > 0.

    15 % of the longer side (at least a pixel long) are added on every side.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    margin = PADDING * max((high - low).max(), 1.0)
    return np.concatenate([low - margin, high + margin])


class BoxFinder:
    """Boxes of a query, from any source.

    Args:
        source: None for the whole image; a COCO file; a detector; or
            boxes: (4,) for every image alike, (N, 4) for N instances of one
            image or one box for each of N images, or a list with (4,),
            (M, 4) or None for each image.
        count: Number of images, None if it is not known.

    Raises:
        InputError: If the source fits neither.
    """

    def __init__(self, source: BoxSource, count: int | None) -> None:
        self._file: _FileBoxes | None = None
        self._detector: Detector | None = None
        self._of_image: Sequence[Any] | None = None
        self._of_all: np.ndarray | None = None
        if isinstance(source, (str, Path)):
            self._file = _FileBoxes(Path(source))
        elif callable(source):
            self._detector = source
        elif source is not None:
            self._take(source, count)

    def _take(self, source: Any, count: int | None) -> None:
        single = _numbers(source)
        if single is not None and single.shape == (4,):
            self._of_all = single[None]
        elif single is not None and count == 1 and single.shape[1:] == (4,):
            self._of_all = single
        elif len(source) == count:
            self._of_image = source
        else:
            images = 'an unknown number of' if count is None else count
            raise InputError(
                f'{len(source)} boxes for {images} images: give one box '
                '(x1, y1, x2, y2) for all, or a list with the boxes of each '
                'image'
            )

    def __call__(
        self, name: str, image: np.ndarray, index: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Boxes (N, 4) and their scores (N,) of an image.

        Args:
            name: Path of the image.
            image: (H, W, 3) uint8 BGR.
            index: Its place among the inputs.

        Raises:
            InputError: If a box is none, or lies beside the image.
        """
        size = (image.shape[1], image.shape[0])
        found: Any = whole_image(size)
        if self._file is not None:
            found = self._file.of(name)
        elif self._detector is not None:
            found = self._detector(image)
        elif self._of_all is not None:
            found = self._of_all
        elif self._of_image is not None and self._of_image[index] is not None:
            found = self._of_image[index]

        boxes = _numbers(found)
        if boxes is None or not (
            boxes.size == 0 or boxes.shape[-1:] in ((4,), (5,))
        ):
            raise InputError(
                f'boxes of {name} are no rows of x1, y1, x2, y2: {found!r}'
            )
        boxes = boxes.reshape(-1, boxes.shape[-1] if boxes.size else 4)
        scores = np.ones(len(boxes))
        if boxes.shape[1] == 5:
            boxes, scores = boxes[:, :4], boxes[:, 4]
        clipped = [clip_corners(box, size, f'of {name}') for box in boxes]
        return np.reshape(clipped, (-1, 4)), scores


def _numbers(values: Any) -> np.ndarray | None:
    """As an array of numbers; None if it is ragged or none."""
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError):
        return None


class _FileBoxes:
    """Boxes of a COCO file, by the name of the image.

    Raises:
        InputError: If it is no such file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        content = read_json(path)
        try:
            images = {image['id']: image for image in content['images']}
            self._boxes: dict[str, list[Any]] = {
                image['file_name']: [] for image in images.values()
            }
            for ann in content['annotations']:
                image, box = images[ann['image_id']], ann['bbox']
                if not are_numbers([*box, image['width'], image['height']], 6):
                    raise ValueError(f'box {box} of an image of no size')
                box = clip_box(box, image['width'], image['height'])
                if box is not None:
                    scored = (*box, ann.get('score', 1.0))
                    self._boxes[image['file_name']].append(scored)
            self._by_last_name: dict[str, list[str]] = defaultdict(list)
            for name in self._boxes:
                self._by_last_name[PurePosixPath(name).name].append(name)
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            raise InputError(
                f'{path} is no COCO file with boxes: {error!r}'
            ) from error

    def of(self, name: str) -> list[Any]:
        """Boxes of the image whose path ends with a name of the file.

        Raises:
            InputError: If there is none, or several.
        """
        path = Path(name)
        candidates = self._by_last_name.get(path.name, [])
        if len(candidates) > 1:
            candidates = [
                one
                for one in candidates
                if path.as_posix().endswith(f'/{one}')
            ]
        if len(candidates) != 1:
            what = 'several images' if candidates else 'no image'
            raise InputError(f'{self.path} has {what} of the name {name}')
        return self._boxes[candidates[0]]
