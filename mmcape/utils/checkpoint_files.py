"""Reading checkpoint files without trusting them."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

_SHOWN = 5


class CheckpointError(ValueError):
    """A file that is no readable checkpoint."""


def read_checkpoint(path: str) -> Any:
    """Content of a checkpoint; code in its pickle is never run.

    Raises:
        CheckpointError: If the file is missing, damaged, or holds anything
            but tensors and plain data.
    """
    try:
        return torch.load(path, map_location='cpu', weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise CheckpointError(
            f'{path} cannot be read as a checkpoint of plain tensors: {error}'
        ) from error


def describe_misfit(
    expected: Mapping[str, Tensor], checkpoint: Mapping[str, Any]
) -> str | None:
    """Why a checkpoint is not one of a model; None if it is.

    Args:
        expected: The model's state.
        checkpoint: Holds the weights, as they are or below 'state_dict'.
    """
    found = checkpoint.get('state_dict', checkpoint)
    wrong = [f'{name} is missing' for name in expected if name not in found]
    wrong += [f'{name} is left over' for name in found if name not in expected]
    wrong += [
        f'{name} has shape {tuple(found[name].shape)}, not '
        f'{tuple(value.shape)}'
        for name, value in expected.items()
        if name in found and found[name].shape != value.shape
    ]
    if not wrong:
        return None
    listed = '\n  '.join(wrong[:_SHOWN])
    more = len(wrong) - _SHOWN
    return (
        f'is not a checkpoint of this config: {len(wrong)} weights do not '
        f'fit:\n  {listed}'
        + (f'\n  and {more} more' if more > 0 else '')
        + '\nUse the config that it was trained with (same method, backbone '
        'and sizes), or convert it with tools/model_converters/'
    )
