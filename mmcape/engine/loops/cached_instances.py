"""A model's two steps on instances that are encoded once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.model import is_model_wrapper
from mmengine.runner.amp import autocast
from torch import Tensor, nn

from mmcape.structures import EpisodeDataSample, join_samples

from .evaluation_plan import Pairs


@dataclass(frozen=True)
class CachedInstance:
    """What is kept of an instance."""

    sample: EpisodeDataSample
    codes: Mapping[str, Tensor]
    """From the estimator's ``encode_instances``; keypoints come first."""


class InstanceMatcher:
    """Encodes instances, and matches pairs of them.

    Args:
        model: An estimator; a wrapper of distributed jobs is taken off.
        fp16: Whether to run under autocast.
    """

    def __init__(self, model: nn.Module, fp16: bool) -> None:
        self.model: Any = model.module if is_model_wrapper(model) else model
        self.fp16 = fp16

    @torch.no_grad()
    def encode(self, data: Any) -> dict[int, CachedInstance]:
        """Run the backbone on a batch of instances, by their positions."""
        batch = self.model.data_preprocessor(data, False)
        inputs = batch['inputs']
        with autocast(enabled=self.fp16):
            codes = self.model.encode_instances(
                inputs['query_img'],
                inputs['query_keypoints'],
                inputs['query_visible'],
            )
        return {
            sample.metainfo['episode_index']: CachedInstance(
                sample,
                # a copy, or the whole batch would stay in memory
                {name: code[row].clone() for name, code in codes.items()},
            )
            for row, sample in enumerate(batch['data_samples'])
        }

    @torch.no_grad()
    def match(
        self, pairs: Pairs, instances: Mapping[int, CachedInstance]
    ) -> list[EpisodeDataSample]:
        """Predictions of pairs whose instances are encoded."""
        shots = list(dict.fromkeys(episode.support for episode in pairs))
        place = {support: row for row, support in enumerate(shots)}
        support_codes = {
            name: codes.unflatten(0, (len(shots), -1))
            for name, codes in stack_codes(
                [instances[i].codes for support in shots for i in support]
            ).items()
        }
        query_codes = stack_codes([instances[e.query].codes for e in pairs])
        samples = [
            join_samples(
                episode,
                instances[episode.query].sample,
                [instances[i].sample for i in episode.support],
            )
            for episode in pairs
        ]
        with autocast(enabled=self.fp16):
            owner = [place[episode.support] for episode in pairs]
            support = self.model.encode_support_codes(support_codes)
            support = support.rows(owner)
            output = self.model.match_codes(query_codes, support)
            return self.model.store(samples, output, support)


def stack_codes(codes: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Batch codes of instances; fewer keypoints are padded with zeros."""
    batch = {}
    for name in codes[0]:
        values = [one[name] for one in codes]
        batch[name] = torch.nn.utils.rnn.pad_sequence(values, True)
    return batch
