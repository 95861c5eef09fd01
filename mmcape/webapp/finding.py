"""Keypoints found in a picture, and corrected by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from mmpose.structures import PoseDataSample

from mmcape.apis.boxes import clip_corners, extent
from mmcape.formats import Pose
from mmcape.utils.input_error import InputError

from .annotation import Mark, Place
from .uploads import StoredPicture


@dataclass(frozen=True)
class Finding:
    """The K keypoints of one query picture."""

    marks: tuple[Mark, ...]
    scores: tuple[float, ...]
    """Confidences; 1 for what was corrected."""
    corrected: frozenset[int] = frozenset()
    """Keypoints that were moved by hand."""

    @classmethod
    def of(cls, sample: PoseDataSample) -> Finding:
        """The first instance of a prediction, moved into the picture."""
        found = sample.pred_instances
        height, width = sample.metainfo['ori_shape']
        limit = np.array([width, height]) - 1
        places = np.clip(found.keypoints[0], 0, limit)
        return cls(
            marks=tuple(
                Mark((float(x), float(y)) if shown else None, bool(shown))
                for (x, y), shown in zip(
                    places, found.keypoints_visible[0] > 0
                )
            ),
            scores=tuple(map(float, found.keypoint_scores[0])),
        )

    def move(self, index: int, place: Place) -> Finding:
        """With a keypoint where the user says, from then on certain."""
        return Finding(
            marks=_with(self.marks, index, Mark(place)),
            scores=_with(self.scores, index, 1.0),
            corrected=self.corrected | {index},
        )

    def show(self, index: int, visible: bool) -> Finding:
        """With a keypoint in the files or not; one without place stays out."""
        place = self.marks[index].place
        mark = Mark(place, visible and place is not None)
        return replace(self, marks=_with(self.marks, index, mark))

    def certain(self, index: int, threshold: float) -> bool:
        """Whether a keypoint is in the files."""
        return self.marks[index].visible and self.scores[index] >= threshold

    def pose(self, picture: StoredPicture, threshold: float) -> Pose:
        """As the formats write it, without keypoints below the threshold."""
        places = np.array(
            [mark.place or (np.nan, np.nan) for mark in self.marks]
        )
        visible = np.array(
            [self.certain(i, threshold) for i in range(len(self.marks))]
        )
        return Pose(
            image=picture.path,
            keypoints=places,
            visible=visible,
            box=_box(places[visible], picture.size),
            scores=np.array(self.scores),
            image_size=picture.size,
        )


def _with(values: tuple, index: int, value: object) -> tuple:
    return (*values[:index], value, *values[index + 1 :])


def _box(places: np.ndarray, size: tuple[int, int]) -> np.ndarray | None:
    """Box of an object, as that of a support, None if there is none."""
    if not len(places):
        return None
    try:
        return clip_corners(extent(places), size, '')
    except InputError:  # a picture of one row or column
        return None
