"""The published augmentation of the crop."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomScaleRotation(BaseTransform):
    """Draws a relative scale and an angle for the crop, clipped normal noise.

    mmpose's ``RandomBBoxTransform`` draws from truncated normals and shifts
    the box as well, which is another distribution.

    Required key: rng. Added keys: crop_scale_factor, and bbox_rotation (1,)
    in degrees.

    Args:
        scale_factor: Standard deviation and bound of the relative scale.
        rotate_factor: Standard deviation of the angle; twice it is the bound.
        rotate_prob: Probability of rotating at all.
    """

    def __init__(
        self,
        scale_factor: float = 0.15,
        rotate_factor: float = 15.0,
        rotate_prob: float = 0.6,
    ) -> None:
        self.scale_factor = scale_factor
        self.rotate_factor = rotate_factor
        self.rotate_prob = rotate_prob

    def draw(
        self, rng: np.random.Generator | np.random.RandomState
    ) -> tuple[float, float]:
        """Scale factor and angle in degrees."""
        scale = np.clip(
            rng.standard_normal() * self.scale_factor + 1,
            1 - self.scale_factor,
            1 + self.scale_factor,
        )
        angle = np.clip(
            rng.standard_normal() * self.rotate_factor,
            -2 * self.rotate_factor,
            2 * self.rotate_factor,
        )
        return scale, angle if rng.random() <= self.rotate_prob else 0.0

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Store one draw."""
        scale, angle = self.draw(results['rng'])
        results['crop_scale_factor'] = scale
        results['bbox_rotation'] = np.array([angle])
        return results
