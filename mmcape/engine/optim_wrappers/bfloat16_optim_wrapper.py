"""Mixed precision that needs no scaling of the loss."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from mmpose.registry import OPTIM_WRAPPERS
from torch import nn


@OPTIM_WRAPPERS.register_module()
class Bfloat16OptimWrapper(OptimWrapper):
    """Trains under autocast to bfloat16, on GPUs and on CPUs.

    bfloat16 has the range of float32, so that gradients need no scaling and
    a checkpoint holds no scaler. mmengine's ``AmpOptimWrapper`` is for
    float16 and for GPUs only. Arguments as in ``OptimWrapper``.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Compute in bfloat16 where that is safe."""
        device = next(model.parameters()).device.type
        autocast = torch.autocast(device, dtype=torch.bfloat16)
        with super().optim_context(model), autocast:
            yield
