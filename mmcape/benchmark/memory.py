"""Memory of a run's processes, epoch by epoch."""

from __future__ import annotations

import multiprocessing
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.hooks import Hook
from mmengine.runner import Runner

Memory = dict[str, float]
Course = dict[str, list[Memory]]
"""An entry an epoch for each process, with its number and the MiB."""

_FIELDS = {
    'rss': ('Rss',),
    'pss': ('Pss',),
    'uss': ('Private_Clean', 'Private_Dirty'),
}


def process_memory(pid: int | None = None) -> Memory:
    """Memory of a process in MiB.

    ``rss`` counts all that is resident, ``pss`` a shared page in parts, and
    ``uss`` what the process has alone: forked workers copy shared pages that
    they write to, which ``rss`` does not show.

    Args:
        pid: By default this process.

    Raises:
        OSError: If there is no such process, or no Linux to ask.
    """
    path = Path(f'/proc/{pid or os.getpid()}/smaps_rollup')
    kibibytes = {}
    for line in path.read_text().splitlines()[1:]:
        name, value = line.split(':')
        kibibytes[name] = float(value.split()[0])
    return {
        name: sum(kibibytes[field] for field in fields) / 2**10
        for name, fields in _FIELDS.items()
    }


class MemoryCourseHook(Hook):
    """Notes the memory of the run and of its workers after every epoch.

    The first validation is taken to end the start of the training's workers:
    those that appear later are called workers of the evaluation. Both must be
    persistent.
    """

    priority = 'LOWEST'

    def __init__(self) -> None:
        self.course: Course = defaultdict(list)
        self._names: dict[int, str] = {}

    def before_val_epoch(self, runner: Runner) -> None:
        """Get to know the workers of the training."""
        del runner
        self._name_children('training worker')

    def after_val_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        """Note the memory of all processes."""
        del metrics
        self._name_children('evaluation worker')
        processes = {os.getpid(): 'main process', **self._names}
        for pid, name in processes.items():
            entry = dict(epoch=float(runner.epoch), **process_memory(pid))
            self.course[name].append(entry)

    def _name_children(self, role: str) -> None:
        new = sorted(
            child.pid
            for child in multiprocessing.active_children()
            if child.pid is not None and child.pid not in self._names
        )
        taken = sum(name.startswith(role) for name in self._names.values())
        for number, pid in enumerate(new, start=taken + 1):
            self._names[pid] = f'{role} {number}'


def drift(
    course: Mapping[str, Sequence[Memory]], start: int
) -> dict[str, dict[str, float]]:
    """How the memory of each process changes from an epoch on.

    Returns:
        For each process, the line fitted to each measure, as
        ``<measure>_kib_per_epoch``, and the measure itself in the median, in
        MiB.

    Raises:
        ValueError: If there are fewer than two epochs from ``start`` on.
    """
    rows: dict[str, dict[str, float]] = {}
    for name, entries in course.items():
        used = [entry for entry in entries if entry['epoch'] >= start]
        if len(used) < 2:
            raise ValueError(
                f'{name} has {len(used)} epochs from epoch {start} on, a '
                'slope takes two'
            )
        epochs = [entry['epoch'] for entry in used]
        row = rows.setdefault(name, {})
        for measure in _FIELDS:
            values = [entry[measure] for entry in used]
            slope = float(np.polyfit(epochs, values, 1)[0])
            row[f'{measure}_kib_per_epoch'] = slope * 2**10
            row[f'{measure}_mib'] = float(np.median(values))
    return rows


def plot(course: Mapping[str, Sequence[Memory]], path: Path) -> None:
    """Draw one panel a measure, one line a process."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.2), layout='constrained')
    titles = dict(
        rss='RSS: all that is resident',
        pss='PSS: shared pages in parts',
        uss='USS: its own alone',
    )
    panels: Any = figure.subplots(1, len(titles))
    for panel, (measure, title) in zip(panels, titles.items()):
        for name, entries in course.items():
            panel.plot(
                [entry['epoch'] for entry in entries],
                [entry[measure] for entry in entries],
                label=name,
                linewidth=1,
            )
        panel.set_title(title, fontsize=9)
        panel.set_xlabel('epoch, each with an evaluation')
        panel.set_ylim(bottom=0)
        panel.grid(alpha=0.3)
    panels[0].set_ylabel('MiB')
    panels[-1].legend(fontsize=7)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
