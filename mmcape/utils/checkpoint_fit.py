"""Whether the weights of a checkpoint are those of a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from .checkpoint_origin import origin_of

_SHOWN = 5
_ENOUGH = 0.75
"""Part of a backbone's weights that its initial checkpoint must have.

Less than all, for position embeddings are resized when they are loaded; more
than half, for a ResNet-50 has half of a ResNet-101.
"""


def weights_of(checkpoint: Mapping[str, Any]) -> Mapping[str, Any]:
    """Weights by name, as they are or below 'state_dict'."""
    weights = checkpoint.get('state_dict', checkpoint)
    return weights if isinstance(weights, Mapping) else {}


def describe_misfit(
    expected: Mapping[str, Tensor], checkpoint: Mapping[str, Any]
) -> str | None:
    """Why a checkpoint is not one of a model; None if it is.

    Args:
        expected: The model's state.
        checkpoint: Holds the weights, as they are or below 'state_dict'.
    """
    found = weights_of(checkpoint)
    wrong = [f'{name} is missing' for name in expected if name not in found]
    wrong += [f'{name} is left over' for name in found if name not in expected]
    wrong += _other_shapes(expected, found)
    if not wrong:
        return None
    origin = origin_of(checkpoint)
    return (
        f'is not a checkpoint of this config: {len(wrong)} weights do not '
        f'fit:\n  {_listed(wrong)}\n'
        + (f'It was written by {origin}. ' if origin else '')
        + 'Use the config that it was trained with (same method, backbone '
        'and sizes), or convert it with tools/model_converters/'
    )


def describe_poor_start(
    expected: Mapping[str, Tensor], checkpoint: Mapping[str, Any]
) -> str | None:
    """Why weights are no start for a part of a model; None if they are.

    Weights that are left over do not matter.

    Args:
        expected: The state of the part.
        checkpoint: The weights that it should start from.
    """
    found = weights_of(checkpoint)
    missing = [name for name in expected if name not in found]
    shapes = list(_other_shapes(expected, found))
    fitting = len(expected) - len(missing) - len(shapes)
    if fitting >= _ENOUGH * len(expected):
        return None
    wrong = [*shapes, *(f'{name} is missing' for name in missing)]
    origin = origin_of(checkpoint)
    return (
        f'has {fitting} of {len(expected)} weights:\n  {_listed(wrong)}\n'
        + (f'It was written by {origin}. ' if origin else '')
        + f'Its own names begin with {next(iter(found), None)!r}'
    )


def _other_shapes(
    expected: Mapping[str, Tensor], found: Mapping[str, Any]
) -> Iterator[str]:
    for name, value in expected.items():
        if name not in found:
            continue
        shape = getattr(found[name], 'shape', None)
        if shape is None:
            yield f'{name} is no tensor'
        elif shape != value.shape:
            yield (
                f'{name} has shape {tuple(shape)}, not {tuple(value.shape)}'
            )


def _listed(lines: list[str]) -> str:
    more = len(lines) - _SHOWN
    shown = [*lines[:_SHOWN], *([f'and {more} more'] if more > 0 else [])]
    return '\n  '.join(shown)
