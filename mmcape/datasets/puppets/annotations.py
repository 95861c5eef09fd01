"""The annotation files: entries in COCO's format, reading and writing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mmcape.utils.json_files import JsonError, read_json

from .anatomy import Species
from .scene import Scene

Json = dict[str, Any]


def annotation_entry(scene: Scene, item: int, category_id: int) -> Json:
    """Returns a COCO entry; keypoints that are not visible are zero."""
    keypoints: list[float] = []
    for (x, y), visible in zip(scene.points.tolist(), scene.visible):
        keypoints += [round(x, 2), round(y, 2), 2] if visible else [0, 0, 0]
    return dict(
        id=item,
        image_id=item,
        category_id=category_id,
        bbox=list(scene.bbox),
        area=scene.area,
        iscrowd=0,
        num_keypoints=int(np.count_nonzero(scene.visible)),
        keypoints=keypoints,
    )


def category_entry(species: Species, category_id: int) -> Json:
    """Returns a COCO category; its skeleton counts keypoints from 1."""
    return dict(
        id=category_id,
        name=species.name,
        supercategory=species.family,
        keypoints=[landmark.name for landmark in species.landmarks],
        skeleton=[[first + 1, last + 1] for first, last in species.links],
    )


def read_contents(file: Path) -> Json:
    """Returns what an annotation file holds, nothing if it is broken."""
    try:
        contents = read_json(file)
    except JsonError:
        return {}
    return contents if isinstance(contents, dict) else {}
