"""The crops of an episode, as the pipeline packs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor


@dataclass(frozen=True)
class Crop:
    """A crop as the model sees it, augmentation included."""

    image: np.ndarray
    """(H, W, 3) uint8 RGB."""
    keypoints: np.ndarray
    """(K, 2) annotated, in pixels of the crop."""
    visible: np.ndarray
    """(K,) bool; all False where nothing is annotated."""

    @property
    def size(self) -> tuple[int, int]:
        """``(w, h)`` in pixels."""
        return self.image.shape[1], self.image.shape[0]


def unpack_crops(
    inputs: Mapping[str, Tensor], bgr: bool
) -> tuple[Crop, list[Crop]]:
    """The query's crop and those of its S supports.

    Args:
        inputs: Of one episode, from
            :class:`~mmcape.datasets.transforms.PackEpisodeInputs`.
        bgr: Whether images are in OpenCV's order.
    """
    names = ('img', 'keypoints', 'visible')
    image, keypoints, visible = (inputs[f'query_{name}'] for name in names)
    shots = zip(*(inputs[f'support_{name}'] for name in names))
    return (
        _crop(image, keypoints, visible, bgr=bgr),
        [_crop(*shot, bgr=bgr) for shot in shots],
    )


def _crop(
    image: Tensor, keypoints: Tensor, visible: Tensor, *, bgr: bool
) -> Crop:
    picture = image.cpu().numpy().transpose(1, 2, 0)[..., :: -1 if bgr else 1]
    return Crop(
        np.ascontiguousarray(picture),
        keypoints.cpu().numpy(),
        visible.cpu().numpy(),
    )
