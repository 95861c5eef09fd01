"""A hook by which a run meets a fault at a moment that is always the same."""

from __future__ import annotations

import os
import resource
import signal

from mmengine.dist import barrier
from mmengine.hooks import Hook
from mmpose.registry import HOOKS


def kill() -> None:
    """End this process as `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)


@HOOKS.register_module()
class InjectFault(Hook):
    """Kills its process, or takes the disk from it.

    Args:
        fault: None, or one of the methods' names below.
        at: The step, epoch or batch, counted from 0, or the name of a file.
        rank: The process.
    """

    priority = 'VERY_LOW'

    def __init__(self, fault=None, at=0, rank=0):
        self.fault = fault
        self.at = at
        self.rank = rank

    def _due(self, runner, fault, value):
        found = (fault, value, runner.rank)
        return found == (self.fault, self.at, self.rank)

    def before_train(self, runner):
        if self.fault == 'save' and runner.rank == self.rank:
            self._kill_while_saving()

    def _kill_while_saving(self):
        move = os.replace

        def replace(source, target):
            if str(target).endswith(self.at):
                os.truncate(source, os.path.getsize(source) // 2)
                kill()
            move(source, target)

        os.replace = replace

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if self._due(runner, 'step', runner.iter):
            kill()
        if self._due(runner, 'full_disk', runner.iter):
            # a checkpoint is larger, logs and results are smaller
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, -1))

    def before_train_epoch(self, runner):
        if self._due(runner, 'epoch', runner.epoch):
            kill()

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if self._due(runner, 'validation', batch_idx):
            kill()

    def after_test_iter(
        self, runner, batch_idx, data_batch=None, outputs=None
    ):
        if (self.fault, self.at) == ('test', batch_idx):
            barrier()  # all processes are in this batch
            if runner.rank == self.rank:
                kill()
