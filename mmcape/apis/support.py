"""Annotated pictures of an object, checked, and kept in one file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmcape.formats import LabelledPoses, read_poses
from mmcape.utils.input_error import InputError

from .boxes import extent
from .pictures import Picture, decode_picture
from .support_checks import (
    Edge,
    check_boxes,
    check_names,
    check_points,
    check_skeleton,
    picture_file,
    picture_name,
    shaped_array,
)

_FORMAT = 'mmcape support 1'


@dataclass(frozen=True)
class AnnotatedSupport:
    """One or several annotated pictures of an object: the shots."""

    files: Sequence[bytes]
    """S image files, as they are or lossless."""
    keypoints: np.ndarray
    """(S, K, 2) in pixels of the images."""
    visible: np.ndarray
    """(S, K) bool."""
    boxes: np.ndarray
    """(S, 4) corners x1, y1, x2, y2."""
    names: Sequence[str]
    """K names of the keypoints."""
    skeleton: Sequence[tuple[int, int]] = ()
    """Pairs of keypoints that are connected, counted from 0."""
    category: str = 'object'

    def images(self) -> list[np.ndarray]:
        """The S images (H, W, 3) uint8 BGR."""
        return [
            decode_picture(content, f'support image {shot}')
            for shot, content in enumerate(self.files, start=1)
        ]

    def save(self, path: str | Path) -> None:
        """Write everything into one .npz file, images included."""
        meta = dict(
            format=_FORMAT,
            names=list(self.names),
            skeleton=[list(edge) for edge in self.skeleton],
            category=self.category,
        )
        images = {
            f'image_{shot}': np.frombuffer(content, np.uint8)
            for shot, content in enumerate(self.files)
        }
        with open(path, 'wb') as file:
            np.savez(
                file,
                meta=np.array(json.dumps(meta)),
                keypoints=self.keypoints,
                visible=self.visible,
                boxes=self.boxes,
                **images,
            )

    @classmethod
    def load(cls, path: str | Path) -> AnnotatedSupport:
        """Read what :meth:`save` has written; no code of the file is run.

        Raises:
            InputError: If it is no such file.
        """
        try:
            with np.load(path, allow_pickle=False) as content:
                data = dict(content)
            meta = json.loads(str(data['meta']))
            if meta['format'] != _FORMAT:
                raise ValueError(f'format {meta["format"]!r}')
            shots = range(len(data['boxes']))
            files = [data[f'image_{shot}'].tobytes() for shot in shots]
            return _checked(
                files,
                [f'support image {shot + 1}' for shot in shots],
                keypoints=data['keypoints'],
                boxes=data['boxes'],
                visible=data['visible'],
                skeleton=meta['skeleton'],
                names=meta['names'],
                category=str(meta['category']),
            )
        except Exception as error:  # a damaged file fails in any place
            raise InputError(
                f'{path} is no support file of mmcape: {error}'
            ) from error


def annotate(
    images: Picture | Sequence[Picture],
    keypoints: Any,
    boxes: Any = None,
    visible: Any = None,
    skeleton: Sequence[Edge] | None = None,
    names: Sequence[str] | None = None,
    category: str = 'object',
) -> AnnotatedSupport:
    """Check annotated pictures and bring them into one form.

    Args:
        images: S pictures, or one.
        keypoints: (S, K, 2) in pixels, or (K, 2) of one picture; NaN where
            a keypoint is not visible.
        boxes: (S, 4) or (4,) corners x1, y1, x2, y2 of the object. By
            default the extent of the visible keypoints and 15 % of its
            longer side around it.
        visible: (S, K) or (K,), which keypoints are visible; by default
            those that are finite.
        skeleton: Pairs of keypoints that are connected, by their name or
            counted from 0. They are drawn and written into results.
        names: K names of the keypoints.
        category: What the object is called in results.

    Raises:
        InputError: If something cannot be used.
    """
    pictures = (
        [images] if isinstance(images, (str, Path, np.ndarray)) else images
    )
    if not len(pictures):
        raise InputError('a support needs at least one image')
    return _checked(
        [picture_file(picture) for picture in pictures],
        [
            picture_name(picture, shot)
            for shot, picture in enumerate(pictures, start=1)
        ],
        keypoints=keypoints,
        boxes=boxes,
        visible=visible,
        skeleton=skeleton or (),
        names=names,
        category=category,
    )


def _checked(
    files: Sequence[bytes],
    sources: Sequence[str],
    *,
    keypoints: Any,
    boxes: Any,
    visible: Any,
    skeleton: Sequence[Edge],
    names: Sequence[str] | None,
    category: str,
) -> AnnotatedSupport:
    """Support of image files, and where they are from, for messages.

    Raises:
        InputError: If something cannot be used.
    """
    decoded = [
        decode_picture(content, source)
        for content, source in zip(files, sources)
    ]
    sizes = [(image.shape[1], image.shape[0]) for image in decoded]

    points = shaped_array(keypoints, (len(files), None, 2), 'keypoints')
    finite = np.isfinite(points).all(axis=2)
    shown = finite
    if visible is not None:
        shown = shaped_array(visible, finite.shape, 'visible') > 0
    names = check_names(names, points.shape[1])
    for shot, (size, source) in enumerate(zip(sizes, sources)):
        check_points(points[shot], shown[shot], size, names, source)
    if not shown.all(axis=0).any():
        raise InputError(
            'no keypoint is visible in every support image: the model looks '
            'for those that all of them show'
        )
    return AnnotatedSupport(
        files=files,
        keypoints=np.where(shown[..., None], points, 0),
        visible=shown,
        boxes=check_boxes(boxes, points, shown, sizes),
        names=names,
        skeleton=check_skeleton(skeleton, names),
        category=category,
    )


def annotate_from(
    labelled: LabelledPoses, shots: int | None = None
) -> AnnotatedSupport:
    """Support of poses that were read from a file, one shot each.

    Args:
        labelled: The poses.
        shots: How many to take, those first that show the most keypoints;
            None for all, in their order.

    Raises:
        InputError: If there is none, or not as many, or something cannot be
            used.
    """
    poses = labelled.poses
    if not poses:
        raise InputError('the file holds no labelled instance')
    if shots is not None:
        if not 0 < shots <= len(poses):
            raise InputError(
                f'the file has {len(poses)} labelled instances, shots is '
                f'{shots}'
            )
        poses = sorted(poses, key=lambda pose: -pose.visible.sum())[:shots]
    visible = np.stack([pose.visible for pose in poses])
    keypoints = np.stack([pose.keypoints for pose in poses])
    boxes = [
        extent(pose.keypoints[pose.visible])
        if pose.box is None and pose.visible.any()
        else pose.box
        for pose in poses
    ]
    support = annotate(
        images=[
            pose.image if pose.read is None else pose.read() for pose in poses
        ],
        keypoints=keypoints,
        boxes=None if any(box is None for box in boxes) else boxes,
        visible=visible,
        skeleton=labelled.skeleton,
        names=labelled.names,
        category=labelled.category,
    )
    for pose, image in zip(poses, support.images()):
        height, width = image.shape[:2]
        if pose.image_size not in (None, (width, height)):
            raise InputError(
                f'{pose.image} has {width} x {height} pixels, its annotation '
                f'is for {pose.image_size}: give the image that was annotated'
            )
    return support


def read_support(
    path: str | Path,
    category: str | int | None = None,
    img_root: str | Path | None = None,
    shots: int = 1,
) -> AnnotatedSupport:
    """Support of a file: of mmcape's own, or of labelled keypoints.

    Args:
        path: What :meth:`AnnotatedSupport.save` wrote (.npz), or as in
            :func:`~mmcape.formats.read_poses`.
        category: As in :func:`~mmcape.formats.read_poses`.
        img_root: As in :func:`~mmcape.formats.read_poses`.
        shots: As in :func:`annotate_from`; an .npz file has its own.

    Raises:
        InputError: If the file cannot be used, or has fewer instances.
    """
    if Path(path).suffix == '.npz':
        return AnnotatedSupport.load(path)
    return annotate_from(read_poses(path, category, img_root), shots)
