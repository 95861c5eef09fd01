"""COCO keypoint files: the format of MP-100, MMPose, CVAT and many others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mmcape.datasets.annotation_checks import are_numbers, check_annotations
from mmcape.datasets.instances import (
    category_name,
    clip_box,
    describe_categories,
)
from mmcape.utils.input_error import InputError

from .categories import choose_category
from .files import find_image, image_size, read_json, write_json
from .poses import LabelledPoses, Pose


def read_coco(
    path: str | Path,
    category: str | int | None = None,
    img_root: str | Path | None = None,
) -> LabelledPoses:
    """Read the instances of a category.

    Args:
        path: The file.
        category: Name or id; needed where annotations are of several.
        img_root: Folder of the images, see
            :func:`~mmcape.formats.files.find_image`.

    Raises:
        InputError: If the file cannot be used, or the category is not clear.
    """
    path = Path(path)
    content = read_json(path)
    try:
        problems = check_annotations(content, str(path), None)
    except ValueError as error:
        raise InputError(str(error)) from error
    if problems:
        raise InputError(problems.report())
    labelled = {ann['category_id'] for ann in content['annotations']}
    used = {
        one['id']: category_name(one)
        for one in content['categories']
        if one['id'] in labelled
    }
    chosen = choose_category(used, category, path)
    described = describe_categories(content)[chosen]
    images = {image['id']: image for image in content['images']}
    poses = []
    for ann in content['annotations']:
        if ann['category_id'] != chosen or not ann.get('keypoints'):
            continue
        image = images[ann['image_id']]
        poses.append(_pose(ann, image, path, img_root))
    names = described['keypoint_names'] or [
        f'keypoint_{i}' for i in range(1, described['num_keypoints'] + 1)
    ]
    return LabelledPoses(
        names=names,
        poses=poses,
        skeleton=described['skeleton'],
        category=described['name'],
    )


def _pose(
    ann: dict[str, Any],
    image: dict[str, Any],
    path: Path,
    img_root: str | Path | None,
) -> Pose:
    triples = np.array(ann['keypoints'], np.float64).reshape(-1, 3)
    size = (image['width'], image['height'])
    box = clip_box(ann.get('bbox'), *size)
    scores, frame = ann.get('keypoint_scores'), image.get('frame_id')
    if scores is not None and not are_numbers(scores, len(triples)):
        raise InputError(
            f'{path}: `keypoint_scores` of annotation {ann["id"]} are not '
            f'{len(triples)} finite numbers'
        )
    if not isinstance(frame, (int, type(None))):
        raise InputError(
            f'{path}: `frame_id` of image {image["id"]} is no number: '
            f'{frame!r}'
        )
    return Pose(
        image=find_image(image['file_name'], path, img_root),
        keypoints=triples[:, :2],
        visible=triples[:, 2] > 0,
        box=None if box is None else np.array(box, np.float64),
        scores=None if scores is None else np.array(scores, np.float64),
        image_size=size,
        frame=frame,
    )


def write_coco(
    path: str | Path,
    labelled: LabelledPoses,
    img_root: str | Path | None = None,
) -> None:
    """Write poses, predictions with ``score`` and ``keypoint_scores``.

    A keypoint that is not visible is written as 0, 0, 0; other tools then
    show it as not labelled. All fields are there that CVAT's import of COCO
    keypoints asks for, an empty ``segmentation`` among them.

    Args:
        path: The file.
        labelled: The poses.
        img_root: Folder that file names are written relative to.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, poses in enumerate(labelled.by_image(), start=1):
        images.append(_image_entry(image_id, poses[0], img_root))
        for pose in poses:
            annotations.append(
                _annotation_entry(len(annotations) + 1, image_id, pose)
            )
    category = dict(
        id=1,
        name=labelled.category,
        supercategory=labelled.category,
        keypoints=list(labelled.names),
        skeleton=[[i + 1, j + 1] for i, j in labelled.skeleton],
    )
    content = dict(
        info=dict(description='keypoints found by mmcape'),
        licenses=[],
        images=images,
        annotations=annotations,
        categories=[category],
    )
    write_json(Path(path), content)


def _image_entry(
    image_id: int, pose: Pose, img_root: str | Path | None
) -> dict[str, Any]:
    width, height = image_size(pose)
    name = file_name(pose, img_root)
    entry = dict(id=image_id, file_name=name, width=width, height=height)
    if pose.frame is not None:
        entry['frame_id'] = pose.frame
    return entry


def file_name(pose: Pose, img_root: str | Path | None) -> str:
    """Name of a pose's image, below ``img_root`` where it lies there.

    A frame of a video is named as tools that take videos apart name it.
    """
    path = Path(pose.image)
    if pose.frame is not None:
        return f'{path.stem}_{pose.frame:06d}.png'
    if img_root is None:
        return path.name
    try:
        inside = path.absolute().relative_to(Path(img_root).absolute())
    except ValueError:
        return path.name
    return inside.as_posix()


def _annotation_entry(
    ann_id: int, image_id: int, pose: Pose
) -> dict[str, Any]:
    box = pose.box
    if box is None:
        seen = pose.keypoints[pose.visible]
        box = (
            np.concatenate([seen.min(axis=0), seen.max(axis=0)])
            if len(seen)
            else np.zeros(4)
        )
    # as read back by clip_box: a box ends at its last pixel
    width, height = box[2] - box[0] + 1, box[3] - box[1] + 1
    triples = np.concatenate(
        [pose.keypoints, np.full((len(pose.keypoints), 1), 2.0)], axis=1
    )
    triples[~pose.visible] = 0
    entry = dict(
        id=ann_id,
        image_id=image_id,
        category_id=1,
        iscrowd=0,
        segmentation=[],
        bbox=_rounded([box[0], box[1], width, height]),
        area=round(float(width * height), 2),
        num_keypoints=int(pose.visible.sum()),
        keypoints=_rounded(triples.ravel()),
    )
    if pose.scores is not None:
        entry['score'] = round(pose.score, 4)
        entry['keypoint_scores'] = _rounded(pose.scores, digits=4)
    return entry


def _rounded(values: Any, digits: int = 2) -> list[float]:
    return [round(float(value), digits) for value in values]
