"""Packed episodes -> one padded, normalised batch on the device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from mmpose.registry import MODELS
from torch import Tensor

from mmcape.datasets.collate import stack_inputs


@MODELS.register_module()
class EpisodeDataPreprocessor(BaseDataPreprocessor):
    """Stacks what is not yet stacked, moves it and normalises images.

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
        """Bring a batch to the device.

        Args:
            data: ``inputs``, tensors from
                :func:`~mmcape.datasets.collate.collate_episodes` or the lists
                that :func:`mmengine.dataset.pseudo_collate` makes of episodes;
                and ``data_samples``, passed on.
            training: Without effect.

        Returns:
            ``inputs`` as :class:`~mmcape.typing.EpisodeInputs` and
            ``data_samples``.
        """
        del training
        batch = self.cast_data(_stacked(data['inputs']))
        inputs = {
            name: self.normalize(values) if name.endswith('img') else values
            for name, values in batch.items()
        }
        return dict(inputs=inputs, data_samples=data.get('data_samples'))

    def normalize(self, images: Tensor) -> Tensor:
        """Images (..., 3, H, W), as they are loaded, as the model's input."""
        if self.bgr_to_rgb:
            images = images.flip(-3)
        return (images.float() - self.mean) / self.std


def _stacked(inputs: dict[str, Any]) -> dict[str, Tensor]:
    """Inputs of a batch, however the loader collates."""
    if all(isinstance(values, Tensor) for values in inputs.values()):
        return inputs
    return stack_inputs(inputs)
