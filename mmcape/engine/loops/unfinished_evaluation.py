"""What an evaluation has found, kept for the case that it is killed."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from torch import nn

from mmcape.utils.atomic_files import write_atomically
from mmcape.utils.checkpoint_files import CheckpointError, read_checkpoint

_PACKAGE = Path(__file__).parents[2]


class UnfinishedEvaluation:
    """Results of the finished parts of an evaluation, on disk.

    Args:
        folder: Of this evaluation and this process alone; its name should
            tell all that the results depend on.
        metrics: Whose ``results`` are kept.
    """

    def __init__(
        self, folder: str | Path, metrics: Sequence[BaseMetric]
    ) -> None:
        self.folder = Path(folder)
        self.metrics = metrics
        self._parts = 0

    def restore(self) -> int:
        """Give the metrics what is kept; until where that goes.

        Returns:
            The last number given to :meth:`keep`, 0 if there is nothing.
        """
        reached = 0
        for self._parts in count():
            path = self._path()
            if not path.exists():
                break
            try:
                part = read_checkpoint(str(path))
            except CheckpointError as error:
                MMLogger.get_current_instance().warning(f'left out: {error}')
                break
            for metric, results in zip(self.metrics, part['results']):
                metric.results.extend(results)
            reached = part['reached']
        self._kept = self._counts()
        return reached

    def keep(self, reached: int) -> None:
        """Store what has come since the last time, if the disk has room.

        Args:
            reached: Number for :meth:`restore` to return.
        """
        new = [
            metric.results[start:]
            for metric, start in zip(self.metrics, self._kept)
        ]
        content = io.BytesIO()
        torch.save(dict(reached=reached, results=new), content)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path(), content.getvalue())
        except OSError as error:
            MMLogger.get_current_instance().warning(f'not kept: {error}')
            return
        self._parts += 1
        self._kept = self._counts()

    def discard(self) -> None:
        """The evaluation is finished: remove what this process kept."""
        for path in self.folder.glob('*.pth*'):
            path.unlink()
        for folder in (self.folder, self.folder.parent):
            if folder.is_dir() and not any(folder.iterdir()):
                shutil.rmtree(folder, ignore_errors=True)

    def _path(self) -> Path:
        return self.folder / f'{self._parts:04d}.pth'

    def _counts(self) -> list[int]:
        return [len(metric.results) for metric in self.metrics]


def evaluation_digest(
    model: nn.Module, images: Iterable[str], settings: Any
) -> str:
    """SHA-256 of everything that the results of an evaluation depend on.

    These are the weights, the image files (by size and time of change), this
    package's code, the version and device of torch, and whatever is given.

    Args:
        model: With its weights.
        images: Paths of the images.
        settings: Plain data: configs, episodes and hashes of annotations.
    """
    digest = hashlib.sha256(json.dumps(settings, default=str).encode())
    for path in sorted(_PACKAGE.rglob('*.py')):
        digest.update(path.read_bytes())
    for name in images:
        status = os.stat(name)
        text = f'{name} {status.st_size} {status.st_mtime_ns}\n'
        digest.update(text.encode())
    for name, value in model.state_dict().items():
        digest.update(f'{name} {value.dtype} {value.device}'.encode())
        raw = value.detach().cpu().reshape(-1).view(torch.uint8)
        digest.update(raw.numpy())
    digest.update(torch.__version__.encode())
    return digest.hexdigest()
