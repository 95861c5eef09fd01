"""Which episodes of a batch have a loss that is not finite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from mmcape.structures import EpisodeDataSample


def describe_offenders(model: Any, batch: Mapping[str, Any]) -> list[str]:
    """One line for each offending episode, with its annotations and images.

    Each episode goes through the model alone, with the statistics of
    BatchNorm that a test has. Where none of them fails so, the batch does:
    all are named.

    Args:
        model: The estimator, in training mode.
        batch: What the loader gave.
    """
    lines = [] if _is_finite(model) else ['the weights are not finite already']
    model.eval()
    samples = batch['data_samples']
    try:
        offenders = [
            sample
            for row, sample in enumerate(samples)
            if not _loss_is_finite(model, batch, row)
        ]
    finally:
        model.train()
    if not offenders:
        lines.append('no episode on its own, but together:')
    return lines + [_describe(sample) for sample in offenders or samples]


def _is_finite(model: nn.Module) -> bool:
    return all(bool(p.isfinite().all()) for p in model.parameters())


def _loss_is_finite(model: Any, batch: Mapping[str, Any], row: int) -> bool:
    """Whether the loss of one episode of a batch is finite."""
    one = dict(
        inputs={
            name: values[row : row + 1]
            for name, values in batch['inputs'].items()
        },
        data_samples=batch['data_samples'][row : row + 1],
    )
    losses = model(**model.data_preprocessor(one, True), mode='loss')
    return bool(model.parse_losses(losses)[0].isfinite())


def _describe(sample: EpisodeDataSample) -> str:
    meta = sample.metainfo
    support = ', '.join(
        f'{ann_id} of {path}'
        for ann_id, path in zip(meta['support_ids'], meta['support_img_paths'])
    )
    return (
        f'annotation {meta["id"]} of {meta["img_path"]} with support {support}'
    )
