"""Hooks that break a run at a given iteration, for the tests of faults."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

from mmengine.hooks import Hook
from mmpose.registry import HOOKS


class _At(Hook):
    """Acts before iteration ``step`` (from 0) on one rank.

    The time is written to the file ``stamp``.
    """

    def __init__(self, step, rank=0, stamp=None, **arguments):
        self.step = step
        self.rank = rank
        self.stamp = stamp
        self.__dict__.update(arguments)

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if (runner.iter, runner.rank) == (self.step, self.rank):
            if self.stamp:
                Path(self.stamp).write_text(str(time.time()))
            self.act(runner, data_batch)


@HOOKS.register_module()
class LoseNumber(_At):
    """Spoils the keypoints of the query at place ``row`` of the batch."""

    def act(self, runner, batch):
        batch['inputs']['query_keypoints'][self.row][:] = float('nan')


@HOOKS.register_module()
class KillWorker(_At):
    """Kills a process of the loader."""

    def act(self, runner, batch):
        worker = multiprocessing.active_children()[0]
        os.kill(worker.pid, signal.SIGKILL)
        # what the run meets at the next batch, not inside this one
        worker.join()


@HOOKS.register_module()
class KillRank(_At):
    """Kills a process of a distributed job."""

    def act(self, runner, batch):
        os.kill(os.getpid(), signal.SIGKILL)


@HOOKS.register_module()
class FailRank(_At):
    """Raises what no one has thought of."""

    def act(self, runner, batch):
        raise KeyError('an ordinary error')


@HOOKS.register_module()
class HangRank(_At):
    """Stops answering."""

    def act(self, runner, batch):
        time.sleep(self.seconds)


@HOOKS.register_module()
class BreakImage(Hook):
    """Deletes or truncates images before an epoch (from 0)."""

    def __init__(self, epoch, deleted=(), truncated=()):
        self.epoch = epoch
        self.deleted = deleted
        self.truncated = truncated

    def before_train_epoch(self, runner):
        if (runner.epoch, runner.rank) != (self.epoch, 0):
            return
        for path in map(Path, self.deleted):
            path.unlink()
        for path in map(Path, self.truncated):
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
