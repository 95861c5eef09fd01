"""The processes of a distributed job, and which of them are gone."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

from mmengine.dist import all_gather_object, get_rank


class Ranks:
    """Where the ranks of a job run; collective when it is made."""

    def __init__(self) -> None:
        self.rank = get_rank()
        self.host = socket.gethostname()
        self.places = all_gather_object((self.host, os.getpid()))

    def gone(self) -> list[int]:
        """Ranks of this machine whose process has ended."""
        return [
            rank
            for rank, (host, pid) in enumerate(self.places)
            if host == self.host and not _is_running(pid)
        ]

    def who_is_gone(self, patience: float) -> str:
        """Name the ranks that are gone, as far as it can be known here.

        Args:
            patience: Seconds to wait for one to end.
        """
        limit = time.monotonic() + patience
        while not (gone := self.gone()) and time.monotonic() < limit:
            time.sleep(0.05)
        if gone:
            return ', '.join(
                f'rank {rank} (process {self.places[rank][1]} on '
                f'{self.places[rank][0]}) has ended'
                for rank in gone
            )
        elsewhere = sorted({h for h, _ in self.places if h != self.host})
        if elsewhere:
            return (
                f'all ranks on {self.host} live, so it is one on '
                f'{", ".join(elsewhere)}'
            )
        return 'all processes live, so one of them hangs'


def _is_running(pid: int) -> bool:
    """Whether a process is there, and not just waiting to be reaped."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        status = Path(f'/proc/{pid}/stat').read_text()
    except OSError:  # no such file system
        return True
    return status.rpartition(')')[2].split()[0] not in 'ZX'
