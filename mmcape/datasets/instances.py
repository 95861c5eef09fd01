"""Checked annotations -> the instances that the protocol keeps."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from xtcocotools.coco import COCO

from .annotation_checks import keypoint_counts


def kept_instances(content: dict[str, Any]) -> list[dict[str, Any]]:
    """One record per kept instance, in image order.

    Kept are annotations that are no crowd and have a box of positive size
    within the image and a labelled keypoint. Boxes are corners in pixels.

    Args:
        content: A COCO-format file without problems.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO('checked annotations', ann_data=content)
    records = []
    for image_id in coco.getImgIds():
        (image,) = coco.loadImgs(image_id)
        for ann in coco.loadAnns(coco.getAnnIds(imgIds=image_id)):
            if ann.get('iscrowd', 0):
                continue
            box = clip_box(ann.get('bbox'), image['width'], image['height'])
            if box is None or not _is_labelled(ann):
                continue
            (category,) = coco.loadCats(ann['category_id'])
            triples = np.array(ann['keypoints'], np.float32).reshape(-1, 3)
            records.append(
                dict(
                    id=ann['id'],
                    img_id=image_id,
                    file_name=image['file_name'],
                    annotated_size=(image['width'], image['height']),
                    category_id=category['id'],
                    category_name=category_name(category),
                    num_keypoints=len(triples),
                    bbox=np.array([box], np.float32),
                    keypoints=triples[None, :, :2],
                    keypoints_visible=np.minimum(triples[None, :, 2], 1),
                )
            )
    return records


def clip_box(
    bbox: Sequence[float] | None, width: float, height: float
) -> tuple[float, float, float, float] | None:
    """Box (x, y, w, h) -> corners within the image; None if nothing is left.

    As published, a box ends at its last pixel: one inside the image loses 1
    in width and height.
    """
    if bbox is None:
        return None
    x, y, w, h = bbox
    x1, y1 = max(0, x), max(0, y)
    x2 = min(width - 1, x1 + max(0, w - 1))
    y2 = min(height - 1, y1 + max(0, h - 1))
    # in the precision that records have
    corners = np.array([x1, y1, x2, y2], np.float32)
    return (x1, y1, x2, y2) if (corners[2:] > corners[:2]).all() else None


def _is_labelled(ann: dict[str, Any]) -> bool:
    return (
        ann.get('area', 1) > 0
        and max(ann.get('keypoints') or [0]) > 0
        and ann.get('num_keypoints') != 0
    )


def instances_digest(records: Sequence[dict[str, Any]]) -> str:
    """SHA-256 of all that a test depends on, instance by instance."""
    digest = hashlib.sha256()
    for record in records:
        entry = [
            record['id'],
            record['file_name'],
            record['category_id'],
            *(
                record[name].tolist()
                for name in ('bbox', 'keypoints', 'keypoints_visible')
            ),
        ]
        digest.update(json.dumps(entry).encode() + b'\n')
    return digest.hexdigest()


def category_name(category: dict[str, Any]) -> str:
    """Name of a category; its id where it has none."""
    return str(category.get('name', category['id']))


def describe_categories(content: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """Name, keypoints and skeleton of each category id, in file order."""
    categories = content['categories']
    counts = keypoint_counts(content)
    first = _first_keypoint(categories)
    return {
        category['id']: dict(
            name=category_name(category),
            num_keypoints=counts[category['id']],
            keypoint_names=list(category.get('keypoints') or []),
            skeleton=[
                (start - first, end - first)
                for start, end in category.get('skeleton') or []
                if max(start, end) - first < counts[category['id']]
            ],
        )
        for category in categories
    }


def _first_keypoint(categories: Sequence[dict[str, Any]]) -> int:
    """What a file's skeletons call the first keypoint.

    COCO counts keypoints from 1, the later edition of MP-100's annotations
    from 0: a file that names a keypoint 0 is one of these.
    """
    edges = (
        edge
        for category in categories
        for edge in category.get('skeleton') or []
    )
    return 0 if any(0 in edge for edge in edges) else 1
