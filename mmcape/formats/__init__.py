"""Labelled keypoints in the files of other tools."""

from .coco import read_coco, write_coco
from .deeplabcut import read_deeplabcut, write_deeplabcut
from .labelme import read_labelme, write_labelme
from .labelstudio import read_labelstudio
from .poses import LabelledPoses, Pose
from .reading import read_poses
from .sleap import read_with_sleap_io, write_sleap
from .yolo import read_yolo

__all__ = [
    'LabelledPoses',
    'Pose',
    'read_coco',
    'read_deeplabcut',
    'read_labelme',
    'read_labelstudio',
    'read_poses',
    'read_with_sleap_io',
    'read_yolo',
    'write_coco',
    'write_deeplabcut',
    'write_labelme',
    'write_sleap',
]
