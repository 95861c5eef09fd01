"""The sample of an image, made of those of its boxes, and what is in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from mmcape.formats import Pose
from mmcape.visualization import draw_poses

from .box_following import follow
from .queries import Query


def next_boxes(sample: PoseDataSample, threshold: float) -> np.ndarray:
    """Boxes (N, 4) in which to look next for the N instances."""
    found = sample.pred_instances
    height, width = sample.metainfo['ori_shape']
    boxes = [
        follow(*instance, (width, height), threshold)
        for instance in zip(
            found.keypoints, found.keypoint_scores, found.bboxes
        )
    ]
    return np.reshape(boxes, (-1, 4))


def join_boxes(
    query: Query,
    samples: Sequence[PoseDataSample],
    boxes: np.ndarray,
    scores: np.ndarray,
    visible: np.ndarray,
) -> PoseDataSample:
    """One sample of an image from those of its N boxes."""
    assert query.image is not None
    size = len(visible)
    found = [one.pred_instances for one in samples]
    joined = PoseDataSample(
        metainfo=dict(
            img_path=query.name,
            ori_shape=query.image.shape[:2],
            frame_id=query.frame,
            num_keypoints=size,
        )
    )
    joined.pred_instances = InstanceData(
        keypoints=_stack([one.keypoints for one in found], (size, 2)),
        keypoint_scores=_stack(
            [one.keypoint_scores for one in found], (size,)
        ),
        keypoints_visible=np.repeat(
            visible[None].astype(np.float32), len(found), axis=0
        ),
        bboxes=boxes.astype(np.float32),
        bbox_scores=scores.astype(np.float32),
    )
    return joined


def _stack(rows: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Arrays (1, ...) as one, (0, ...) if there is none."""
    return np.concatenate([np.zeros((0, *shape), np.float32), *rows])


def draw_sample(
    query: Query,
    sample: PoseDataSample,
    skeleton: Sequence[tuple[int, int]],
    threshold: float,
) -> np.ndarray:
    """Picture (h, w, 3) uint8 RGB of a query with what was found in it."""
    assert query.image is not None
    instances = sample.pred_instances
    return draw_poses(
        query.image[..., ::-1],
        instances.keypoints,
        instances.keypoint_scores,
        instances.bboxes,
        skeleton,
        threshold,
    )


def poses_of(sample: PoseDataSample) -> Iterator[Pose]:
    """Poses of a sample's N boxes, as formats write them."""
    instances = sample.pred_instances
    height, width = sample.metainfo['ori_shape']
    for row in range(len(instances.keypoints)):
        yield Pose(
            image=sample.metainfo['img_path'],
            keypoints=instances.keypoints[row],
            visible=instances.keypoints_visible[row] > 0,
            box=instances.bboxes[row],
            scores=instances.keypoint_scores[row],
            image_size=(width, height),
            frame=sample.metainfo['frame_id'],
        )
