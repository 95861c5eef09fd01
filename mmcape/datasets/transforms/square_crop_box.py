"""The published crop: a padded square around the box."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS

_UNIT = 200


@TRANSFORMS.register_module()
class GetSquareCropBox(BaseTransform):
    """Centre and side of the crop of one instance.

    mmpose's ``GetBBoxCenterScale`` agrees up to the last bit of a float32.
    The published code keeps sizes in units of 200 px, and so rounds elsewhere;
    that bit moves single pixels of the warped image by several grey levels.

    Required key: bbox (1, 4), corners in pixels. Optional key:
    crop_scale_factor. Added keys: bbox_center (1, 2), bbox_scale (1, 2) in
    pixels.

    Args:
        padding: Side of the crop relative to the box's longer side.
    """

    def __init__(self, padding: float = 1.25) -> None:
        self.padding = padding

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the crop of the box."""
        x1, y1, x2, y2 = results['bbox'][0].astype(np.float64)
        width, height = x2 - x1, y2 - y1
        side = np.float32(max(width, height) / _UNIT) * np.float32(
            self.padding
        )
        side *= np.float32(results.get('crop_scale_factor', 1))
        results['bbox_center'] = np.array(
            [[x1 + width / 2, y1 + height / 2]], np.float32
        )
        results['bbox_scale'] = np.full(
            (1, 2), side * np.float32(_UNIT), np.float32
        )
        return results
