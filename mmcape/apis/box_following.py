"""The box of the next look from the pose that the last one found."""

from __future__ import annotations

import numpy as np

from .boxes import extent, whole_image

SHRINKING = 0.5
"""A side keeps at least this share of its length from look to look.

Of 0, 0.3, 0.5 and 0.7 this found most on the validation categories of Puppets
(tools/analysis_tools/measure_following.py).
"""


def follow(
    keypoints: np.ndarray,
    scores: np.ndarray,
    box: np.ndarray,
    size: tuple[int, int],
    threshold: float,
) -> np.ndarray:
    """Box (4,) in which to look for the object in the next frame, or again.

    It is the padded extent of the confident keypoints, at least half as
    large as the last box, so that a moment in which only a part is recognised
    does not narrow it down to that part; and the whole image if less than a
    third of the keypoints, or only one of them, is confident: the object is
    lost.

    Args:
        keypoints: (K, 2) in pixels.
        scores: (K,); 0 for keypoints that the support does not show.
        box: (4,) of the last look.
        size: ``(w, h)`` of the image.
        threshold: From which score on a keypoint is confident.
    """
    confident = scores >= threshold
    if confident.sum() < max(2, (scores > 0).sum() / 3):
        return whole_image(size)
    x1, y1, x2, y2 = extent(keypoints[confident])
    centre = np.array([x1 + x2, y1 + y2]) / 2
    least = SHRINKING * (box[2:] - box[:2])
    half = np.maximum([x2 - x1, y2 - y1], least) / 2
    limit = np.array(size, np.float64) - 1
    low = np.clip(centre - half, 0, limit)
    high = np.clip(centre + half, 0, limit)
    if (high <= low).any():
        return whole_image(size)
    return np.concatenate([low, high])
