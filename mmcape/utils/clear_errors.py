"""Faults of a run -> one message that says what to do, and a bounded end."""

from __future__ import annotations

import logging
import os
import os.path as osp
import re
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from types import TracebackType

from mmengine.dist import is_distributed
from mmengine.runner import find_latest_checkpoint
from torch import distributed

from .atomic_files import SaveError
from .checkpoint_files import CheckpointError
from .distributed_jobs import is_first_process
from .input_error import InputError
from .ranks import Ranks

_CLEAR = (InputError, CheckpointError, SaveError)
"""Errors that say themselves what to do."""
_WORKER = re.compile(r'DataLoader worker \(pid')
_LOST_PEER = re.compile(
    r'closed by peer|reset by peer|Broken pipe|NCCL error|remote process', re.I
)
_TIMEOUT = re.compile(r'timed? ?out', re.I)
_DIST_ERROR = getattr(distributed, 'DistError', ())  # torch 2.2
_PATIENCE = 5.0
"""Seconds that a lost process may take to end."""
_LINGER = 10.0
"""Seconds that a rank leaves the launcher to report another one first."""


class ClearErrors:
    """Context of a tool's run, which ends it with a message if it fails.

    Faults whose cause is known give one message instead of a traceback: what
    a user gave (:class:`InputError`), a checkpoint that cannot be read or
    saved, a dead worker of a loader, a lost rank. In a distributed job the
    process then ends at once, without the clean-up that would wait for other
    ranks.

    Args:
        work_dir: Folder of a training run, whose latest checkpoint the message
            names; None if there is nothing to resume.
    """

    def __init__(self, work_dir: str | None = None) -> None:
        self.work_dir = work_dir
        self._ranks: Ranks | None = None
        self._voice = threading.Lock()
        self._said = False

    def __enter__(self) -> ClearErrors:
        return self

    def watch_ranks(self) -> None:
        """Learn where the ranks are, and be ready to be ended for another.

        A launcher ends the other ranks with SIGTERM when one has died. These
        may be deep in a library that waits for the dead one, so a thread
        takes the signal. Collective; without effect on a single process.
        """
        if not is_distributed():
            return
        self._ranks = Ranks()
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        threading.Thread(
            target=self._wait_for_sigterm, args=(reader,), daemon=True
        ).start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not isinstance(error, Exception):
            return
        message = self._explain(error)
        if not is_distributed():
            if message is None:
                return
            self._say(message)
            raise SystemExit(1) from None
        if message is None:
            message = ''.join(traceback.format_exception(error))
        elsewhere = self._is_said_elsewhere(error)
        if elsewhere:
            self._said = True
        self._say(message)
        late = _TIMEOUT.search(str(error))
        if elsewhere or self._is_another_rank(error) and not late:
            time.sleep(_LINGER)
        _end_now(1)

    def _explain(self, error: BaseException) -> str | None:
        """What has happened and what to do, if the cause is known."""
        for cause in _causes(error):
            if isinstance(cause, _CLEAR):
                return _own_words(cause)
            if _WORKER.search(str(cause)):
                return _about_worker(str(cause))
        if self._is_another_rank(error):
            return self._about_ranks(error)
        return None

    def _is_another_rank(self, error: BaseException) -> bool:
        return is_distributed() and any(
            isinstance(cause, _DIST_ERROR)
            or isinstance(cause, RuntimeError)
            and (_LOST_PEER.search(str(cause)) or _TIMEOUT.search(str(cause)))
            for cause in _causes(error)
        )

    def _is_said_elsewhere(self, error: BaseException) -> bool:
        """Whether all ranks end for the same reason, and this is no first."""
        same = any(getattr(e, 'on_all_ranks', False) for e in _causes(error))
        return same and not is_first_process()

    def _about_ranks(self, error: BaseException) -> str:
        late = bool(_TIMEOUT.search(str(error)))
        if self._ranks is None:
            who = 'one of the others has ended or hangs'
        else:
            who = self._ranks.who_is_gone(0.0 if late else _PATIENCE)
        what = (
            'not all ranks met within the seconds of env_cfg.dist_cfg.timeout'
            if late
            else 'the job has lost a rank'
        )
        return (
            f'{what}: {who}. Its own output or the report of the launcher '
            'tells why; one that says nothing was killed, often for want of '
            f'memory ({_first_line(error)})'
        )

    def _wait_for_sigterm(self, reader: int) -> None:
        """Body of the thread that takes the launcher's signal."""
        while signal.SIGTERM not in os.read(reader, 1):
            pass
        assert self._ranks is not None
        who = self._ranks.who_is_gone(patience=1.0)
        self._say(f'ended by the launcher (SIGTERM): {who}')
        _end_now(128 + signal.SIGTERM)

    def _say(self, message: str) -> None:
        """Print a message, the first alone; whole when this returns."""
        with self._voice:
            if self._said:
                return
            self._said = True
            rank = f' on rank {self._ranks.rank}' if self._ranks else ''
            text = f'\nerror{rank}: {message}{self._how_to_go_on()}\n'
            sys.stderr.write(text)
            sys.stderr.flush()

    def _how_to_go_on(self) -> str:
        if self.work_dir is None:
            return ''
        if not osp.exists(osp.join(self.work_dir, 'last_checkpoint')):
            return '\nThere is no checkpoint yet: start again'
        latest = find_latest_checkpoint(self.work_dir)
        return (
            f'\nThe last checkpoint is {latest}: the same command with '
            '--resume goes on from it'
        )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and those that it comes from."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _first_line(error: BaseException) -> str:
    """What a library says, without its advice."""
    return (str(error).splitlines() or [''])[0].partition('. ')[0]


def _own_words(error: BaseException) -> str:
    """An error's message, without the traceback that a worker adds."""
    text = str(error)
    if 'Original Traceback' not in text:
        return text
    return text.rpartition(f'{type(error).__name__}: ')[2].strip()


def _about_worker(text: str) -> str:
    if 'Bus error' in text:
        remedy = (
            'Shared memory is full: enlarge /dev/shm (in a container with '
            '--shm-size), or use fewer workers'
        )
    else:
        remedy = (
            'Most often the machine has run out of memory (see `dmesg`): '
            'use fewer workers (train_dataloader.num_workers, '
            'val_dataloader.num_workers) or smaller batches. With '
            'num_workers=0 an error in a transform shows itself'
        )
    return f'a process that loads images has died: {text.strip()}\n{remedy}.'


def _end_now(status: int) -> None:
    """End the process without waiting for threads or other ranks."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
