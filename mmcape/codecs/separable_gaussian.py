"""Keypoints <-> Gaussian maps, kept as one factor per axis.

A truncated Gaussian is the product of a function of x and one of y, and so is
bilinear resampling. Pooling masks and training targets of any resolution are
therefore outer products of two short vectors; a dense heatmap is only built
where a head is supervised by one.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmpose.registry import KEYPOINT_CODECS
from torch import Tensor


def bilinear_matrix(source: int, target: int, like: Tensor) -> Tensor:
    """Matrix of 1-D linear resampling (align_corners=False, no antialias).

    Args:
        source: Length of the signal.
        target: Length after resampling.
        like: Gives the device and type of the matrix.

    Returns:
        (target, source); ``matrix @ signal`` resamples a signal.
    """
    identity = torch.eye(source, device=like.device, dtype=like.dtype)
    resampled = F.interpolate(
        identity[None], size=target, mode='linear', align_corners=False
    )
    return resampled[0].T


def _apply(matrix: Tensor, signals: Tensor) -> Tensor:
    """``matrix @ signal`` for signals (..., n), exact under autocast too."""
    return (matrix * signals.unsqueeze(-2)).sum(dim=-1)


@KEYPOINT_CODECS.register_module()
class SeparableGaussian:
    """Gaussian of every keypoint on a heatmap grid, as two axis factors.

    Encoding follows the published MSRA-style targets to the digit: the centre
    is rounded to a cell by ``int(x / stride + 0.5)`` (towards zero), the patch
    reaches 3 sigma, the peak is 1. Letters as in :mod:`mmcape.typing`.

    Args:
        input_size: ``(w, h)`` of the crop in pixels.
        heatmap_size: ``(w, h)`` of the heatmap grid.
        sigma: Standard deviation in heatmap cells.
    """

    def __init__(
        self,
        input_size: tuple[int, int],
        heatmap_size: tuple[int, int],
        sigma: float = 2.0,
    ) -> None:
        self.input_size = tuple(input_size)
        self.heatmap_size = tuple(heatmap_size)
        self.sigma = sigma
        self.radius = int(3 * sigma)

    def encode(self, keypoints: Tensor) -> tuple[Tensor, Tensor]:
        """Axis factors of the heatmaps.

        Args:
            keypoints: (..., 2) in pixels of the crop.

        Returns:
            ``gy`` (..., heatmap h) and ``gx`` (..., heatmap w); a heatmap is
            ``gy[..., :, None] * gx[..., None, :]``.
        """
        cell = self._nearest_cell(keypoints)
        width, height = self.heatmap_size
        return (
            self._factor(cell[..., 1], height),
            self._factor(cell[..., 0], width),
        )

    def heatmaps(self, keypoints: Tensor) -> Tensor:
        """Dense heatmaps (..., heatmap h, heatmap w) of points (..., 2)."""
        gy, gx = self.encode(keypoints)
        return gy.unsqueeze(-1) * gx.unsqueeze(-2)

    def decode(self, points: Tensor) -> Tensor:
        """Normalised points (..., 2) to pixels of the crop."""
        return points * points.new_tensor(self.input_size)

    def normalize(self, keypoints: Tensor) -> Tensor:
        """Pixels of the crop (..., 2) to normalised points."""
        return keypoints / keypoints.new_tensor(self.input_size)

    def in_reach(self, keypoints: Tensor) -> Tensor:
        """Whether a keypoint's patch may touch the heatmap, (...) bool.

        The published rule tests the patch's far edge with ``< 0``, so a patch
        that ends exactly at the border counts although it is empty.
        """
        cell = self._nearest_cell(keypoints)
        size = cell.new_tensor(self.heatmap_size)
        near, far = cell - self.radius, cell + self.radius + 1
        return ((near < size) & (far >= 0)).all(dim=-1)

    def pooling_masks(
        self, keypoints: Tensor, size: tuple[int, int]
    ) -> Tensor:
        """Weights that pool a feature map around each keypoint.

        Equal to upsampling the features bilinearly to the heatmap and summing
        them under the heatmap normalised to sum 1: the transpose of the
        upsampling is applied to the heatmap instead of to the features.

        Args:
            keypoints: (..., 2) in pixels of the crop.
            size: ``(h, w)`` of the feature map.

        Returns:
            (..., h, w) weights; all zero for an empty patch.
        """
        gy, gx = self.encode(keypoints)
        total = gy.sum(-1) * gx.sum(-1) + 1e-8
        wy = _apply(bilinear_matrix(size[0], gy.size(-1), gy).T, gy)
        wx = _apply(bilinear_matrix(size[1], gx.size(-1), gx).T, gx)
        return wy.unsqueeze(-1) * (wx / total.unsqueeze(-1)).unsqueeze(-2)

    def cell_targets(self, keypoints: Tensor, size: tuple[int, int]) -> Tensor:
        """Heatmaps resized bilinearly and divided by their maximum.

        Args:
            keypoints: (..., 2) in pixels of the crop.
            size: ``(h, w)`` of the map that is supervised.

        Returns:
            (..., h, w) targets with peak 1; all zero for an empty patch.
        """
        gy, gx = self.encode(keypoints)
        ty = _apply(bilinear_matrix(gy.size(-1), size[0], gy), gy)
        tx = _apply(bilinear_matrix(gx.size(-1), size[1], gx), gx)
        peak = (ty.amax(-1) * tx.amax(-1)).unsqueeze(-1) + 1e-10
        return ty.unsqueeze(-1) * (tx / peak).unsqueeze(-2)

    def _nearest_cell(self, keypoints: Tensor) -> Tensor:
        stride = keypoints.new_tensor(self.input_size) / keypoints.new_tensor(
            self.heatmap_size
        )
        return torch.trunc(keypoints / stride + 0.5)

    def _factor(self, centre: Tensor, length: int) -> Tensor:
        axis = torch.arange(length, device=centre.device, dtype=centre.dtype)
        distance = axis - centre.unsqueeze(-1)
        value = torch.exp(-distance.square() / (2 * self.sigma**2))
        return value * (distance.abs() <= self.radius)
