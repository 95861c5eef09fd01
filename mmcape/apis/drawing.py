"""A picture with what was found in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import cv2
import numpy as np

from mmcape.utils.input_error import InputError
from mmcape.visualization.episode import draw_keypoints

_DRAWN_SIDE = 640
"""Smaller pictures are enlarged to this side, for keypoints to be legible."""


def draw_poses(
    image: np.ndarray,
    keypoints: np.ndarray,
    scores: np.ndarray,
    boxes: np.ndarray,
    skeleton: Sequence[tuple[int, int]],
    threshold: float,
) -> np.ndarray:
    """Draw poses into a copy of an image.

    Args:
        image: (H, W, 3) uint8 RGB.
        keypoints: (N, K, 2) in pixels.
        scores: (N, K).
        boxes: (N, 4) corners.
        skeleton: Pairs of keypoints to connect, counted from 0.
        threshold: From which score on a keypoint is drawn.

    Returns:
        (h, w, 3) uint8 RGB, small images enlarged.
    """
    height, width = image.shape[:2]
    zoom = max(1.0, _DRAWN_SIDE / max(height, width))
    size = round(width * zoom), round(height * zoom)
    picture = cv2.resize(image, size) if zoom > 1 else image.copy()
    for points, score, box in zip(keypoints, scores, boxes):
        x1, y1, x2, y2 = np.rint(box * zoom).astype(int).tolist()
        cv2.rectangle(picture, (x1, y1), (x2, y2), (255, 200, 0), 1)
        drawn = (score >= threshold) & (score > 0)
        draw_keypoints(picture, points * zoom, drawn, skeleton)
    return picture


def require_display() -> None:
    """Refuse to open a window where there is no display.

    Raises:
        InputError: If there is none; OpenCV would end the process.
    """
    screens = ('DISPLAY', 'WAYLAND_DISPLAY')
    if sys.platform.startswith('linux') and not any(
        os.environ.get(name) for name in screens
    ):
        raise InputError(
            'there is no display to open a window on (DISPLAY is not set): '
            'write pictures with out_dir instead, and give a support as a file'
        )
