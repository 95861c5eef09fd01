"""An episode whose images are read again: support, prediction, annotation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mmcv
import numpy as np

from .layout import View, captioned, row, view
from .marks import PANEL, Edges, draw_keypoints, draw_rings

_PADDING = 1.25


def draw_episode(
    sample: Mapping[str, Any],
    skeleton: Edges = (),
    wrong: np.ndarray | None = None,
    panel: int = PANEL,
    most_shots: int = 2,
) -> np.ndarray:
    """Draw one episode of a dumped result.

    Args:
        sample: A predicted :class:`~mmcape.structures.EpisodeDataSample` as a
            dict, as ``test.py --dump`` writes it.
        skeleton: Pairs of keypoints to connect, counted from 0.
        wrong: (K,) bool, keypoints that get a red ring.
        panel: Side of a panel in pixels.
        most_shots: Supports to draw.

    Returns:
        (H, W, 3) uint8 RGB strip of supports, prediction and
        annotation. Keypoints have the same colour in every panel.
    """
    support, truth = sample['support_instances'], sample['gt_instances']
    looked_for = (support['keypoints_visible'] > 0).all(axis=0)
    panels = []
    paths = sample['support_img_paths'][:most_shots]
    for shot, path in enumerate(paths):
        shown = box_view(path, support['bboxes'][shot], panel)
        drawn = support['keypoints_visible'][shot] > 0
        places = shown.place(support['keypoints'][shot])
        draw_keypoints(shown.picture, places, drawn, skeleton)
        name = 'support' if len(paths) == 1 else f'support {shot + 1}'
        panels.append(captioned(shown.picture, [name]))
    for name, keypoints, drawn in (
        ('prediction', sample['pred_instances']['keypoints'][0], looked_for),
        (
            'annotation',
            truth['keypoints'][0],
            truth['keypoints_visible'][0] > 0,
        ),
    ):
        shown = box_view(sample['img_path'], truth['bboxes'][0], panel)
        places = shown.place(keypoints)
        draw_keypoints(shown.picture, places, drawn, skeleton)
        if wrong is not None and name == 'prediction':
            draw_rings(shown.picture, places, wrong)
        panels.append(captioned(shown.picture, [name]))
    return row(panels)


def box_view(path: str, box: np.ndarray, panel: int) -> View:
    """The padded square around a box (4,) of an image file."""
    image = mmcv.imread(path, channel_order='rgb')
    side = _PADDING * max(box[2] - box[0], box[3] - box[1])
    return view(image, (box[:2] + box[2:]) / 2, float(side), panel)
