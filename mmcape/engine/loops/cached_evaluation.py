"""Validation and test that encode every instance once, not in every pair."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner, TestLoop, ValLoop
from mmengine.runner.amp import autocast
from mmpose.registry import LOOPS
from torch import Tensor
from torch.utils.data import DataLoader

from mmcape.structures import Episode, EpisodeDataSample, join_samples

from .evaluation_plan import Chunk, Pairs, batch_pairs, plan_chunks


@dataclass(frozen=True)
class CachedInstance:
    """What is kept of an instance."""

    sample: EpisodeDataSample
    codes: Mapping[str, Tensor]
    """From the estimator's ``encode_instances``; keypoints come first."""


class PairBatches:
    """Stands in for the loader of episodes: the batches, and their dataset.

    Args:
        loader: The loader of episodes that the config describes.
        size: The most pairs of a batch.
    """

    def __init__(self, loader: DataLoader, size: int) -> None:
        self.dataset = loader.dataset
        self.batches = batch_pairs(list(loader.sampler), size)
        # of all ranks
        self.num_samples = len(loader.dataset)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self.batches)


class CachedEvaluation:
    """What validation and test share; see :class:`CachedTestLoop`."""

    stage: str
    runner: Runner
    evaluator: Any
    fp16: bool

    def __init__(
        self,
        runner: Runner,
        dataloader: DataLoader | dict,
        evaluator: Any,
        fp16: bool = False,
        pairs_per_batch: int = 60,
        memory_limit: float = 4.0,
    ) -> None:
        super().__init__(runner, dataloader, evaluator, fp16)  # type: ignore
        self.memory_limit = memory_limit
        self.loader: DataLoader = self.dataloader  # type: ignore[has-type]
        self.dataloader = PairBatches(self.loader, pairs_per_batch)
        self._chunks: list[Chunk] = []

    @property
    def model(self) -> Any:
        """The estimator itself, without a wrapper of distributed jobs."""
        model = self.runner.model
        return model.module if is_model_wrapper(model) else model

    def run(self) -> dict[str, float]:
        """Evaluate; the loop's metrics.

        Raises:
            ValueError: If the pipeline treats an instance differently as
                support and as query, so that it cannot be encoded once.
        """
        hook, stage = self.runner.call_hook, self.stage
        hook(f'before_{stage}')
        hook(f'before_{stage}_epoch')
        self.runner.model.eval()
        for index, (pairs, instances) in enumerate(self._steps()):
            hook(f'before_{stage}_iter', batch_idx=index, data_batch=None)
            outputs = self._match(pairs, instances)
            self.evaluator.process(data_samples=outputs, data_batch=None)
            hook(
                f'after_{stage}_iter',
                batch_idx=index,
                data_batch=None,
                outputs=outputs,
            )
        metrics = self.evaluator.evaluate(self.dataloader.num_samples)
        hook(f'after_{stage}_epoch', metrics=metrics)
        hook(f'after_{stage}')
        return metrics

    def _steps(self) -> Iterator[tuple[Pairs, dict[int, CachedInstance]]]:
        """Batches of pairs, each when its instances are encoded."""
        if not self.dataloader.batches:
            return
        if not self._chunks:
            self._plan()
        held: dict[int, CachedInstance] = {}
        encoded = self._encoded_instances()
        for chunk in self._chunks:
            held = {k: v for k, v in held.items() if k in chunk.instances}
            while len(held) < len(chunk.instances):
                held.update(next(encoded))
            for pairs in chunk.batches:
                yield pairs, held

    def _plan(self) -> None:
        """Choose the chunks by the size of an instance, and their loader."""
        instance = self._probe(self.dataloader.batches[0][0].query)
        size = sum(c.nelement() * c.element_size() for c in instance.values())
        capacity = int(self.memory_limit * 2**30 / size)
        self._chunks = list(plan_chunks(self.dataloader.batches, capacity))

        step = self.loader.batch_size or 1
        batches = [
            [Episode(i, 0, (), i) for i in chunk.new[start : start + step]]
            for chunk in self._chunks
            for start in range(0, len(chunk.new), step)
        ]
        self.loader = DataLoader(
            self.loader.dataset,
            batch_sampler=batches,
            num_workers=self.loader.num_workers,
            collate_fn=self.loader.collate_fn,
            pin_memory=self.loader.pin_memory,
            worker_init_fn=self.loader.worker_init_fn,
            persistent_workers=self.loader.persistent_workers,
        )
        total = sum(len(chunk.new) for chunk in self._chunks)
        self.runner.logger.info(
            f'{total} instances to encode for '
            f'{sum(map(len, self.dataloader.batches))} pairs, at most '
            f'{max(len(chunk.instances) for chunk in self._chunks)} of '
            f'{size / 2**10:.0f} KiB in memory at a time'
        )

    def _probe(self, position: int) -> Mapping[str, Tensor]:
        """Codes of one instance.

        Raises:
            ValueError: As :meth:`run`.
        """
        sample = self.loader.dataset[
            Episode(position, 0, (position,), position)
        ]
        inputs = sample['inputs']
        if not torch.equal(inputs['support_img'][0], inputs['query_img']):
            raise ValueError(
                'the pipeline changes an instance at random, so that it '
                'cannot be encoded once for all pairs: use the pipeline of '
                f"a test, or {self.stage}_cfg=dict(type='"
                f"{self.stage.capitalize()}Loop') for pairs one by one"
            )
        (found,) = self._encode(self.loader.collate_fn([sample])).values()
        return found.codes

    def _encoded_instances(self) -> Iterator[dict[int, CachedInstance]]:
        for data in self.loader:
            yield self._encode(data)

    @torch.no_grad()
    def _encode(self, data: Any) -> dict[int, CachedInstance]:
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
    def _match(
        self, pairs: Pairs, instances: Mapping[int, CachedInstance]
    ) -> list[EpisodeDataSample]:
        """Predictions of pairs whose instances are encoded."""
        shots = list(dict.fromkeys(episode.support for episode in pairs))
        place = {support: row for row, support in enumerate(shots)}
        support_codes = {
            name: codes.unflatten(0, (len(shots), -1))
            for name, codes in _stack(
                [instances[i].codes for support in shots for i in support]
            ).items()
        }
        query_codes = _stack([instances[e.query].codes for e in pairs])
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


@LOOPS.register_module()
class CachedTestLoop(CachedEvaluation, TestLoop):
    """Test that encodes every instance once.

    In a test pipeline an instance looks the same in every episode. So the
    backbone sees each instance once, what the head needs of it is kept, and
    the head runs on batches of pairs. Results are those of mmengine's
    ``TestLoop``, which ``test_cfg.type=TestLoop`` gives back, up to the
    rounding of sums in another order.

    Instances are encoded category by category, so that those of a category
    are in memory at a time (on the model's device). Where these exceed
    ``memory_limit``, the category is walked through in parts, and what two
    parts share but could not stay is encoded again.

    Args:
        runner: The runner.
        dataloader: Loader of episodes, or its config. Its batch size is that
            of encoding.
        evaluator: The evaluator, or its config.
        fp16: Whether to run under autocast.
        pairs_per_batch: The most pairs that the head runs on at once.
        memory_limit: For encoded instances, in GiB. The instances of a
            single batch of pairs are held in any case.
    """

    stage = 'test'


@LOOPS.register_module()
class CachedValLoop(CachedEvaluation, ValLoop):
    """Validation that encodes every instance once.

    Arguments as in :class:`CachedTestLoop`.
    """

    stage = 'val'


def _stack(codes: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Batch codes of instances; fewer keypoints are padded with zeros."""
    batch = {}
    for name in codes[0]:
        values = [one[name] for one in codes]
        batch[name] = torch.nn.utils.rnn.pad_sequence(values, True)
    return batch
