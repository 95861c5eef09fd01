"""Packed episodes -> tensors of a batch, in the loader's worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.registry import FUNCTIONS
from torch import Tensor


@FUNCTIONS.register_module()
def collate_episodes(samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Stack episodes where they are packed.

    A worker then hands over six tensors a batch, not six an episode, each of
    which costs a file in shared memory.

    Args:
        samples: From ``PackEpisodeInputs``.

    Returns:
        ``inputs`` as :func:`stack_inputs` gives them, and the list
        ``data_samples``.
    """
    names = samples[0]['inputs']
    return dict(
        inputs=stack_inputs(
            {name: [one['inputs'][name] for one in samples] for name in names}
        ),
        data_samples=[one['data_samples'] for one in samples],
    )


def stack_inputs(inputs: Mapping[str, Sequence[Tensor]]) -> dict[str, Tensor]:
    """Stack images, pad keypoints to the batch's largest K.

    Args:
        inputs: A list of B tensors a name: images uint8 (S, 3, H, W) and
            (3, H, W), keypoints (S, K_i, 2) and (K_i, 2), visibilities
            (S, K_i) and (K_i,).

    Returns:
        (B, ...) under the same names.
    """
    return {
        name: stack_images(values)
        if name.endswith('img')
        else pad_keypoints(
            values, axis=-2 if name.endswith('keypoints') else -1
        )
        for name, values in inputs.items()
    }


def stack_images(values: Sequence[Tensor]) -> Tensor:
    """Stack images (..., 3, H, W), channels innermost in memory."""
    innermost = [value.movedim(-3, -1) for value in values]
    return torch.stack(innermost).movedim(-1, -3)


def pad_keypoints(values: Sequence[Tensor], axis: int) -> Tensor:
    """Stack tensors whose ``axis`` (negative) differs, padding with zeros."""
    longest = max(value.size(axis) for value in values)
    padded = []
    for value in values:
        missing = longest - value.size(axis)
        padding = [0, 0] * (-axis - 1) + [0, missing]
        padded.append(torch.nn.functional.pad(value, padding))
    return torch.stack(padded)
