"""Weights named ``torchvision://...`` where torchvision is not installed.

mmengine asks torchvision for the addresses of its weights, though it has a
table of them itself. That table serves where the import fails.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import mmengine
from mmengine.runner import checkpoint

_PREFIX = 'torchvision://'


def register_torchvision_weights() -> None:
    """Loads such weights by mmengine's table if torchvision is missing."""
    try:
        import_module('torchvision')
    except ImportError:
        checkpoint.CheckpointLoader.register_scheme(
            prefixes=_PREFIX, loader=_load_by_table, force=True
        )


def _load_by_table(filename: str, map_location: Any = None) -> Any:
    """Downloads the weights that a name stands for.

    Raises:
        ValueError: If the name is not in the table.
    """
    name = filename[len(_PREFIX) :]
    table = Path(mmengine.__file__).parent / 'hub/torchvision_0.12.json'
    addresses = mmengine.load(table)
    if name not in addresses:
        raise ValueError(
            f'no address of {filename} is known: install torchvision, or '
            'name a local file'
        )
    return checkpoint.load_from_http(
        addresses[name], map_location=map_location
    )
