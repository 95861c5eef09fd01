"""labelme files: one JSON an image, a point a keypoint."""

from __future__ import annotations

import os.path as osp
import reprlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmcape.utils.input_error import InputError

from .files import find_image, image_size, read_json, write_json
from .poses import LabelledPoses, NamedPoints, Pose, all_names

_VERSION = '5.5.0'
"""Version of the format, which labelme compares with its own."""


def read_labelme(
    path: str | Path, img_root: str | Path | None = None
) -> LabelledPoses:
    """Read one file, or all files of a folder.

    Points with a common ``group_id`` are one instance, as are those without
    any. A rectangle of the same group is the instance's box, and its label
    the category. Names of keypoints are the labels, in the order in which
    they first appear.

    Args:
        path: A file or a folder.
        img_root: Folder of the images, by default that of each file.

    Raises:
        InputError: If there is nothing to read, or a file is no labelme file.
    """
    path = Path(path)
    files = sorted(path.glob('*.json')) if path.is_dir() else [path]
    found: list[tuple[NamedPoints, dict[str, Any]]] = []
    categories: list[str] = []
    skeleton: list[Any] = []
    for file in files:
        content = read_json(file)
        if not isinstance(content, dict) or 'shapes' not in content:
            raise InputError(
                f'{file} is no labelme file: it has no list of `shapes`'
            )
        image = find_image(str(content.get('imagePath')), file, img_root)
        known = dict(image=image, image_size=_size(content, file))
        try:
            instances = _instances(content['shapes'], file, categories)
        except (AttributeError, IndexError, TypeError) as error:
            raise InputError(
                f'{file} has a shape that is none of labelme: {error}'
            ) from error
        found += [(instance, known) for instance in instances]
        skeleton = skeleton or _skeleton(content, file)
    if not found:
        raise InputError(f'{path} holds no labelme file with a point')

    names = all_names([instance for instance, _ in found])
    return LabelledPoses(
        names=names,
        poses=[one.as_pose(names=names, **known) for one, known in found],
        skeleton=[
            (names.index(start), names.index(end))
            for start, end in skeleton
            if start in names and end in names
        ],
        category=categories[0] if categories else 'object',
    )


def _size(content: dict[str, Any], file: Path) -> tuple[int, int] | None:
    """``(w, h)`` of the image, if the file has it."""
    size = content.get('imageWidth'), content.get('imageHeight')
    if not all(size):
        return None
    if not all(isinstance(side, int) and side > 0 for side in size):
        raise InputError(
            f'{file} has imageWidth and imageHeight {size}: they must be '
            'numbers of pixels'
        )
    return size  # type: ignore[return-value]


def _skeleton(content: dict[str, Any], file: Path) -> list[Any]:
    """Pairs of names, which mmcape itself has written."""
    skeleton = content.get('skeleton') or []
    if not isinstance(skeleton, list) or not all(
        isinstance(edge, list) and len(edge) == 2 for edge in skeleton
    ):
        raise InputError(f'{file} has a skeleton that is no list of pairs')
    return skeleton


def _instances(
    shapes: Sequence[dict[str, Any]], file: Path, categories: list[str]
) -> list[NamedPoints]:
    """Instances of a file; labels of their boxes are added to categories."""
    groups: dict[Any, NamedPoints] = {}
    for shape in shapes:
        instance = groups.setdefault(shape.get('group_id'), NamedPoints())
        kind, label = shape.get('shape_type'), str(shape.get('label'))
        points = _points(shape.get('points'), file)
        if kind == 'point':
            if label in instance.points:
                raise InputError(
                    f'{file} has two points {label!r} of one instance: give '
                    'the points of each instance a group_id of their own'
                )
            x, y = points[0].tolist()
            instance.points[label] = (x, y)
            if 'score' in shape:
                instance.scores[label] = _score(shape['score'], file)
        elif kind == 'rectangle' and len(points):
            instance.box = np.concatenate(
                [points.min(axis=0), points.max(axis=0)]
            )
            categories.append(label)
    return [instance for instance in groups.values() if instance.points]


def _score(value: Any, file: Path) -> float:
    """A confidence."""
    score = _numbers(value, file)
    if score.shape:
        raise InputError(f'{file} has a score that is no number: {value!r}')
    return float(score)


def _points(values: Any, file: Path) -> np.ndarray:
    """Points (N, 2) of a shape."""
    numbers = _numbers(values, file)
    if numbers.size % 2:
        raise InputError(f'{file} has points that are no pairs: {values!r}')
    return numbers.reshape(-1, 2)


def _numbers(values: Any, file: Path) -> np.ndarray:
    """Finite numbers.

    Raises:
        InputError: If something else is among them.
    """
    try:
        numbers = np.array(values, np.float64)
    except (OverflowError, TypeError, ValueError):
        numbers = np.array(np.nan)
    if not np.isfinite(numbers).all():
        raise InputError(
            f'{file} has points that are no pairs of numbers, or a score '
            f'that is none: {reprlib.repr(values)}'
        )
    return numbers


def write_labelme(folder: str | Path, labelled: LabelledPoses) -> list[Path]:
    """Write one file an image; labelme opens the folder.

    Scores are written as ``score`` of the shapes, which labelme keeps when
    it saves a corrected file, and as their description, which it shows.

    Args:
        folder: Receives the files, named after the images.
        labelled: The poses.

    Returns:
        The files.

    Raises:
        InputError: If poses are of frames of a video.
    """
    files: list[Path] = []
    for poses in labelled.by_image():
        if poses[0].frame is not None:
            raise InputError(
                'labelme opens images, not frames of a video: write COCO or '
                'DeepLabCut, or take the video apart first'
            )
        path = _free_path(Path(folder), Path(poses[0].image).stem, files)
        write_json(path, _content(path, poses, labelled))
        files.append(path)
    return files


def _free_path(folder: Path, stem: str, taken: Sequence[Path]) -> Path:
    """A file name that no other image of another folder has."""
    path, number = folder / f'{stem}.json', 2
    while path in taken:
        path, number = folder / f'{stem}_{number}.json', number + 1
    return path


def _content(
    path: Path, poses: Sequence[Pose], labelled: LabelledPoses
) -> dict[str, Any]:
    width, height = image_size(poses[0])
    image = osp.relpath(osp.abspath(poses[0].image), osp.abspath(path.parent))
    names = labelled.names
    return dict(
        version=_VERSION,
        flags={},
        shapes=[
            shape
            for group, pose in enumerate(poses)
            for shape in _shapes(pose, group, labelled)
        ],
        imagePath=image.replace('\\', '/'),
        imageData=None,
        imageHeight=height,
        imageWidth=width,
        skeleton=[[names[i], names[j]] for i, j in labelled.skeleton],
    )


def _shapes(
    pose: Pose, group: int, labelled: LabelledPoses
) -> list[dict[str, Any]]:
    shapes = []
    if pose.box is not None:
        corners = pose.box.reshape(2, 2)
        shapes.append(_shape(labelled.category, corners, group, 'rectangle'))
    for index in np.flatnonzero(pose.visible):
        shape = _shape(
            labelled.names[index], pose.keypoints[None, index], group, 'point'
        )
        if pose.scores is not None:
            score = round(float(pose.scores[index]), 4)
            shape.update(description=f'score {score:.2f}', score=score)
        shapes.append(shape)
    return shapes


def _shape(
    label: str, points: np.ndarray, group: int, kind: str
) -> dict[str, Any]:
    return dict(
        label=label,
        points=np.round(points.astype(float), 2).tolist(),
        group_id=group,
        description='',
        shape_type=kind,
        flags={},
        mask=None,
    )
