"""Vinegar Fly and Desert Locust: frames inside DeepPoseKit's HDF5 files.

How a frame came to its name in MP-100 is not documented, and guides number
frames differently. The file has the keypoints of every frame, so a frame is
recognised by the keypoints of its annotation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .annotation_files import WantedImage
from .finder import AMBIGUOUS, FOUND, MISSING, OTHER_SIZE, Choice

FILE_PATTERN = 'annotation_data*.h5'
MAX_DISTANCE = 1.0
"""Pixels, on average over the keypoints, within which a frame is the one."""


class MissingPackageError(RuntimeError):
    """A package is needed that is not installed."""


class Hdf5Finder:
    """Finds frames by their keypoints.

    Args:
        path: File with the data sets 'images' (N, H, W, C), 'annotations'
            (N, K, 2) and 'annotated' (N, K).

    Raises:
        MissingPackageError: If h5py is not installed.
        ValueError: If the file lacks one of the data sets.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with _open(path) as file:
            for name in ('images', 'annotations', 'annotated'):
                if name not in file:
                    raise ValueError(
                        f'{path} has no data set {name!r}: it is not the '
                        'release of DeepPoseKit-Data'
                    )
            self._points = np.asarray(file['annotations'], np.float64)
            self._known = np.asarray(file['annotated'], bool)
            height, width = file['images'].shape[1:3]
        self._size = (int(width), int(height))

    def find(self, image: WantedImage) -> Choice:
        """Find a frame by the keypoints of the image's annotation."""
        if image.size != self._size:
            return Choice(
                OTHER_SIZE,
                detail=f'frames of {self.path} have {self._size} pixels; '
                f'annotated: {image.size}',
            )
        distances = self._distances(image)
        if distances is None:
            return Choice(MISSING, detail='no annotation to recognise it by')
        near = np.flatnonzero(distances <= MAX_DISTANCE)
        if len(near) == 0:
            return Choice(
                MISSING,
                detail=f'no frame of {self.path} has the annotated keypoints; '
                f'the nearest is {distances.min():.1f} pixels off',
            )
        frames = self._frames(near)
        if any(not np.array_equal(frames[0], other) for other in frames[1:]):
            return Choice(
                AMBIGUOUS,
                detail=f'frames {near.tolist()} of {self.path} have the '
                'annotated keypoints',
            )
        return Choice(FOUND, frame=frames[0])

    def _distances(self, image: WantedImage) -> np.ndarray | None:
        """Mean distance of every frame's keypoints to the annotated ones."""
        for annotation in image.annotations:
            triples = np.array(annotation.get('keypoints') or []).reshape(-1)
            if len(triples) != 3 * self._points.shape[1]:
                continue
            points, visible = triples.reshape(-1, 3)[:, :2], triples[2::3] > 0
            if not visible.any():
                continue
            offsets = np.linalg.norm(self._points - points, axis=2)
            offsets[~self._known] = np.inf
            return np.asarray(offsets[:, visible].mean(axis=1))
        return None

    def _frames(self, positions: np.ndarray) -> list[np.ndarray]:
        with _open(self.path) as file:
            return [np.asarray(file['images'][i]) for i in positions.tolist()]


def _open(path: Path) -> Any:
    try:
        import h5py
    except ImportError:
        raise MissingPackageError(
            f'{path} is read with h5py, which is not installed: '
            '`pip install "mmcape[hdf5]"`'
        ) from None
    try:
        return h5py.File(path, 'r')
    except OSError as error:
        raise ValueError(f'{path} is no HDF5 file: {error}') from error
