"""Checkpoints of a run that may be killed at any time."""

from __future__ import annotations

import os.path as osp
import time
from collections import deque
from typing import Any

from mmengine.dist import (
    broadcast_object_list,
    get_rank,
    get_world_size,
    is_main_process,
)
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from mmcape.utils.atomic_files import PARTIAL, SaveError, write_atomically

from ..loops.resumable_training import ResumableTrainLoop
from .rank_states import RankState, gather_rank_states, load_rank_state

_STEP_FILE = 'step_{}.pth'
_KEPT_STEPS = 2


@HOOKS.register_module()
class ResumableCheckpointHook(CheckpointHook):
    """mmengine's hook, with which a killed run loses as little as one says.

    - A file is there whole or not at all, and an old one is removed only when
      the new one is there.
    - Within an epoch ``step_*.pth`` are written, of which the last two are
      kept, and none once training is complete.
    - Checkpoints hold what :class:`ResumableTrainLoop` needs to go on at that
      very step, and what each process has to itself.

    Args:
        step_interval: After how many steps a ``step_*.pth`` is written, 0 for
            never. With 1 a killed run loses the step that it was in, at the
            price of a write a step.
        on_failed_save: What happens when a checkpoint cannot be written, as
            on a full disk: 'stop' ends training with the reason, 'continue'
            logs it and tries again when the next one is due.
        backend_args: As in mmengine; by default local files are written at
            once.
        options: As in ``CheckpointHook``.
    """

    backend_args: dict | None
    keep_ckpt_ids: deque[int]

    def __init__(
        self,
        step_interval: int = 500,
        on_failed_save: str = 'stop',
        backend_args: dict | None = None,
        **options: Any,
    ) -> None:
        if on_failed_save not in ('stop', 'continue'):
            raise ValueError(
                "on_failed_save must be 'stop' or 'continue', got "
                f'{on_failed_save!r}'
            )
        super().__init__(backend_args=backend_args, **options)
        self.step_interval = step_interval
        self.on_failed_save = on_failed_save
        self._steps: list[str] = []
        self._rank_states: list[RankState] = []

    def before_train(self, runner: Runner) -> None:
        """Take up what the run that was left had."""
        if self.backend_args is None and '://' not in str(
            self.out_dir or runner.work_dir
        ):
            self.backend_args = dict(backend='atomic')
        super().before_train(runner)
        self.last_ckpt = runner.message_hub.get_info('last_ckpt')
        self._steps = self._files('step_', '.pth')
        if is_main_process():
            for name in self._files('', PARTIAL):
                self._remove(name)
        if len(self._rank_states) == get_world_size():
            load_rank_state(runner.model, self._rank_states[get_rank()])

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        """Save inside an epoch."""
        super().after_train_iter(runner, batch_idx, data_batch, outputs)
        step = runner.iter + 1
        if self.step_interval < 1 or step % self.step_interval:
            return
        name = _STEP_FILE.format(step)
        meta = dict(epoch=runner.epoch, iter=step)
        if self._write(runner, name, meta, self._noted_path(name)):
            kept = [other for other in self._steps if other != name]
            self._steps = [*kept[-_KEPT_STEPS + 1 :], name]
            self._remove(*kept[: -_KEPT_STEPS + 1])

    def after_val_epoch(self, runner: Runner, metrics: dict) -> None:
        """Note the validation, and save the best checkpoint."""
        loop = runner._train_loop
        if isinstance(loop, ResumableTrainLoop):
            loop.validation_pending = False
        super().after_val_epoch(runner, metrics)

    def after_train(self, runner: Runner) -> None:
        """Remove what only an unfinished run needs."""
        super().after_train(runner)
        last = runner.message_hub.get_info('last_ckpt')
        if last is not None and osp.basename(last) not in self._steps:
            self._remove(*self._steps)

    def before_save_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Add what mmengine's checkpoints lack."""
        checkpoint['meta']['saved_at'] = time.time()
        if isinstance(runner._train_loop, ResumableTrainLoop):
            checkpoint['progress'] = runner._train_loop.progress()
        if 'optimizer' in checkpoint and self._rank_states:
            checkpoint['rank_states'] = self._rank_states

    def after_load_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Hand a resumed run what :meth:`before_save_checkpoint` added."""
        loop = runner._train_loop
        if not runner._resume or not isinstance(loop, ResumableTrainLoop):
            return
        if 'progress' in checkpoint:
            loop.load_progress(checkpoint['progress'])
        self._rank_states = checkpoint.get('rank_states', [])

    def _save_checkpoint_with_step(
        self, runner: Runner, step: int, meta: dict[str, Any]
    ) -> None:
        """Save ``epoch_*.pth``; mmengine removes an old one before."""
        name = self.filename_tmpl.format(step)
        noted = self._noted_path(name)
        outdated: list[int] = []
        if self.max_keep_ckpts > 0:
            kept = [s for s in self.keep_ckpt_ids if s != step] + [step]
            outdated = kept[: -self.max_keep_ckpts]
            kept = kept[-self.max_keep_ckpts :]
            noted['keep_ckpt_ids'] = kept
        if not self._write(runner, name, meta, noted):
            return
        self.last_ckpt = noted['last_ckpt']
        if self.max_keep_ckpts > 0:
            self.keep_ckpt_ids = deque(kept, self.max_keep_ckpts)
            self._remove(*(self.filename_tmpl.format(s) for s in outdated))

    def _save_best_checkpoint(
        self, runner: Runner, metrics: dict[str, Any]
    ) -> None:
        """Save ``best_*.pth``; mmengine removes the best so far before."""
        if not self.save_best:
            return
        if 'auto' in self.key_indicators:
            self._init_rule(self.rules, [next(iter(metrics))])
        improved = [
            self._save_if_best(runner, key, rule, metrics[key])
            for key, rule in zip(self.key_indicators, self.rules)
        ]
        if any(improved) and self.last_ckpt is not None:
            # once more, since it shall know the best score
            step = runner.epoch if self.by_epoch else runner.iter
            meta = dict(epoch=runner.epoch, iter=runner.iter)
            self._save_checkpoint_with_step(runner, step, meta)

    def _save_if_best(
        self, runner: Runner, key: str, rule: str, score: float | None
    ) -> bool:
        several = len(self.key_indicators) > 1
        suffix = f'_{key}' if several else ''
        hub = runner.message_hub
        best = hub.get_info(f'best_score{suffix}', self.init_value_map[rule])
        if score is None or not self.is_better_than[key](score, best):
            return False

        step = runner.epoch if self.by_epoch else runner.iter
        file = self.filename_tmpl.format(step)
        name = f'best_{key}_{file}'.replace('/', '_')
        path = osp.join(self.out_dir, name)
        previous = hub.get_info(f'best_ckpt{suffix}')
        noted = {f'best_score{suffix}': score, f'best_ckpt{suffix}': path}
        meta = dict(epoch=runner.epoch, iter=runner.iter)
        if not self._write(runner, name, meta, noted):
            return False
        if several:
            self.best_ckpt_path_dict[key] = path
        else:
            self.best_ckpt_path = path
        runner.logger.info(f'best {key} so far, {score:.4f}, is in {name}')
        if previous is not None and previous != path:
            self._remove(osp.basename(previous))
        return True

    def _noted_path(self, name: str) -> dict[str, Any]:
        return dict(last_ckpt=osp.join(self.out_dir, name))

    def _write(
        self,
        runner: Runner,
        name: str,
        meta: dict[str, Any],
        noted: dict[str, Any],
    ) -> bool:
        """Save a checkpoint; whether that worked, as all processes agree.

        Args:
            runner: The runner.
            name: The file in ``out_dir``.
            meta: As in ``Runner.save_checkpoint``.
            noted: What the message hub shall hold if it works. With
                ``last_ckpt`` the run can be resumed from the file.

        Raises:
            SaveError: In all processes, if the file cannot be written and
                ``on_failed_save`` is 'stop'.
        """
        resumable = 'last_ckpt' in noted
        if resumable:
            self._rank_states = gather_rank_states(runner.model)
        hub = runner.message_hub
        before = {key: hub.get_info(key) for key in noted}
        hub.update_info_dict(noted)
        complaint = ''
        try:
            runner.save_checkpoint(
                self.out_dir,
                name,
                self.file_client_args,
                save_optimizer=resumable and self.save_optimizer,
                save_param_scheduler=resumable and self.save_param_scheduler,
                meta=meta,
                by_epoch=self.by_epoch,
                backend_args=self.backend_args,
                **self.args,
            )
            if resumable and is_main_process():
                pointer = osp.join(runner.work_dir, 'last_checkpoint')
                write_atomically(pointer, noted['last_ckpt'].encode())
        except OSError as error:
            complaint = str(error)

        told = [complaint]
        broadcast_object_list(told)
        if not told[0]:
            return True
        if self.on_failed_save == 'stop':
            raise SaveError(told[0])
        runner.logger.error(f'{told[0]}. Training goes on')
        for key, value in before.items():
            hub.pop_info(key)
            if value is not None:
                hub.update_info(key, value)
        return False

    def _files(self, start: str, end: str) -> list[str]:
        """Names of files in the folder of checkpoints, by their numbers."""
        if not self.file_backend.isdir(self.out_dir):
            return []
        names = self.file_backend.list_dir_or_file(
            self.out_dir, list_dir=False, suffix=end
        )
        chosen = [name for name in names if name.startswith(start)]
        return sorted(chosen, key=lambda name: (len(name), name))

    def _remove(self, *names: str) -> None:
        """Remove files of checkpoints that are there."""
        if not is_main_process():
            return
        for name in names:
            path = osp.join(self.out_dir, name)
            if self.file_backend.isfile(path):
                self.file_backend.remove(path)
