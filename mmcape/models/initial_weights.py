"""The checkpoints that the parts of a model start from."""

from __future__ import annotations

from typing import Any

from mmengine.model import BaseModule, PretrainedInit
from mmengine.runner import CheckpointLoader
from torch import nn

from mmcape.utils.checkpoint_files import CheckpointError
from mmcape.utils.checkpoint_fit import describe_poor_start, weights_of


def check_initial_weights(model: nn.Module) -> None:
    """Compare ``init_cfg.checkpoint`` of each part with the part.

    mmengine loads what happens to fit, and a run would start from random
    weights with a warning.

    Raises:
        CheckpointError: If a checkpoint cannot be read, or has less than
            three quarters of a part's weights.
    """
    for name, part in model.named_modules():
        if not isinstance(part, BaseModule):
            continue
        given = part.init_cfg or []
        for init_cfg in [given] if isinstance(given, dict) else given:
            if init_cfg['type'] in ('Pretrained', PretrainedInit):
                _check(part, name, init_cfg)


def _check(part: nn.Module, name: str, init_cfg: dict[str, Any]) -> None:
    source = init_cfg['checkpoint']
    checkpoint = CheckpointLoader.load_checkpoint(source, 'cpu')
    start = f'{init_cfg.get("prefix", "").rstrip(".")}.'.lstrip('.')
    weights = {
        key[len(start) :]: value
        for key, value in weights_of(checkpoint).items()
        if key.startswith(start)
    }
    complaint = describe_poor_start(
        part.state_dict(), dict(checkpoint, state_dict=weights)
    )
    if complaint is not None:
        raise CheckpointError(
            f'{source}, the init_cfg.checkpoint of `{name or "model"}`, '
            f'{complaint}; choose weights of the same architecture, or set '
            "init_cfg.prefix to what the names begin with, e.g. 'backbone.'"
        )
