"""What a loader hands over, beside the images that it comes from."""

from __future__ import annotations

import os.path as osp
from collections.abc import Mapping
from typing import Any

import numpy as np

from .crops import Crop, unpack_crops
from .episode import box_view
from .layout import captioned, row, stack, whole
from .marks import PANEL, draw_keypoints
from .naming import Naming
from .text import caption, legend, write_numbers

_SHOTS = 5


def draw_loaded(
    packed: Mapping[str, Any], naming: Naming, bgr: bool, panel: int = PANEL
) -> np.ndarray:
    """Draw an episode as it is loaded, augmentation included.

    Args:
        packed: An episode as the pipeline packs it.
        naming: Of its category.
        bgr: Whether its images are in OpenCV's order.
        panel: Side of a panel in pixels.

    Returns:
        (H, W, 3) uint8 RGB, the annotated boxes of up to five supports and
        the query, below them their crops.
    """
    sample = packed['data_samples']
    meta, support = sample.metainfo, sample.support_instances
    query, shots = unpack_crops(packed['inputs'], bgr)
    names = [f'support {n}' for n in range(1, len(shots) + 1)][:_SHOTS]
    columns = [
        _column(name, path, annotation, crop, naming, panel)
        for name, path, annotation, crop in zip(
            [*names, 'query'],
            [*meta['support_img_paths'][:_SHOTS], meta['img_path']],
            [*support[:_SHOTS], sample.gt_instances],
            [*shots[:_SHOTS], query],
        )
    ]
    picture = row(columns)
    shown = [query.visible, *(crop.visible for crop in shots)]
    indices = np.flatnonzero(np.any(shown, axis=0)).tolist()
    ids = ', '.join(map(str, meta['support_ids']))
    lines = [
        f'{meta["category_name"]}, episode {meta["episode_index"]}',
        f'annotations {ids} and {meta["id"]}; above as they are annotated, '
        'below as they are loaded',
    ]
    width = picture.shape[1]
    return stack(
        [
            caption(lines, width, panel),
            picture,
            legend(naming.names, indices, width, panel),
        ]
    )


def _column(
    name: str,
    path: str,
    annotation: Any,
    crop: Crop,
    naming: Naming,
    panel: int,
) -> np.ndarray:
    """The box of an instance over its crop."""
    shown = box_view(path, annotation.bboxes[0], panel)
    visible = annotation.keypoints_visible[0] > 0
    loaded = whole(crop.image, panel)
    for at, keypoints, drawn in (
        (shown, annotation.keypoints[0], visible),
        (loaded, crop.keypoints, crop.visible),
    ):
        places = at.place(keypoints)
        draw_keypoints(at.picture, places, drawn, naming.skeleton)
        write_numbers(at.picture, places, drawn)
    width, height = crop.size
    inside = ((crop.keypoints >= 0) & (crop.keypoints < crop.size)).all(axis=1)
    lines = [
        f'crop of {width} x {height}',
        f'{(inside & crop.visible).sum()} of {visible.sum()} keypoints inside',
    ]
    return stack(
        [
            captioned(shown.picture, [name, osp.basename(path)]),
            captioned(loaded.picture, lines),
        ]
    )
