"""Attention weights, for as long as somebody wants to see them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from torch import Tensor, nn

from .blocks import Attention

AttentionRecord = dict[str, Tensor]


@contextmanager
def record_attention(module: nn.Module) -> Iterator[AttentionRecord]:
    """Keep the weights of every attention inside a module.

    Attention itself never has them: they are computed once more, from what
    goes into it. Outside the context nothing is left behind.

    Args:
        module: Whose attentions are watched.

    Yields:
        (B, heads, N, M) weights of the last call, detached, by the names of
        the :class:`Attention` modules below ``module``.
    """
    record: AttentionRecord = {}
    handles = [
        part.register_forward_pre_hook(partial(_keep, record, name))
        for name, part in module.named_modules()
        if isinstance(part, Attention)
    ]
    try:
        yield record
    finally:
        for handle in handles:
            handle.remove()


def _keep(
    record: AttentionRecord, name: str, attention: Attention, inputs: Any
) -> None:
    query, key, _, *padding = inputs
    record[name] = attention.weights(query, key, *padding).detach()
