"""Lets mmengine load no checkpoint that could run code.

mmengine leaves it to torch what a file may hold. Below version 2.6 that is
anything, and for a file behind an address it is so in every version.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import torch
from mmengine.runner import checkpoint

from mmcape.utils.checkpoint_files import CheckpointError, read_checkpoint


def register_checkpoint_loaders() -> None:
    """Reads local files and addresses with :func:`read_checkpoint`."""
    checkpoint.CheckpointLoader.register_scheme(
        prefixes='', loader=load_from_local, force=True
    )
    checkpoint.load_url = load_url  # load_from_http calls it on every rank


def load_from_local(filename: str, map_location: Any = None) -> dict[str, Any]:
    """Reads a file.

    Raises:
        CheckpointError: See :func:`read_checkpoint`.
    """
    return _without_code(read_checkpoint(filename, map_location))


def load_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
) -> dict[str, Any]:
    """Reads what an address gives, downloaded once.

    Args:
        url: The address; its last part names the file.
        model_dir: Where the file is kept, by default torch's folder.
        map_location: As in :func:`read_checkpoint`.
        progress: Whether to show how far the download is.

    Raises:
        CheckpointError: If the address names no file; and see
            :func:`read_checkpoint`.
    """
    name = Path(urlparse(url).path).name
    if name in ('', '..'):
        raise CheckpointError(f'{url} is the address of no file')
    folder = Path(model_dir or Path(torch.hub.get_dir(), 'checkpoints'))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    if not path.is_file():
        torch.hub.download_url_to_file(url, str(path), progress=progress)
    return _without_code(read_checkpoint(path, map_location))


def _without_code(content: dict[str, Any]) -> dict[str, Any]:
    """Drops an entry that mmengine runs as Python when it resumes.

    It is the config of MMCV 1; mmengine itself writes another.
    """
    meta = content.get('meta')
    if isinstance(meta, dict):
        meta.pop('config', None)
    return content
