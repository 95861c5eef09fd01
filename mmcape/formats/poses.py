"""What every format of labelled keypoints comes down to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np


@dataclass(frozen=True)
class Pose:
    """Keypoints of one instance in one image.

    Points are in pixels of the image, the centre of its first pixel at
    (0, 0) as in the benchmark.
    """

    image: str
    """Path of the image, or of the video."""
    keypoints: np.ndarray
    """(K, 2) float; what is not visible may be anything."""
    visible: np.ndarray
    """(K,) bool, which keypoints are labelled."""
    box: np.ndarray | None = None
    """(4,) x1, y1, x2, y2 of the first and the last pixel of the object."""
    scores: np.ndarray | None = None
    """(K,) confidences, of a prediction."""
    image_size: tuple[int, int] | None = None
    """``(w, h)``."""
    frame: int | None = None
    """Frame of the video, counted from 0."""
    read: Callable[[], np.ndarray] | None = None
    """Reads the image (H, W, 3) uint8 BGR, where ``image`` is none itself."""

    @property
    def score(self) -> float:
        """Mean confidence of the visible keypoints; 1 for an annotation."""
        if self.scores is None:
            return 1.0
        return (
            float(self.scores[self.visible].mean())
            if any(self.visible)
            else 0.0
        )

    @property
    def place(self) -> tuple[str, int | None]:
        """Which image this is of."""
        return self.image, self.frame


@dataclass(frozen=True)
class LabelledPoses:
    """Poses of one category."""

    names: Sequence[str]
    """K names of the keypoints."""
    poses: Sequence[Pose]
    skeleton: Sequence[tuple[int, int]] = ()
    """Pairs of keypoints that are connected, counted from 0."""
    category: str = 'object'

    def by_image(self) -> Iterator[list[Pose]]:
        """The poses of each image, in the order of first appearance."""
        groups: dict[tuple[str, int | None], list[Pose]] = {}
        for pose in self.poses:
            groups.setdefault(pose.place, []).append(pose)
        return iter(groups.values())

    def sure(self, threshold: float) -> LabelledPoses:
        """The same without keypoints whose score is below ``threshold``."""
        poses = [
            pose
            if pose.scores is None
            else replace(
                pose, visible=pose.visible & (pose.scores >= threshold)
            )
            for pose in self.poses
        ]
        return replace(self, poses=poses)


@dataclass
class NamedPoints:
    """Labelled points of one instance, collected by name."""

    points: dict[str, tuple[float, float]] = field(default_factory=dict)
    box: np.ndarray | None = None
    scores: dict[str, float] = field(default_factory=dict)

    def as_pose(
        self,
        image: str,
        names: Sequence[str],
        image_size: tuple[int, int] | None = None,
        frame: int | None = None,
    ) -> Pose:
        """A pose with the keypoints in the order of ``names``."""
        nothing = (np.nan, np.nan)
        keypoints = np.array(
            [self.points.get(name, nothing) for name in names], np.float64
        ).reshape(-1, 2)
        scores = None
        if self.scores:
            scores = np.array([self.scores.get(name, 0.0) for name in names])
        return Pose(
            image=image,
            keypoints=keypoints,
            visible=np.array([name in self.points for name in names]),
            box=self.box,
            scores=scores,
            image_size=image_size,
            frame=frame,
        )


def all_names(instances: Sequence[NamedPoints]) -> list[str]:
    """Names of the keypoints of all instances, as they first appear."""
    return list(dict.fromkeys(n for one in instances for n in one.points))
