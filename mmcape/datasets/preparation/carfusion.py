"""CarFusion: the file behind an image id.

MP-100 names these images by the ids of the COCO conversion, which are
(position of the sequence in a folder listing) * 10^8 + camera * 10^5 + frame.
The listing's order depends on the machine. So camera and frame are read from
the id, and the sequence is the one whose annotated cars have the same boxes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from .annotation_files import WantedImage
from .finder import AMBIGUOUS, FOUND, MISSING, Choice, find_by_name
from .folder_index import FolderIndex
from .sources import Rule

IMAGE_FOLDER = 'images_jpg'
LABEL_FOLDER = 'gt'
FRAME_SIZE = (1920, 1080)
MIN_IOU = 0.9

Box = tuple[float, float, float, float]


class CarFusionFinder:
    """Finds the images of MP-100 in CarFusion's sequences.

    Args:
        rule: Rule for images that somebody has renamed already.
        index: All files of the source.
    """

    def __init__(self, rule: Rule, index: FolderIndex) -> None:
        self.rule = rule
        self.index = index
        self._frames: dict[tuple[int, int], list[Path]] = defaultdict(list)
        for path in index.all_paths():
            number = re.fullmatch(r'(\d+)_(\d+)', path.stem)
            if number and path.parent.name == IMAGE_FOLDER:
                key = int(number[1]), int(number[2])
                self._frames[key].append(path)
        self._by_box: dict[tuple[int, ...], list[Path]] | None = None

    def find(self, image: WantedImage) -> Choice:
        """Find an image by its id, then by size and boxes."""
        if not self._frames:
            choice = find_by_name(image, self.rule, self.index)
            if choice.status != FOUND:
                return choice
            return Choice(
                FOUND,
                path=choice.path,
                settled='name alone: renamed images cannot be verified',
            )
        boxes = [
            tuple(annotation['bbox'])
            for annotation in image.annotations
            if annotation.get('bbox')
        ]
        if image.size != FRAME_SIZE or not boxes:
            return Choice(
                MISSING,
                detail=f'annotated with {image.size} pixels and {len(boxes)} '
                f'boxes; CarFusion has {FRAME_SIZE}',
            )
        stem = Path(image.tail[-1]).stem
        if stem.isdigit():
            candidates = self._frames.get(camera_and_frame(int(stem)), [])
            fitting = [path for path in candidates if _same_boxes(boxes, path)]
            if len(fitting) == 1:
                return Choice(FOUND, path=fitting[0])
            if fitting:
                return Choice(AMBIGUOUS, detail=_listed(fitting))
        return self._find_anywhere(boxes)

    def _find_anywhere(self, boxes: Sequence[Box]) -> Choice:
        """Find the one image of any sequence that has exactly these boxes."""
        if self._by_box is None:
            self._by_box = defaultdict(list)
            for paths in self._frames.values():
                for path in paths:
                    for box in labelled_boxes(path):
                        self._by_box[_rounded(box)].append(path)
        fitting = set.intersection(
            *(set(self._by_box.get(_rounded(box), ())) for box in boxes)
        )
        if len(fitting) == 1:
            return Choice(FOUND, path=fitting.pop(), settled='boxes alone')
        if fitting:
            return Choice(AMBIGUOUS, detail=_listed(sorted(fitting)))
        return Choice(
            MISSING,
            detail='no frame has cars in the annotated boxes; are all '
            f'sequences there, each with {IMAGE_FOLDER} and {LABEL_FOLDER}?',
        )


def camera_and_frame(image_id: int) -> tuple[int, int]:
    """What an image id tells besides the sequence."""
    return image_id % 10**8 // 10**5, image_id % 10**5


def labelled_boxes(image_path: Path) -> list[Box]:
    """Boxes (x, y, w, h) of an image's cars, as the COCO conversion has them.

    Lines of a label file are x, y, keypoint, car, visibility (1 visible, 2
    or 3 occluded). A box encloses a car's points and is widened to 5/4.
    """
    labels = image_path.parents[1] / LABEL_FOLDER / f'{image_path.stem}.txt'
    width, height = FRAME_SIZE
    cars: dict[int, list[tuple[float, float]]] = defaultdict(list)
    try:
        lines = labels.read_text().splitlines()
    except OSError:
        return []
    for line in lines:
        try:
            x, y, _, car, visibility = map(float, line.split(',')[:5])
        except ValueError:
            continue
        x, y = int(x), int(y)
        if visibility in (1, 2, 3) and 0 < x <= width and 0 < y <= height:
            cars[int(car)].append((x, y))
    return [_widened_box(points) for points in cars.values()]


def _widened_box(points: Iterable[tuple[float, float]]) -> Box:
    array = np.array(list(points))
    (left, top), (right, bottom) = array.min(axis=0), array.max(axis=0)
    w, h = right - left, bottom - top
    x, y = max(left - w / 10, 0), max(top - h / 10, 0)
    w = min(x + 1.25 * w, FRAME_SIZE[0]) - x
    h = min(y + 1.25 * h, FRAME_SIZE[1]) - y
    return int(x), int(y), int(w), int(h)


def _same_boxes(boxes: Sequence[Box], path: Path) -> bool:
    """Whether every box is that of a car in the image."""
    found = labelled_boxes(path)
    return all(
        max((_iou(box, other) for other in found), default=0) >= MIN_IOU
        for box in boxes
    )


def _iou(one: Box, other: Box) -> float:
    w = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    h = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    common = max(w, 0) * max(h, 0)
    union = one[2] * one[3] + other[2] * other[3] - common
    return common / union if union > 0 else 0.0


def _rounded(box: Box) -> tuple[int, ...]:
    return tuple(round(value) for value in box)


def _listed(paths: Sequence[Path]) -> str:
    return f'equal boxes in {", ".join(map(str, paths))}'
