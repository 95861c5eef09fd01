"""Decoded images on disk, shared by all workers, jobs and epochs."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

# After how many images the folder is measured again: others write, too.
_RECOUNT = 64


class ImageCache:
    """A folder of decoded images that stops growing at its limit.

    A file's entry is found by path, size and time of change, so that a
    replaced image is decoded anew. Entries are mapped into memory: what is
    used often stays in the operating system's own cache, once for all
    processes.

    Args:
        folder: Best on a fast disk or in memory, e.g. below /dev/shm. Belongs
            to this cache alone.
        limit: Of all entries, in GiB.
    """

    def __init__(self, folder: str, limit: float) -> None:
        self.folder = Path(folder)
        self.limit = limit * 2**30
        self.folder.mkdir(parents=True, exist_ok=True)
        self._used = 0
        self._count = 0

    def get(self, path: str) -> Image | None:
        """The decoded image, read-only, if it is here and up to date."""
        entry = self._entry(path)
        try:
            return np.asarray(np.load(entry, mmap_mode='r'))
        except (FileNotFoundError, ValueError, EOFError):
            return None

    def put(self, path: str, image: Image) -> None:
        """Keep a decoded image, unless the limit is reached."""
        if self._count % _RECOUNT == 0:
            self._used = self._size()
        self._count += 1
        if self._used + image.nbytes > self.limit:
            return
        self._used += image.nbytes
        handle, partial = tempfile.mkstemp(dir=self.folder, suffix='.partial')
        try:
            with os.fdopen(handle, 'wb') as file:
                np.save(file, image)
            os.replace(partial, self._entry(path))
        except OSError:  # no space left: go on without
            Path(partial).unlink(missing_ok=True)

    def _entry(self, path: str) -> Path:
        status = os.stat(path)
        name = f'{os.path.abspath(path)} {status.st_size} {status.st_mtime_ns}'
        return self.folder / f'{hashlib.sha1(name.encode()).hexdigest()}.npy'

    def _size(self) -> int:
        """Bytes of all entries, whoever wrote them."""
        with os.scandir(self.folder) as entries:
            return sum(entry.stat().st_size for entry in entries)
