"""Reading checkpoint files without trusting them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from mmcape.compat.checkpoints import has_list

_HTML = (b'<!doctype html', b'<html', b'<?xml')
_HEAD = 64
"""Bytes by which files that are mistaken for checkpoints are told."""


class CheckpointError(ValueError):
    """A file that is no readable checkpoint, or not one of the model."""

    on_all_ranks = True
    """All ranks of a job read the same file."""


def read_checkpoint(
    path: str | os.PathLike[str],
    map_location: Any = 'cpu',
    lazily: bool = False,
) -> dict[str, Any]:
    """Content of a checkpoint; code in its pickle is never run.

    Args:
        path: The file.
        map_location: Where tensors go, as in ``torch.load``.
        lazily: Whether tensors may stay on the disk until they are used,
            where torch can do that.

    Raises:
        CheckpointError: If the file is missing, damaged, or holds anything
            but tensors and plain data by name.
    """
    path = Path(path).expanduser()
    _refuse_other_files(path)
    try:
        content = _load(path, map_location, lazily)
    except Exception as error:  # a damaged file fails in any place
        reason = str(error).strip().split('\n')[0] or type(error).__name__
        raise CheckpointError(
            f'{path} cannot be read as a checkpoint of plain tensors: '
            f'{reason}\nIt is damaged, or holds code that is never run: copy '
            'or download it again, from somebody you trust'
        ) from error
    if not isinstance(content, dict):
        raise CheckpointError(
            f'{path} holds no weights by name but a {type(content).__name__}'
        )
    return content


def _load(path: Path, map_location: Any, lazily: bool) -> Any:
    if has_list():
        return torch.load(
            path, map_location=map_location, weights_only=True, mmap=lazily
        )
    from mmcape.compat import listed_pickles

    return listed_pickles.load_checkpoint(path, map_location)


def _refuse_other_files(path: Path) -> None:
    """Name what is given in place of a checkpoint.

    Raises:
        CheckpointError: If it is told by its first bytes.
    """
    try:
        with path.open('rb') as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise CheckpointError(
            f'{path} cannot be read as a checkpoint: {error.strerror}'
        ) from error
    if not head:
        what = 'is empty: copy or download it again'
    elif head.lstrip().lower().startswith(_HTML):
        what = (
            'is a web page, not a checkpoint: delete it and download the '
            'file itself (on many sites the link named "raw" or "download")'
        )
    elif head[8:9] == b'{' and int.from_bytes(head[:8], 'little') < 10**8:
        what = (
            'is a safetensors file: save its tensors with torch.save('
            'safetensors.torch.load_file(SOURCE), TARGET) first'
        )
    else:
        return
    raise CheckpointError(f'{path} {what}')
