"""A whole picture with what was found in it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .marks import Edges, draw_box, draw_keypoints
from .text import legend, write_numbers

_DRAWN_SIDE = 640
"""Smaller pictures are enlarged to this side, for keypoints to be legible."""


def draw_poses(
    image: np.ndarray,
    keypoints: np.ndarray,
    scores: np.ndarray,
    boxes: np.ndarray,
    skeleton: Edges,
    threshold: float,
    names: Sequence[str] = (),
) -> np.ndarray:
    """Draw poses into a copy of an image.

    Args:
        image: (H, W, 3) uint8 RGB.
        keypoints: (N, K, 2) in pixels.
        scores: (N, K).
        boxes: (N, 4) corners.
        skeleton: Pairs of keypoints to connect, counted from 0.
        threshold: From which score on a keypoint is drawn.
        names: Of the keypoints. If given, keypoints have numbers, and a
            legend below the image has the names.

    Returns:
        (h, w, 3) uint8 RGB, small images enlarged.
    """
    height, width = image.shape[:2]
    zoom = max(1.0, _DRAWN_SIDE / max(height, width))
    size = round(width * zoom), round(height * zoom)
    picture = cv2.resize(image, size) if zoom > 1 else image.copy()
    for points, score, box in zip(keypoints, scores, boxes):
        draw_box(picture, box * zoom)
        drawn = (score >= threshold) & (score > 0)
        draw_keypoints(picture, points * zoom, drawn, skeleton)
        if names:
            write_numbers(picture, points * zoom, drawn)
    if names:
        shown = range(len(names))
        side = max(picture.shape[:2])
        below = legend(names, shown, picture.shape[1], panel=side // 2)
        picture = np.concatenate([picture, below])
    return picture
