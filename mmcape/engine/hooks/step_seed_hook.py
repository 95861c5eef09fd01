"""Randomness of a training step as a function of the step."""

from __future__ import annotations

import hashlib
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from mmcape.utils.global_generators import seed_globals


@HOOKS.register_module()
class StepSeedHook(Hook):
    """Seeds every training step from (run seed, step, rank).

    torch's, numpy's and Python's global generators are seeded. Dropout then
    does not depend on what ran before, and a resumed run equals the
    uninterrupted one without any generator's state in the checkpoint, on
    GPUs too. Episodes and augmentation are functions of the seed already.
    """

    priority = 'VERY_HIGH'

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Seed the step that comes next."""
        del batch_idx, data_batch
        text = f'{runner.seed} {runner.iter} {runner.rank}'
        digest = hashlib.sha256(text.encode()).digest()
        torch.manual_seed(int.from_bytes(digest[:8], 'big') >> 1)
        seed_globals(digest)
