"""What happens when a loss is not a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from mmengine.dist import all_gather_object, all_reduce
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmpose.registry import HOOKS
from torch import Tensor
from torch.optim import Optimizer

from mmcape.utils.input_error import InputError

from .offending_episodes import describe_offenders

_KEY = 'skipped_steps'


class NonFiniteLossError(InputError):
    """A loss that is infinite or not a number, on all ranks."""

    on_all_ranks = True


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Lets no step with an infinite loss, or one that is no number, count.

    Weights, the optimizer's state and the statistics of BatchNorm stay as
    they were before the step, on all ranks if it fails on one. Where
    gradients accumulate, all of the batches that make up the update are left
    out.

    The loss is checked on its device. The host reads the result when the
    backward pass is under way, so that the device does not run out of work.

    Args:
        on_nonfinite: 'stop' ends the run and names the episodes whose loss is
            not finite, 'skip' logs them, goes on and reports at the end.
        max_skips: How many steps of a run may be skipped; one more ends it.
            Skipped steps are part of a checkpoint.

    Raises:
        ValueError: If ``on_nonfinite`` is none of the two.
    """

    priority = 'HIGHEST'  # before mmengine logs the loss

    def __init__(
        self, on_nonfinite: str = 'stop', max_skips: int = 10
    ) -> None:
        if on_nonfinite not in ('stop', 'skip'):
            raise ValueError(
                f"on_nonfinite must be 'stop' or 'skip', got {on_nonfinite!r}"
            )
        self.on_nonfinite = on_nonfinite
        self.max_skips = max_skips

    def before_train(self, runner: Runner) -> None:
        """Watch the model's losses and the optimizer's steps."""
        model = _estimator(runner)
        optimizer = runner.optim_wrapper.optimizer
        self._handles = [
            model.register_forward_hook(_uncompiled(self._watch_loss)),
            optimizer.register_step_pre_hook(
                _uncompiled(self._drop_gradients)
            ),
        ]
        self._loss: Tensor | None = None
        self._failures: list[EarlyRead] = []
        self._buffers = list(model.buffers())
        self._kept = [buffer.clone() for buffer in self._buffers]

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Keep the buffers as they are before the step."""
        del runner, batch_idx, data_batch
        _copy_all(self._buffers, self._kept)

    def _watch_loss(self, model: Any, inputs: Any, output: Any) -> None:
        """Check the loss of a forward pass; all ranks learn the result."""
        del inputs
        if not model.training or not isinstance(output, dict):
            return
        self._loss = model.parse_losses(output)[0].detach()
        failed = torch.isfinite(self._loss).logical_not().float()
        all_reduce(failed, 'max')
        self._failures.append(EarlyRead(failed))

    def _drop_gradients(
        self, optimizer: Optimizer, args: Any, kwargs: Any
    ) -> None:
        """Leave a step nothing to do if a loss that led to it has failed."""
        del args, kwargs
        if any(failed.value() for failed in self._failures):
            optimizer.zero_grad(set_to_none=True)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        """Undo what the forward pass changed; stop, or go on.

        Raises:
            NonFiniteLossError: If the loss is not finite and the run is not
                to go on.
        """
        del batch_idx
        failed = bool(self._failures[-1].value())
        if runner.optim_wrapper.should_update():
            if any(one.value() for one in self._failures):
                _forget_gradient_norm(runner)
            self._failures.clear()
        if not failed:
            return
        _copy_all(self._kept, self._buffers)
        if outputs is not None:
            outputs.clear()  # or the log's averages are lost as well
        self._stop_or_go_on(runner, self._describe(runner, data_batch))

    def _describe(self, runner: Runner, data_batch: Any) -> str:
        """Where the loss of a step fails; collective."""
        assert self._loss is not None
        own = None
        if not self._loss.isfinite():
            model = _estimator(runner)
            with runner.optim_wrapper.optim_context(model):
                own = describe_offenders(model, data_batch)
        found = all_gather_object(own)
        listed = [
            f'\n  {line}' if len(found) == 1 else f'\n  rank {rank}: {line}'
            for rank, lines in enumerate(found)
            for line in lines or ()
        ]
        return (
            f'the loss of iteration {runner.iter + 1} (epoch '
            f'{runner.epoch + 1}) is not finite:{"".join(listed)}'
        )

    def _stop_or_go_on(self, runner: Runner, message: str) -> None:
        if self.on_nonfinite == 'stop':
            raise NonFiniteLossError(
                f'{message}\nThe weights are those before this step. Look at '
                'these annotations and images, lower the learning rate, or '
                "leave such steps out with FiniteLossHook's on_nonfinite=skip"
            )
        skipped = [*runner.message_hub.get_info(_KEY, []), message]
        if len(skipped) > self.max_skips:
            raise NonFiniteLossError(
                f'{message}\nThis step is number {len(skipped)} of the run '
                'to be left out, and max_skips of FiniteLossHook is '
                f'{self.max_skips}. Those before:'
                + ''.join(f'\n{before}' for before in skipped[:-1])
            )
        runner.message_hub.update_info(_KEY, skipped)
        runner.logger.warning(
            f'{message}\nThis step is left out ({len(skipped)} of at most '
            f'{self.max_skips})'
        )

    def after_train(self, runner: Runner) -> None:
        """Report all skipped steps."""
        for handle in self._handles:
            handle.remove()
        skipped = runner.message_hub.get_info(_KEY, [])
        if skipped:
            runner.logger.warning(
                f'{len(skipped)} steps were left out:\n' + '\n'.join(skipped)
            )


class EarlyRead:
    """A number on a device, read without waiting for what comes after it.

    Args:
        tensor: Of one element; its copy to the host starts now.
    """

    def __init__(self, tensor: Tensor) -> None:
        self._copy = tensor.to('cpu', non_blocking=tensor.is_cuda)
        self._arrival = None
        if tensor.is_cuda:
            self._arrival = torch.cuda.Event()
            self._arrival.record()

    def value(self) -> float:
        """The number, when it is there."""
        if self._arrival is not None:
            self._arrival.synchronize()
        return float(self._copy)


def _uncompiled(function: Callable) -> Callable:
    """Keep a function out of a compiled training step (torch 2.1)."""
    if hasattr(torch, 'compiler') and hasattr(torch.compiler, 'disable'):
        return torch.compiler.disable(function)
    return function


@torch.no_grad()
def _copy_all(sources: list[Tensor], targets: list[Tensor]) -> None:
    """Copy tensors, all at once where torch (2.1) can."""
    if sources and hasattr(torch, '_foreach_copy_'):
        torch._foreach_copy_(targets, sources)
        return
    for source, target in zip(sources, targets):
        target.copy_(source)


def _forget_gradient_norm(runner: Runner) -> None:
    """Take the last norm out of the averages that are logged."""
    buffer = runner.message_hub.log_scalars.get('train/grad_norm')
    if buffer is not None:
        values, counts = buffer.data
        values[-1] = counts[-1] = 0


def _estimator(runner: Runner) -> Any:
    model = runner.model
    return model.module if is_model_wrapper(model) else model
