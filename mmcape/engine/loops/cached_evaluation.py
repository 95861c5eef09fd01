"""Validation and test that encode every instance once, not in every pair."""

from __future__ import annotations

import os.path as osp
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from mmengine.runner import Runner, TestLoop, ValLoop
from mmpose.registry import LOOPS
from torch import Tensor
from torch.utils.data import DataLoader

from mmcape.structures import Episode

from .cached_instances import CachedInstance, InstanceMatcher
from .evaluation_plan import Chunk, Pairs, batch_pairs, plan_chunks
from .unfinished_evaluation import UnfinishedEvaluation, evaluation_digest

_CONFIG_PARTS = ('dataloader', 'evaluator', 'cfg')


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
        resumable: bool = True,
    ) -> None:
        super().__init__(runner, dataloader, evaluator, fp16)  # type: ignore
        self.memory_limit = memory_limit
        self.loader: DataLoader = self.dataloader  # type: ignore[has-type]
        self._batch_size = self.loader.batch_size or 1
        self.dataloader = PairBatches(self.loader, pairs_per_batch)
        self.resumable = resumable
        self._chunks: list[Chunk] = []

    @property
    def matcher(self) -> InstanceMatcher:
        """The model's two steps."""
        return InstanceMatcher(self.runner.model, self.fp16)

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
        unfinished = self._unfinished()
        for index, pairs, instances in self._steps(unfinished):
            hook(f'before_{stage}_iter', batch_idx=index, data_batch=None)
            outputs = self.matcher.match(pairs, instances)
            self.evaluator.process(data_samples=outputs, data_batch=None)
            hook(
                f'after_{stage}_iter',
                batch_idx=index,
                data_batch=None,
                outputs=outputs,
            )
        metrics = self.evaluator.evaluate(self.dataloader.num_samples)
        if unfinished is not None:
            unfinished.discard()
        hook(f'after_{stage}_epoch', metrics=metrics)
        hook(f'after_{stage}')
        return metrics

    def _steps(
        self, unfinished: UnfinishedEvaluation | None
    ) -> Iterator[tuple[int, Pairs, dict[int, CachedInstance]]]:
        """Batches of pairs with their numbers, each when it is encoded."""
        if not self.dataloader.batches:
            return
        if not self._chunks:
            self._plan()
        done = 0 if unfinished is None else unfinished.restore()
        index = sum(len(chunk.batches) for chunk in self._chunks[:done])
        if done:
            self.runner.logger.info(
                f'{index} of {len(self.dataloader)} batches were evaluated '
                'before: going on after these'
            )
        held: dict[int, CachedInstance] = {}
        encoded = self._encoded_instances(done)
        for number, chunk in enumerate(self._chunks[done:], start=done + 1):
            held = {k: v for k, v in held.items() if k in chunk.instances}
            while len(held) < len(chunk.instances):
                held.update(next(encoded))
            for pairs in chunk.batches:
                yield index, pairs, held
                index += 1
            if unfinished is not None and chunk.ends_category:
                # nothing is held over, so that what follows is the same
                unfinished.keep(number)

    def _unfinished(self) -> UnfinishedEvaluation | None:
        """Where results are kept until the evaluation is complete."""
        if not self.resumable or not self.dataloader.batches:
            return None
        dataset: Any = self.loader.dataset
        cfg = self.runner.cfg
        parts = ('model', *(f'{self.stage}_{p}' for p in _CONFIG_PARTS))
        instances = dict.fromkeys(
            i
            for pairs in self.dataloader.batches
            for e in pairs
            for i in (*e.support, e.query)
        )
        digest = evaluation_digest(
            self.matcher.model,
            [dataset.get_data_info(i)['img_path'] for i in instances],
            [
                *(cfg.get(part) for part in parts),
                str(self.dataloader.batches),
                dataset.metainfo.get('instances_sha256'),
                self.fp16,
            ],
        )
        folder = osp.join(
            self.runner.work_dir, f'unfinished_{self.stage}', digest[:16]
        )
        return UnfinishedEvaluation(folder, self.evaluator.metrics)

    def _plan(self) -> None:
        """Choose the chunks by the size of an instance, and their loader."""
        instance = self._probe(self.dataloader.batches[0][0].query)
        size = sum(c.nelement() * c.element_size() for c in instance.values())
        capacity = int(self.memory_limit * 2**30 / size)
        self._chunks = list(plan_chunks(self.dataloader.batches, capacity))
        self.loader = self._loader_of(self._chunks)
        total = sum(len(chunk.new) for chunk in self._chunks)
        self.runner.logger.info(
            f'{total} instances to encode for '
            f'{sum(map(len, self.dataloader.batches))} pairs, at most '
            f'{max(len(chunk.instances) for chunk in self._chunks)} of '
            f'{size / 2**10:.0f} KiB in memory at a time'
        )

    def _loader_of(self, chunks: Sequence[Chunk]) -> DataLoader:
        """Loader of what some chunks have to encode."""
        step = self._batch_size
        batches = [
            [Episode(i, 0, (), i) for i in chunk.new[start : start + step]]
            for chunk in chunks
            for start in range(0, len(chunk.new), step)
        ]
        return DataLoader(
            self.loader.dataset,
            batch_sampler=batches,
            num_workers=self.loader.num_workers,
            collate_fn=self.loader.collate_fn,
            pin_memory=self.loader.pin_memory,
            worker_init_fn=self.loader.worker_init_fn,
            persistent_workers=self.loader.persistent_workers,
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
        (found,) = self.matcher.encode(
            self.loader.collate_fn([sample])
        ).values()
        return found.codes

    def _encoded_instances(
        self, done: int
    ) -> Iterator[dict[int, CachedInstance]]:
        """What is to encode after some chunks, by batches."""
        loader = self._loader_of(self._chunks[done:]) if done else self.loader
        for data in loader:
            yield self.matcher.encode(data)


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
        resumable: Whether the results of every finished category are kept in
            ``unfinished_test`` (or ``unfinished_val``) of the work folder
            until the test is complete. One that was killed then goes on
            after them, if nothing that they depend on has changed.
    """

    stage = 'test'


@LOOPS.register_module()
class CachedValLoop(CachedEvaluation, ValLoop):
    """Validation that encodes every instance once.

    Arguments as in :class:`CachedTestLoop`.
    """

    stage = 'val'
