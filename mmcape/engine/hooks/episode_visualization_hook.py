"""Pictures of episodes in training, validation and test."""

from __future__ import annotations

import os.path as osp
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmengine.runner.amp import autocast
from mmpose.registry import HOOKS

from mmcape.structures import Episode, EpisodeDataSample
from mmcape.visualization import FIGURES, EpisodeVisualizer, explain


@HOOKS.register_module()
class EpisodeVisualizationHook(Hook):
    """Draws what the model does with some of the episodes.

    An episode that is due is looked at once more, alone, and only then are
    attention weights and the like kept: others cost nothing. Pictures go to
    ``out_dir``, or without one to the visualizer's backends; those of
    training and validation into a folder for each epoch.

    Args:
        enable: Whether to draw at all.
        interval: Every how many episodes of a validation or test one is
            drawn.
        train_interval: Every how many iterations of training the first
            episode of the batch is drawn, as it was augmented; 0 for never.
        max_pictures: The most episodes of an epoch, a validation or a test.
        figures: Which figures, see
            :class:`~mmcape.visualization.EpisodeVisualizer`.
        keypoints: Numbers or names of the keypoints to look at closely, in
            all episodes; None chooses some.
        out_dir: Folder for the pictures.
        show: Whether to open a window for each as well.
        wait_time: Seconds that a window stays.

    Raises:
        ValueError: If there is no such figure.
    """

    def __init__(
        self,
        enable: bool = False,
        interval: int = 50,
        train_interval: int = 0,
        max_pictures: int = 100,
        figures: Sequence[str] = ('result',),
        keypoints: Sequence[str | int] | None = None,
        out_dir: str | None = None,
        show: bool = False,
        wait_time: float = 0.0,
    ) -> None:
        unknown = set(figures) - set(FIGURES)
        if unknown:
            raise ValueError(
                f'figures has {sorted(unknown)}, which are not among '
                f'{tuple(FIGURES)}'
            )
        self.enable = enable
        self.interval = interval
        self.train_interval = train_interval
        self.max_pictures = max_pictures
        self.figures = figures
        self.keypoints = keypoints
        self.out_dir = out_dir
        self.show = show
        self.wait_time = wait_time
        self.drawn = 0

    def before_run(self, runner: Runner) -> None:
        """Refuse a visualizer that cannot draw episodes.

        Raises:
            ValueError: If it is another one.
        """
        if not self.enable:
            return
        if not isinstance(runner.visualizer, EpisodeVisualizer):
            raise ValueError(
                f'visualizer is a {type(runner.visualizer).__name__}, which '
                "draws no episodes: set visualizer.type='EpisodeVisualizer'"
            )
        if self.out_dir is not None:
            runner.logger.info(f'pictures of episodes go to {self.out_dir}')

    def before_train_epoch(self, runner: Runner) -> None:
        """Start counting pictures anew."""
        del runner
        self.drawn = 0

    before_val_epoch = before_train_epoch
    before_test_epoch = before_train_epoch

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> None:
        """Draw the first episode of a batch that is due."""
        del outputs
        if not self.train_interval or batch_idx % self.train_interval:
            return
        if data_batch is None or not self._may_draw():
            return
        inputs = {k: values[0] for k, values in data_batch['inputs'].items()}
        packed = dict(
            inputs=inputs, data_samples=data_batch['data_samples'][0]
        )
        dataset = runner.train_dataloader.dataset
        self._draw(runner, packed, dataset, 'train')

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Sequence[EpisodeDataSample] | None = None,
    ) -> None:
        """Draw the episodes of a batch that are due."""
        del batch_idx, data_batch
        self._draw_due(runner, outputs or (), runner.val_loop, 'val')

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Sequence[EpisodeDataSample] | None = None,
    ) -> None:
        """Draw the episodes of a batch that are due."""
        del batch_idx, data_batch
        self._draw_due(runner, outputs or (), runner.test_loop, 'test')

    def _may_draw(self) -> bool:
        return self.enable and self.drawn < self.max_pictures

    def _draw_due(
        self,
        runner: Runner,
        outputs: Sequence[EpisodeDataSample],
        loop: Any,
        stage: str,
    ) -> None:
        dataset = loop.dataloader.dataset
        for sample in outputs:
            due = sample.metainfo['episode_index'] % self.interval == 0
            if due and self._may_draw():
                with autocast(enabled=loop.fp16):
                    packed = dataset[_episode_of(sample, dataset)]
                    self._draw(runner, packed, dataset, stage)

    def _draw(
        self, runner: Runner, packed: Any, dataset: Any, stage: str
    ) -> None:
        self.drawn += 1
        model = runner.model
        found = explain(
            model.module if is_model_wrapper(model) else model, packed
        )
        meta = found.sample.metainfo
        folder = self.out_dir
        if folder is not None and stage != 'test':
            # epochs count from 1; a validation comes after its epoch
            epoch = runner.epoch + (stage == 'train')
            folder = osp.join(folder, f'{stage}_epoch_{epoch}')
        runner.visualizer.add_episode(
            f'{meta["episode_index"]:06d}_{meta["category_name"]}',
            found,
            figures=self.figures,
            category=dataset.metainfo['categories'][meta['category_id']],
            keypoints=self.keypoints,
            out_dir=folder,
            show=self.show,
            wait_time=self.wait_time,
            # to ask for it in a test would build the loop of training
            step=0 if stage == 'test' else runner.iter,
        )


def _episode_of(sample: EpisodeDataSample, dataset: Any) -> Episode:
    """The episode that a sample is the answer to."""
    meta = sample.metainfo
    place = dataset.positions
    return Episode(
        index=meta['episode_index'],
        category_id=meta['category_id'],
        support=tuple(place[i] for i in meta['support_ids']),
        query=place[meta['id']],
        draw=meta['draw'],
    )
