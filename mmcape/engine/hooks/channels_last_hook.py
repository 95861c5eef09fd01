"""Memory layout of a model's convolutions."""

from __future__ import annotations

import gc

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS
from torch.nn.parallel import DistributedDataParallel


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Stores images and convolution weights with the channels innermost.

    Convolutions run faster so, on CPUs and in mixed precision on GPUs.
    Checkpoints and results stay the same up to the rounding of sums.
    """

    def before_run(self, runner: Runner) -> None:
        """Change the weights; feature maps follow."""
        if not isinstance(runner.model, DistributedDataParallel):
            runner.model.to(memory_format=torch.channels_last)
            return
        # a wrapper that saw the old layout would average the gradients of its
        # first step in the wrong order: it goes, with its hooks on gradients
        model = runner.model.module.to(memory_format=torch.channels_last)
        runner.model = model
        gc.collect()
        runner.model = runner.wrap_model(
            runner.cfg.get('model_wrapper_cfg'), model
        )
