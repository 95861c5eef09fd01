"""A whole test on the embedded benchmark, loader and metric included."""

from __future__ import annotations

import copy
import gc
import time
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.runner import Runner
from mmpose.registry import MODELS

from mmcape.models import EpisodeDataPreprocessor

from .plain_procedure import NUM_KEYPOINTS, plain_attention, plain_model
from .timing import Comparison


@MODELS.register_module()
class PaddingDataPreprocessor(EpisodeDataPreprocessor):
    """Pads every sample to 100 keypoints, as published loaders do."""

    def forward(
        self, data: dict[str, Any], training: bool = False
    ) -> dict[str, Any]:
        """Batch episodes; see :class:`EpisodeDataPreprocessor`."""
        batch = super().forward(data, training)
        for name, value in batch['inputs'].items():
            if not name.endswith('img'):
                axis = -2 if name.endswith('keypoints') else -1
                missing = NUM_KEYPOINTS - value.size(axis)
                after = [0, 0] * (-axis - 1)
                batch['inputs'][name] = F.pad(value, [*after, 0, missing])
        return batch


def whole_test(
    cfg: Config, shots: int, work_dir: str
) -> tuple[Comparison, float]:
    """Time a config's test, pair by pair and with the cached loop.

    Args:
        cfg: Its model is tested with the weights of ``load_from``, or random
            ones.
        shots: Support images of an episode.
        work_dir: Folder for logs.

    Returns:
        The times, and the largest difference of a metric.
    """
    cfg = copy.deepcopy(cfg)
    cfg.work_dir = work_dir
    cfg.test_dataloader.sampler.num_shots = shots
    ours, metrics = _run(cfg, f'cached-{shots}')
    cfg.test_cfg = dict(type='TestLoop')
    cfg.test_dataloader.batch_size = 1
    cfg.model.data_preprocessor.type = 'PaddingDataPreprocessor'
    with plain_attention():
        plain, expected = _run(cfg, f'plain-{shots}', published=True)
    difference = max(abs(metrics[name] - expected[name]) for name in expected)
    return Comparison('whole test', f'{shots}-shot', plain, ours), difference


def _run(
    cfg: Config, name: str, published: bool = False
) -> tuple[float, dict[str, float]]:
    cfg.experiment_name = f'{name}-{time.time_ns()}'
    torch.manual_seed(0)
    runner = Runner.from_cfg(cfg)
    runner.load_or_resume()
    if published:
        runner.model = plain_model(runner.model)
    gc.collect()  # ends the workers of the run before, which takes seconds
    start = time.perf_counter()
    metrics = runner.test()
    return time.perf_counter() - start, metrics
