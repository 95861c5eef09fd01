"""Labelled keypoints in the files of other tools."""

from .coco import read_coco, write_coco
from .deeplabcut import read_deeplabcut, write_deeplabcut
from .labelme import read_labelme, write_labelme
from .poses import LabelledPoses, Pose
from .reading import read_poses

__all__ = [
    'LabelledPoses',
    'Pose',
    'read_coco',
    'read_deeplabcut',
    'read_labelme',
    'read_poses',
    'write_coco',
    'write_deeplabcut',
    'write_labelme',
]
