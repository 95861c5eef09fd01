"""Files that are there whole, or as they were before."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

import mmengine
from mmengine.fileio import LocalBackend, register_backend

PARTIAL = '.partial'
"""Ends the name of a file that is being written."""


class SaveError(OSError):
    """A file that could not be written; what was there before is whole."""


def write_atomically(path: str | Path, content: bytes) -> None:
    """Write a file beside its place, then move it there.

    A process that is killed meanwhile leaves ``path`` as it was, and a power
    cut does too: the content is on the disk before the name is.

    Raises:
        SaveError: If the disk is full or refuses the file; names the file,
            its size and what is free.
    """
    partial = f'{path}{PARTIAL}'
    try:
        with open(partial, 'wb') as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
        _flush_folder(Path(path).parent)
    except OSError as error:
        Path(partial).unlink(missing_ok=True)
        free = shutil.disk_usage(Path(path).parent).free
        raise SaveError(
            f'cannot save {path}: {error.strerror}. It needs '
            f'{_mebibytes(len(content))}, {_mebibytes(free)} are free there; '
            'what was saved before is whole'
        ) from error


def _flush_folder(folder: Path) -> None:
    """Bring a renamed file's name to the disk, where systems can do that."""
    with suppress(OSError, AttributeError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _mebibytes(count: int) -> str:
    return f'{count / 2**20:.2f} MiB'


class AtomicBackend(LocalBackend):
    """Local files, written by :func:`write_atomically`.

    Chosen by ``backend_args=dict(backend='atomic')``.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes, all or none.

        Raises:
            SaveError: As :func:`write_atomically`.
        """
        mmengine.mkdir_or_exist(Path(filepath).parent)
        write_atomically(filepath, obj)


register_backend('atomic', AtomicBackend)
