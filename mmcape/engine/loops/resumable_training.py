"""Training that goes on inside an epoch, and at a missed validation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.runner import EpochBasedTrainLoop, Runner
from mmpose.registry import LOOPS
from torch import nn
from torch.utils.data import DataLoader

from mmcape.utils.input_error import InputError


@LOOPS.register_module()
class ResumableTrainLoop(EpochBasedTrainLoop):
    """mmengine's loop, continued at the very step where it was left.

    mmengine goes on at the start of an epoch, and skips the validation that
    was due after the last one. Here a checkpoint knows how much of its epoch
    is done, which
    :class:`~mmcape.engine.hooks.ResumableCheckpointHook` stores: the episodes
    seen so far are left out without loading their images, and a validation
    that had not ended is run first.

    Args:
        runner: The runner.
        dataloader: Loader of training episodes, or its config. To go on
            inside an epoch its sampler needs ``skip``, as
            :class:`~mmcape.datasets.TrainingEpisodeSampler` has it.
        by_epoch: True; by iterations there is mmengine's
            ``IterBasedTrainLoop``.
        options: ``max_epochs``, ``val_begin``, ``val_interval`` and
            ``dynamic_intervals`` as in ``EpochBasedTrainLoop``.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: DataLoader | dict,
        by_epoch: bool = True,
        **options: Any,
    ) -> None:
        if not by_epoch:
            raise InputError(
                'ResumableTrainLoop trains by epochs: for iterations set '
                "train_cfg=dict(_delete_=True, type='IterBasedTrainLoop', ...)"
            )
        super().__init__(runner, dataloader, **options)
        self.step = 0
        """Steps of the present epoch, the one that is run included."""
        self.validation_pending = False
        """Whether an epoch has ended, but not the validation after it."""

    def run(self) -> nn.Module:
        """Train to the last epoch; the model."""
        self.runner.call_hook('before_train')
        self._validate()
        while self._epoch < self._max_epochs and not self.stop_training:
            self.run_epoch()
            self._validate()
        self.runner.call_hook('after_train')
        return self.runner.model

    def run_epoch(self) -> None:
        """Run what is left of an epoch."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        self._skip()
        for index, batch in enumerate(self.dataloader, start=self.step):
            self.step = index + 1
            self.run_iter(index, batch)

        self.step = 0
        self.validation_pending = True
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1

    def progress(self) -> dict[str, Any]:
        """How far the run is, beyond the numbers of epochs and steps."""
        return dict(
            step=self.step,
            steps_per_epoch=len(self.dataloader),
            validation_pending=self.validation_pending,
        )

    def load_progress(self, progress: Mapping[str, Any]) -> None:
        """Go on from what :meth:`progress` told.

        Raises:
            InputError: If the run would go on inside an epoch that has
                another number of steps.
        """
        step, expected = progress['step'], progress['steps_per_epoch']
        if step > 0 and expected != len(self.dataloader):
            raise InputError(
                f'the checkpoint was saved after step {step} of {expected} of '
                f'an epoch, but here an epoch has {len(self.dataloader)}: set '
                'the batch size and the number of processes that it was '
                'trained with, or resume from the end of an epoch '
                '(epoch_*.pth)'
            )
        self.step = step
        self.validation_pending = progress['validation_pending']

    def _skip(self) -> None:
        """Leave out the episodes of the steps that are done.

        Raises:
            InputError: If the sampler cannot.
        """
        if self.step == 0:
            return
        sampler = self.dataloader.sampler
        if not hasattr(sampler, 'skip'):
            raise InputError(
                f'{type(sampler).__name__} has no `skip`, so that training '
                f'cannot go on after step {self.step} of an epoch: resume '
                'from the end of an epoch (epoch_*.pth)'
            )
        sampler.skip(self.step * self.dataloader.batch_size)

    def _validate(self) -> None:
        """Run the validation that is due after an epoch, if one is."""
        if not self.validation_pending:
            return
        self._decide_current_val_interval()
        due = self._epoch >= self.val_begin and (
            self._epoch % self.val_interval == 0
            or self._epoch == self._max_epochs
        )
        if due and self.runner.val_loop is not None:
            self.runner.val_loop.run()
        self.validation_pending = False
