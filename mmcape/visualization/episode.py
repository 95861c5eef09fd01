"""An episode as a strip of pictures: support, prediction, ground truth."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import cv2
import mmcv
import numpy as np

from mmcape.structures import EpisodeDataSample

PANEL = 320
_CAPTION = 28


def draw_episode(
    sample: EpisodeDataSample,
    skeleton: Sequence[tuple[int, int]] = (),
    max_shots: int = 2,
) -> np.ndarray:
    """Draw one episode; images are read again from their files.

    Args:
        sample: A predicted episode.
        skeleton: Pairs of keypoints to connect, counted from 0.
        max_shots: Support images to draw.

    Returns:
        (H, W, 3) uint8 RGB strip. Keypoints have the same colour in every
        panel; hollow ones do not count, as a support does not show them.
    """
    meta, support = sample.metainfo, sample.support_instances
    seen = (support.keypoints_visible > 0).all(axis=0)
    truth, found = sample.gt_instances, sample.pred_instances
    shots = zip(
        meta['support_img_paths'][:max_shots],
        support.bboxes,
        support.keypoints,
        support.keypoints_visible,
    )
    panels = [
        _panel(f'support {i}', path, box, keypoints, visible > 0, skeleton)
        for i, (path, box, keypoints, visible) in enumerate(shots, start=1)
    ]
    query, box = meta['img_path'], truth.bboxes[0]
    visible = truth.keypoints_visible[0] > 0
    panels += [
        _panel('prediction', query, box, found.keypoints[0], seen, skeleton),
        _panel(
            'ground truth', query, box, truth.keypoints[0], visible, skeleton
        ),
    ]
    return np.concatenate(panels, axis=1)


def _panel(
    caption: str,
    path: str,
    box: np.ndarray,
    keypoints: np.ndarray,
    drawn: np.ndarray,
    skeleton: Sequence[tuple[int, int]],
) -> np.ndarray:
    """The padded square around a box, enlarged before it is drawn upon."""
    image = mmcv.imread(path, channel_order='rgb')
    side = 1.25 * max(box[2] - box[0], box[3] - box[1])
    corner = (box[:2] + box[2:]) / 2 - side / 2
    zoom = PANEL / side
    matrix = np.array(
        [[zoom, 0, -zoom * corner[0]], [0, zoom, -zoom * corner[1]]],
        np.float64,
    )
    panel = cv2.warpAffine(
        image,
        matrix,
        (PANEL, PANEL),
        flags=cv2.INTER_LINEAR,
        borderValue=(64,) * 3,
    )
    draw_keypoints(panel, (keypoints - corner) * zoom, drawn, skeleton)

    strip = np.full((_CAPTION, PANEL, 3), 255, np.uint8)
    cv2.putText(
        strip,
        caption,
        (8, 20),
        cv2.FONT_HERSHEY_SIMPLEX,
        0.55,
        (0, 0, 0),
        1,
        cv2.LINE_AA,
    )
    bordered = np.concatenate([strip, panel])
    bordered[:, -2:] = 255
    return bordered


def draw_keypoints(
    image: np.ndarray,
    keypoints: np.ndarray,
    drawn: np.ndarray,
    skeleton: Sequence[tuple[int, int]] = (),
) -> None:
    """Draw keypoints and their connections into an image, in place.

    Args:
        image: (H, W, 3) uint8 RGB.
        keypoints: (K, 2) in pixels.
        drawn: (K,) bool, which ones to draw.
        skeleton: Pairs of keypoints to connect, counted from 0.
    """
    places = np.rint(keypoints).astype(int)
    for i, j in skeleton:
        if drawn[i] and drawn[j]:
            ends = tuple(map(int, places[i])), tuple(map(int, places[j]))
            cv2.line(image, *ends, (255, 255, 255), 3, cv2.LINE_AA)
            cv2.line(image, *ends, (90, 90, 90), 1, cv2.LINE_AA)
    for i in np.flatnonzero(drawn):
        place = tuple(map(int, places[i]))
        cv2.circle(image, place, 6, (255, 255, 255), -1, cv2.LINE_AA)
        cv2.circle(image, place, 5, colour(i, len(drawn)), -1, cv2.LINE_AA)


def colour(index: int, count: int) -> tuple[int, int, int]:
    """RGB colour of a keypoint, spread around the colour circle."""
    r, g, b = colorsys.hsv_to_rgb(index / max(count, 1), 1.0, 0.95)
    return int(255 * r), int(255 * g), int(255 * b)
