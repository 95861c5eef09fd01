"""Which checkpoint an interrupted training goes on from."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .checkpoint_files import CheckpointError, read_checkpoint

_NAME = re.compile(r'(epoch|step|iter)_\d+\.pth')


@dataclass(frozen=True, order=True)
class ResumePoint:
    """A checkpoint of a run; later ones are greater."""

    saved_at: float
    """Seconds since 1970."""
    step: int
    """Steps of the whole run."""
    epoch: int
    path: str


def find_resume_point(
    work_dir: str, say: Callable[[str], object]
) -> str | None:
    """Path of the newest checkpoint that can be read; None if none is there.

    What is newest is read from the checkpoints, so that copying a folder
    changes nothing. A ``last_checkpoint`` that names a remote file is
    believed.

    Args:
        work_dir: Folder of the training.
        say: Told which checkpoints are broken and which one is chosen.

    Raises:
        CheckpointError: If there are checkpoints but all are broken.
    """
    named = _last_checkpoint(Path(work_dir))
    if named is not None and '://' in named:
        return named
    points: list[ResumePoint] = []
    broken: list[str] = []
    for path in _checkpoints(Path(work_dir), named):
        try:
            points.append(_read_point(path))
        except CheckpointError as error:
            broken.append(str(error))
    for point in sorted(points, reverse=True):
        complaint = _damage(point.path)
        if complaint is not None:
            broken.append(complaint)
            continue
        for line in broken:
            say(f'left out: {line}')
        say(
            f'resuming from {point.path}, saved after {point.step} steps '
            f'and {point.epoch} whole epochs'
        )
        return point.path
    if broken:
        listed = '\n  '.join(broken)
        raise CheckpointError(
            f'{work_dir} has no checkpoint that can be read:\n  {listed}\n'
            'Remove them to train from the beginning'
        )
    return None


def _checkpoints(work_dir: Path, named: str | None) -> Iterator[Path]:
    """Checkpoints that hold all of a run's state, in no order."""
    folders = {work_dir}
    if named is not None:
        folders.add(Path(named).parent)
    found = {
        path.resolve(): path
        for folder in folders
        if folder.is_dir()
        for path in folder.iterdir()
        if _NAME.fullmatch(path.name) and path.is_file()
    }
    if named is not None and Path(named).is_file():
        found.setdefault(Path(named).resolve(), Path(named))
    yield from found.values()


def _last_checkpoint(work_dir: Path) -> str | None:
    """What mmengine notes as the last checkpoint."""
    try:
        return (work_dir / 'last_checkpoint').read_text().strip() or None
    except (FileNotFoundError, UnicodeDecodeError):
        return None


def _read_point(path: Path) -> ResumePoint:
    """Place of a checkpoint in its run; weights stay on the disk.

    Raises:
        CheckpointError: If the file cannot be read.
    """
    content = read_checkpoint(str(path), lazily=True)
    meta: Any = content.get('meta') if isinstance(content, dict) else None
    if not isinstance(meta, dict) or not {'epoch', 'iter'} <= set(meta):
        raise CheckpointError(f'{path} is no checkpoint of a training run')
    saved_at = meta.get('saved_at', path.stat().st_mtime)
    return ResumePoint(saved_at, meta['iter'], meta['epoch'], str(path))


def _damage(path: str) -> str | None:
    """What is wrong with a checkpoint's bytes; torch does not look at sums."""
    try:
        with zipfile.ZipFile(path) as archive:
            member = archive.testzip()
    except (OSError, zipfile.BadZipFile) as error:
        return f'{path} cannot be read: {error}'
    if member is None:
        return None
    return f'{path} is damaged: the checksum of {member} is wrong'
