"""Refuses checkpoints of another model."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop, Runner, find_latest_checkpoint
from mmpose.registry import HOOKS

from mmcape.utils.checkpoint_files import describe_misfit


@HOOKS.register_module()
class CheckpointFitHook(Hook):
    """Stops a test or a resumed run whose checkpoint does not fit the model.

    mmengine warns and goes on with whatever weights the model has. Initial
    weights of a training run (``load_from`` without ``resume``) may be of
    another model and are left alone.
    """

    def after_load_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Compare names and shapes before they are copied.

        Raises:
            ValueError: If weights are missing, left over or of another shape.
        """
        trains = isinstance(runner._train_loop, BaseLoop)  # a dict till built
        if trains and not runner._resume:
            return
        if trains:
            self._check_seed(runner, checkpoint)
        model = runner.model
        if is_model_wrapper(model):
            model = model.module
        complaint = describe_misfit(model.state_dict(), checkpoint)
        if complaint is not None:
            raise ValueError(f'{self._source(runner)} {complaint}')

    @staticmethod
    def _source(runner: Runner) -> str:
        latest = find_latest_checkpoint(runner.work_dir)
        return runner._load_from or latest or 'the given file'

    def _check_seed(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """A run draws its episodes from one seed, from start to end.

        Raises:
            ValueError: If the checkpoint's run had another one.
        """
        seed = checkpoint.get('meta', {}).get('seed')
        if seed is not None and seed != runner.seed:
            raise ValueError(
                f'{self._source(runner)} was trained with seed {seed}, this '
                f'run has {runner.seed}: set randomness.seed={seed}'
            )
