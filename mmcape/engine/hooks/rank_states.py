"""What a process of a training has to itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from mmengine.dist import all_gather_object, get_world_size
from mmengine.model import is_model_wrapper
from torch import Tensor, nn

RankState = Mapping[str, Mapping[str, Tensor]]
"""``buffers`` of the model, and ``gradients`` that wait for an update."""


def gather_rank_states(model: nn.Module) -> list[RankState]:
    """What a checkpoint needs beside the main process's weights, by rank.

    Within an epoch every process has running means of its own, and with
    accumulated gradients some of these; both would be lost. Empty if the main
    process has it all, as a single one has when no gradient is left.
    """
    model = _unwrapped(model)
    state: RankState = dict(
        buffers={n: b.detach().cpu() for n, b in model.named_buffers()},
        gradients={
            name: parameter.grad.detach().cpu()
            for name, parameter in model.named_parameters()
            if parameter.grad is not None and parameter.grad.any()
        },
    )
    if get_world_size() == 1:
        return [state] if state['gradients'] else []
    states: list[RankState] = all_gather_object(state)
    return states


@torch.no_grad()
def load_rank_state(model: nn.Module, state: RankState) -> None:
    """Give a process its own back."""
    model = _unwrapped(model)
    for name, buffer in model.named_buffers():
        buffer.copy_(state['buffers'][name])
    for name, parameter in model.named_parameters():
        if name in state['gradients']:
            parameter.grad = state['gradients'][name].to(parameter)


def _unwrapped(model: Any) -> nn.Module:
    return model.module if is_model_wrapper(model) else model
