"""A COCO keypoint file with one or more categories."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from mmcape.utils.json_files import JsonError, read_json

from ..annotation_checks import (
    AnnotationError,
    check_annotations,
    keypoint_counts,
)
from ..instances import category_name, describe_categories
from ..preparation.image_files import has_size
from .own_data import Category, ConversionError, Instance, OwnData, OwnImage


def read_coco(path: Path, image_root: Path) -> OwnData:
    """Read a COCO keypoint file.

    Args:
        path: The file.
        image_root: Folder that names of images are relative to.

    Raises:
        ConversionError: If it is broken or images are missing, naming all
            ids, or two categories have the same name.
    """
    content = _read(path)
    try:
        problems = check_annotations(content, str(path), str(image_root))
    except AnnotationError as error:
        raise ConversionError(str(error)) from None
    if problems:
        raise ConversionError(f'{problems.report()}\nCorrect these first')
    names = [category_name(category) for category in content['categories']]
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        ids = [
            category['id']
            for category in content['categories']
            if category_name(category) in repeated
        ]
        raise ConversionError(
            f'{path}: categories with the ids {ids} are named {repeated}; '
            'give each a name of its own'
        )

    data = OwnData()
    _add_categories(content, data, path)
    by_id = {
        category['id']: name
        for category, name in zip(content['categories'], names)
    }
    images = {image['id']: image for image in content['images']}
    for ann in content['annotations']:
        name = by_id[ann['category_id']]
        keypoints = np.array(ann.get('keypoints') or [], float).reshape(-1, 3)
        if not (keypoints[:, 2] > 0).any():
            continue
        image = images[ann['image_id']]
        data.images[image['file_name']] = OwnImage(
            image_root / image['file_name'], (image['width'], image['height'])
        )
        data.instances.append(
            Instance(
                image['file_name'],
                name,
                keypoints,
                ann.get('bbox') and tuple(ann['bbox']),
                ann.get('iscrowd', 0),
            )
        )
    other_sizes = [
        name
        for name, own in data.images.items()
        if not has_size(own.path, own.size)
    ]
    if other_sizes:
        raise ConversionError(
            f'{path}: images that are broken or have another size than '
            f'annotated: {", ".join(other_sizes[:10])}'
            f'{" and more" if len(other_sizes) > 10 else ""}'
        )
    used = {instance.category for instance in data.instances}
    data.categories = {
        name: category
        for name, category in data.categories.items()
        if name in used
    }
    data.unlabelled = len(images) - len(data.images)
    return data


def _add_categories(content: Any, data: OwnData, path: Path) -> None:
    counts = keypoint_counts(content)
    for key, described in describe_categories(content).items():
        keypoints = described['keypoint_names'] or [
            f'keypoint_{i + 1}' for i in range(counts[key])
        ]
        data.add_category(
            described['name'],
            Category(tuple(keypoints), tuple(described['skeleton'])),
            path,
        )


def _read(path: Path) -> Any:
    try:
        return read_json(path)
    except FileNotFoundError:
        raise ConversionError(f'{path} is missing') from None
    except JsonError as error:
        raise ConversionError(str(error)) from error
