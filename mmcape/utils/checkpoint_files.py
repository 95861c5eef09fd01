"""Reading checkpoint files without trusting them."""

from __future__ import annotations

import pickle
from typing import Any

import torch


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
