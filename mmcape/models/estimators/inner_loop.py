"""Gradient steps on parameters that are handed around, not overwritten."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

Parameters = Mapping[str, Tensor]


def trainable_names(model: nn.Module, prefixes: Sequence[str]) -> list[str]:
    """Names of the trainable parameters below some modules.

    Args:
        model: The model.
        prefixes: Names of modules or parameters, or 'all'.

    Raises:
        ValueError: If there are no prefixes, or below one of them there is
            nothing trainable.
    """
    trainable = [
        name
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
    ]
    idle = [
        prefix
        for prefix in prefixes
        if not any(_is_below(name, prefix) for name in trainable)
    ]
    if idle or not prefixes:
        raise ValueError(f'{idle} has no trainable parameter')
    return [
        name
        for name in trainable
        if any(_is_below(name, prefix) for prefix in prefixes)
    ]


def _is_below(name: str, prefix: str) -> bool:
    return prefix in ('all', name) or name.startswith(f'{prefix}.')


def descend(
    parameters: Parameters,
    loss: Callable[[Parameters], Tensor],
    steps: int,
    rate: float,
    second_order: bool,
) -> Parameters:
    """Plain gradient descent that leaves its start alone.

    Works where gradients are switched off too, as they are in test loops.

    Args:
        parameters: Where to start; all require gradients.
        loss: Scalar loss of parameters.
        steps: Number of steps.
        rate: Step size.
        second_order: Whether the result depends on the start through the
            gradients too (MAML), or only through the sum of start and steps
            (first-order MAML).

    Returns:
        New tensors under the same names; the start itself for no steps.
    """
    with torch.enable_grad():
        for _ in range(steps):
            gradients = torch.autograd.grad(
                loss(parameters),
                list(parameters.values()),
                create_graph=second_order,
            )
            parameters = {
                name: value - rate * gradient
                for (name, value), gradient in zip(
                    parameters.items(), gradients
                )
            }
    return parameters


def call_with(
    module: nn.Module, prefix: str, parameters: Parameters, inputs: Any
) -> Any:
    """Call a module with other parameters than its own.

    Args:
        module: The module; it stays as it is.
        prefix: Its name in the model that ``parameters`` are named in.
        parameters: Those of other modules are left out; what is missing is
            the module's own.
        inputs: The module's only argument.
    """
    start = f'{prefix}.'
    own = {
        name[len(start) :]: value
        for name, value in parameters.items()
        if name.startswith(start)
    }
    return functional_call(module, own, (inputs,))
