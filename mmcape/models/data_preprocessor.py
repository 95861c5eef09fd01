"""Packed episodes -> one padded, normalised batch on the device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from mmpose.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class EpisodeDataPreprocessor(BaseDataPreprocessor):
    """Stacks images, pads keypoints to the batch's largest K, normalises.

    Args:
        mean: Mean of the channels, in the order after ``bgr_to_rgb``.
        std: Standard deviation of the channels.
        bgr_to_rgb: Whether to reverse the channels (images load as BGR).
        non_blocking: Whether copies to the device are asynchronous.
    """

    def __init__(
        self,
        mean: Sequence[float],
        std: Sequence[float],
        bgr_to_rgb: bool = True,
        non_blocking: bool = True,
    ) -> None:
        super().__init__(non_blocking=non_blocking)
        self.bgr_to_rgb = bgr_to_rgb
        for name, value in (('mean', mean), ('std', std)):
            self.register_buffer(
                name, torch.tensor(value).view(-1, 1, 1), persistent=False
            )

    def forward(
        self, data: dict[str, Any], training: bool = False
    ) -> dict[str, Any]:
        """Batch what :func:`mmengine.dataset.pseudo_collate` has gathered.

        Args:
            data: ``inputs``, a dict of lists with one entry a sample:
                images uint8 (S, 3, H, W) and (3, H, W), keypoints
                (S, K_i, 2) and (K_i, 2), visibilities (S, K_i) and (K_i,);
                and ``data_samples``, passed on.
            training: Without effect.

        Returns:
            ``inputs`` as :class:`~mmcape.typing.EpisodeInputs` and
            ``data_samples``.
        """
        del training
        inputs: dict[str, Tensor] = {}
        for name, values in data['inputs'].items():
            if name.endswith('img'):
                batch = torch.stack(list(values))
            else:
                batch = pad_keypoints(
                    values, axis=-2 if name.endswith('keypoints') else -1
                )
            batch = self.cast_data(batch)
            inputs[name] = (
                self._normalize(batch) if name.endswith('img') else batch
            )
        return dict(inputs=inputs, data_samples=data.get('data_samples'))

    def _normalize(self, images: Tensor) -> Tensor:
        if self.bgr_to_rgb:
            images = images.flip(-3)
        return (images.float() - self.mean) / self.std


def pad_keypoints(values: Sequence[Tensor], axis: int) -> Tensor:
    """Stack tensors whose ``axis`` (negative) differs, padding with zeros."""
    longest = max(value.size(axis) for value in values)
    padded = []
    for value in values:
        missing = longest - value.size(axis)
        padding = [0, 0] * (-axis - 1) + [0, missing]
        padded.append(torch.nn.functional.pad(value, padding))
    return torch.stack(padded)
