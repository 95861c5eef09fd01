"""Pictures of predicted episodes during validation and test."""

from __future__ import annotations

import os.path as osp
from collections.abc import Iterator, Sequence
from typing import Any

import mmcv
import mmengine
import numpy as np
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from mmcape.structures import EpisodeDataSample
from mmcape.visualization import draw_episode


@HOOKS.register_module()
class EpisodeVisualizationHook(Hook):
    """Draws support, prediction and ground truth side by side.

    Pictures of a test go to ``out_dir``, those of a validation to the
    visualizer's backends.

    Args:
        enable: Whether to draw at all.
        interval: Every how many episodes one is drawn.
        max_pictures: The most pictures of one validation or test.
        out_dir: Folder for the pictures of a test.
        show: Whether to open a window for each as well.
        wait_time: Seconds that a window stays.
    """

    def __init__(
        self,
        enable: bool = False,
        interval: int = 50,
        max_pictures: int = 100,
        out_dir: str | None = None,
        show: bool = False,
        wait_time: float = 0.0,
    ) -> None:
        self.enable = enable
        self.interval = interval
        self.max_pictures = max_pictures
        self.out_dir = out_dir
        self.show = show
        self.wait_time = wait_time
        self.drawn = 0

    def before_val_epoch(self, runner: Runner) -> None:
        """Start counting pictures anew."""
        del runner
        self.drawn = 0

    def before_test_epoch(self, runner: Runner) -> None:
        """Start counting pictures anew."""
        self.drawn = 0
        if self.enable and self.out_dir is not None:
            mmengine.mkdir_or_exist(self.out_dir)
            runner.logger.info(f'pictures of episodes go to {self.out_dir}')

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Sequence[EpisodeDataSample] | None = None,
    ) -> None:
        """Hand pictures to the visualizer's backends."""
        del batch_idx, data_batch
        for name, picture in self._pictures(runner, outputs):
            runner.visualizer.add_image(name, picture, step=runner.iter)

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Sequence[EpisodeDataSample] | None = None,
    ) -> None:
        """Write or show pictures."""
        del batch_idx, data_batch
        for name, picture in self._pictures(runner, outputs):
            if self.out_dir is not None:
                path = osp.join(self.out_dir, f'{name}.jpg')
                mmcv.imwrite(picture[..., ::-1], path)
            if self.show:
                runner.visualizer.show(
                    picture, win_name=name, wait_time=self.wait_time
                )

    def _pictures(
        self, runner: Runner, outputs: Sequence[EpisodeDataSample] | None
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Names and RGB pictures of the episodes that are due."""
        if not self.enable:
            return
        meta = runner.visualizer.dataset_meta or {}
        for sample in outputs or ():
            due = sample.metainfo['episode_index'] % self.interval == 0
            if not due or self.drawn >= self.max_pictures:
                continue
            self.drawn += 1
            categories = meta.get('categories', {})
            category = categories.get(sample.metainfo['category_id'], {})
            name = (
                f'{sample.metainfo["episode_index"]:06d}_'
                f'{sample.metainfo["category_name"]}'
            )
            yield name, draw_episode(sample, category.get('skeleton', ()))
