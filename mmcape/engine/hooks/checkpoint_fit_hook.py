"""Refuses checkpoints of another model."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop, Runner, find_latest_checkpoint
from mmpose.registry import HOOKS

from mmcape.utils.checkpoint_files import CheckpointError
from mmcape.utils.checkpoint_fit import describe_misfit, describe_poor_start
from mmcape.utils.checkpoint_origin import origin_of


@HOOKS.register_module()
class CheckpointFitHook(Hook):
    """Stops a run whose checkpoint does not fit the model.

    mmengine warns and goes on with whatever weights the model has. A test or
    a resumed run takes exactly the model's weights. A training that starts
    from a checkpoint (``load_from`` without ``resume``) takes one that has
    three quarters of them.
    """

    def after_load_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Compare names and shapes before they are copied.

        Raises:
            CheckpointError: If the weights are not those of the model, or
                there is nothing to resume.
            ValueError: If the seed is another one.
        """
        trains = isinstance(runner._train_loop, BaseLoop)  # a dict till built
        model = runner.model
        if is_model_wrapper(model):
            model = model.module
        source = self._source(runner)
        if trains and not runner._resume:
            complaint = describe_poor_start(model.state_dict(), checkpoint)
            if complaint is not None:
                raise CheckpointError(
                    f'{source}, the load_from of this training, {complaint}; '
                    'to start the backbone alone from it, set model.backbone.'
                    "init_cfg=dict(type='Pretrained', checkpoint=..., "
                    "prefix='backbone.') instead"
                )
            return
        if trains:
            self._check_seed(runner, checkpoint)
        complaint = describe_misfit(model.state_dict(), checkpoint)
        if complaint is not None:
            raise CheckpointError(f'{source} {complaint}')
        if trains:
            self._check_progress(source, checkpoint)
        self._compare_shots(runner, checkpoint)

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

    @staticmethod
    def _check_progress(source: str, checkpoint: dict[str, Any]) -> None:
        """A run goes on from an epoch, with its optimizer.

        Raises:
            CheckpointError: If the checkpoint has weights alone.
        """
        meta = checkpoint.get('meta', {})
        lacking = [key for key in ('epoch', 'iter') if key not in meta]
        parts = ('optimizer', 'message_hub')
        lacking += [part for part in parts if part not in checkpoint]
        if lacking:
            raise CheckpointError(
                f'{source} has weights but no {", ".join(lacking)} to resume '
                'from: start a training from it with --cfg-options '
                f'load_from={source}, without --resume'
            )

    @staticmethod
    def _compare_shots(runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Say that a number of shots is another than in training.

        No weight depends on it, and a model of five shots is tested with one
        as well as with five.
        """
        origin = origin_of(checkpoint)
        loader = runner.cfg.get('train_dataloader') or {}
        shots = loader.get('sampler', {}).get('num_shots')
        if origin and shots and origin.num_shots not in (None, shots):
            runner.logger.info(
                f'the checkpoint was trained with {origin.num_shots} support '
                f'images an episode, the config trains with {shots}: no '
                'weight depends on it, so it is used as it is'
            )
