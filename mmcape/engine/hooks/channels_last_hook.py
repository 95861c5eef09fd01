"""Memory layout of a model's convolutions."""

from __future__ import annotations

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Stores images and convolution weights with the channels innermost.

    Convolutions run faster so, on CPUs and in mixed precision on GPUs.
    Checkpoints and results stay the same up to the rounding of sums.
    """

    def before_run(self, runner: Runner) -> None:
        """Change the weights; feature maps follow."""
        runner.model.to(memory_format=torch.channels_last)
