"""Further formats through sleap-io, an optional package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mmcape.utils.input_error import InputError

from .poses import LabelledPoses, Pose

SUFFIXES = ('.slp', '.nwb')


def read_with_sleap_io(path: str | Path) -> LabelledPoses:
    """Read labelled images of a SLEAP project or an NWB file.

    Raises:
        InputError: If sleap-io is not installed or cannot read the file, or
            the labelled frames are those of a video file.
    """
    try:
        import sleap_io
    except ImportError as error:
        raise InputError(
            f'{path} needs sleap-io: pip install "mmcape[formats]"'
        ) from error
    try:
        labels: Any = sleap_io.load_file(str(path))
    except Exception as error:
        raise InputError(f'sleap-io cannot read {path}: {error}') from error
    skeleton = labels.skeletons[0]
    poses = [
        _pose(frame, instance)
        for frame in labels.labeled_frames
        for instance in frame.instances
    ]
    return LabelledPoses(
        names=list(skeleton.node_names),
        poses=poses,
        skeleton=[tuple(edge) for edge in skeleton.edge_inds],
    )


def _pose(frame: Any, instance: Any) -> Pose:
    filename = frame.video.filename
    if isinstance(filename, str):
        raise InputError(
            f'labels are of frames of {filename}: export these as images, '
            'e.g. as COCO keypoints'
        )
    keypoints = np.asarray(instance.numpy(), np.float64)
    return Pose(
        image=str(filename[frame.frame_idx]),
        keypoints=keypoints,
        visible=np.isfinite(keypoints).all(axis=1),
    )
