"""Everything that can be wrong with an annotation file, found at once.

The checks read the parsed JSON and touch no image but for its existence. They
say what is broken, not what the protocol drops on purpose (crowds, instances
without a box or without a labelled keypoint).
"""

from __future__ import annotations

import os.path as osp
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from mmcape.utils.file_names import leaves_folder

SHOWN_IDS = 10
LARGEST = 1e9
"""In pixels; no image is as large, and single precision reaches far beyond."""


class AnnotationError(ValueError):
    """An annotation file, or the images beside it, cannot be used as is."""


class Problems:
    """What is wrong with one annotation file.

    Args:
        ann_file: The file, named in the report.
    """

    def __init__(self, ann_file: str) -> None:
        self.ann_file = ann_file
        self.found: dict[str, list[Any]] = defaultdict(list)
        self.bad_annotations: set[int] = set()
        """Positions in the file's list of annotations."""
        self.bad_categories: set[int] = set()
        """Ids of categories whose description cannot be used."""

    def __bool__(self) -> bool:
        return bool(self.found)

    def add(self, what: str, where: Any, position: int | None = None) -> None:
        """Note a problem; ``position`` names an unusable annotation."""
        self.found[what].append(where)
        if position is not None:
            self.bad_annotations.add(position)

    def usable(self, content: dict[str, Any]) -> dict[str, Any]:
        """The file without its unusable annotations and categories."""
        return dict(
            content,
            annotations=[
                ann
                for position, ann in enumerate(content['annotations'])
                if position not in self.bad_annotations
            ],
            categories=[
                category
                for category in content['categories']
                if category['id'] not in self.bad_categories
            ],
        )

    def report(self) -> str:
        """One line a kind of problem, with the ids it was met at."""
        if not self.found:
            return f'{self.ann_file} has no problems'
        lines = [f'{self.ann_file} has problems:']
        for what, where in self.found.items():
            ids = ', '.join(map(_shown, where[:SHOWN_IDS]))
            if len(where) > SHOWN_IDS:
                ids += f' and {len(where) - SHOWN_IDS} more'
            lines.append(f'  {what}: {ids}')
        return '\n'.join(lines)


def check_annotations(
    content: Any, ann_file: str, img_root: str | None = None
) -> Problems:
    """Check a COCO-format keypoint file.

    Args:
        content: The parsed JSON.
        ann_file: Where it came from.
        img_root: Folder that ``file_name`` is relative to; None does not look
            for the images.

    Raises:
        AnnotationError: If the file has not the three lists at all, so that
            nothing in it can be checked.
    """
    for section in ('images', 'annotations', 'categories'):
        entries = content.get(section) if isinstance(content, dict) else None
        if not isinstance(entries, list) or not all(
            isinstance(entry, dict) and _is_id(entry.get('id'))
            for entry in entries
        ):
            raise AnnotationError(
                f'{ann_file} is no COCO file: `{section}` must be a list of '
                'objects with an integer `id` each'
            )

    problems = Problems(ann_file)
    for section in ('images', 'annotations', 'categories'):
        for duplicate in _duplicates(content[section]):
            problems.add(f'duplicate id in `{section}`', duplicate)
    _check_categories(content, problems)
    bad_images = _check_images(content, img_root, problems)
    _check_instances(content, bad_images, problems)
    return problems


def _check_categories(content: dict[str, Any], problems: Problems) -> None:
    for category in content['categories']:
        names = category.get('keypoints') or []
        skeleton = category.get('skeleton') or []
        if not isinstance(category.get('name', ''), (str, int, float)):
            what = 'category whose `name` is no text'
        elif not isinstance(names, list) or not all(
            isinstance(name, str) for name in names
        ):
            what = 'category whose `keypoints` are no list of names'
        elif not isinstance(skeleton, list) or not all(
            isinstance(edge, list)
            and len(edge) == 2
            and all(_is_id(end) and end >= 0 for end in edge)
            for edge in skeleton
        ):
            what = 'category whose `skeleton` is no list of keypoint pairs'
        else:
            continue
        problems.add(f'{what}, category id', category['id'])
        problems.bad_categories.add(category['id'])


def _check_images(
    content: dict[str, Any], img_root: str | None, problems: Problems
) -> set[int]:
    """Ids of the images that cannot be used."""
    bad = set()
    for image in content['images']:
        name = image.get('file_name')
        if not isinstance(name, str) or not name:
            what, where = 'image without `file_name`, image id', image['id']
        elif leaves_folder(name):
            what, where = 'file name that leaves the image folder', name
        elif not all(
            _is_number(image.get(side)) and image[side] > 0
            for side in ('width', 'height')
        ):
            what, where = (
                'image without width and height, image id',
                image['id'],
            )
        elif img_root is not None and not osp.isfile(osp.join(img_root, name)):
            what, where = f'image file missing in {img_root}', name
        else:
            continue
        problems.add(what, where)
        bad.add(image['id'])
    return bad


def _check_instances(
    content: dict[str, Any], bad_images: set[int], problems: Problems
) -> None:
    images = {image['id'] for image in content['images']}
    counts = keypoint_counts(content)
    for category in problems.bad_categories:
        counts.pop(category, None)
    seen: set[int] = set()
    for position, ann in enumerate(content['annotations']):
        what = _instance_problem(ann, images, counts)
        if what is not None:
            problems.add(f'{what}, annotation id', ann['id'], position)
        elif ann['image_id'] in bad_images or ann['id'] in seen:
            problems.bad_annotations.add(position)
        seen.add(ann['id'])


def _instance_problem(
    ann: dict[str, Any], images: set[int], counts: dict[int, int]
) -> str | None:
    image, category = ann.get('image_id'), ann.get('category_id')
    if not _is_id(image) or image not in images:
        return 'no such image'
    if not _is_id(category) or category not in counts:
        return 'no usable category'
    if ann.get('iscrowd', 0) not in (0, 1):
        return '`iscrowd` is neither 0 nor 1'
    bbox, keypoints = ann.get('bbox'), ann.get('keypoints')
    if bbox is not None and not are_numbers(bbox, 4):
        return f'`bbox` is not four finite numbers within {LARGEST:g}'
    if not _is_number(ann.get('area', 0), LARGEST**2):
        return '`area` is not a finite number'
    if keypoints is not None:
        expected = 3 * counts[ann['category_id']]
        if not isinstance(keypoints, list) or len(keypoints) != expected:
            return 'keypoint count differs from the category definition'
        if not are_numbers(keypoints, expected):
            return (
                '`keypoints` has values that are not finite numbers within '
                f'{LARGEST:g}'
            )
    return None


def keypoint_counts(content: dict[str, Any]) -> dict[int, int]:
    """Number of keypoints of each category id.

    Where a category has no list of keypoint names, the number that most of
    its annotations have counts.
    """
    lengths: dict[Any, Counter[int]] = defaultdict(Counter)
    for ann in content['annotations']:
        category, keypoints = ann.get('category_id'), ann.get('keypoints')
        if _is_id(category) and isinstance(keypoints, list):
            lengths[category][len(keypoints) // 3] += 1
    counts = {}
    for category in content['categories']:
        names, key = category.get('keypoints'), category['id']
        if isinstance(names, list) and names:
            counts[key] = len(names)
        else:
            usual = lengths[key].most_common(1)
            counts[key] = usual[0][0] if usual else 0
    return counts


def _shown(where: Any) -> str:
    """An id or a name; a name that would garble a terminal is escaped."""
    text = str(where)
    return text if text.isprintable() else ascii(text)


def _duplicates(entries: list[dict[str, Any]]) -> Iterator[int]:
    counts = Counter(entry['id'] for entry in entries)
    return (key for key, count in counts.items() if count > 1)


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any, largest: float = LARGEST) -> bool:
    return (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and -largest <= value <= largest
    )


def are_numbers(values: Any, count: int) -> bool:
    """Whether this is a list of so many finite numbers."""
    return (
        isinstance(values, list)
        and len(values) == count
        and all(map(_is_number, values))
    )
