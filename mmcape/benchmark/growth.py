"""How the cost of a pair grows with what a user chooses."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from .parts import QUERIES, Setting, encode, match
from .timing import medians, peak_of

AXES: dict[str, tuple[int, ...]] = {
    'keypoints': (5, 10, 20, 40, 70, 100),
    'shots': (1, 2, 5, 10),
    'queries of a support': (1, 5, 15, 30),
    'pairs of a batch': (1, 5, 15, 30, 60, 120),
}
Curves = dict[str, list[dict[str, float]]]


@torch.no_grad()
def measure_growth(setting: Setting) -> Curves:
    """Milliseconds a pair and memory of a batch, one axis varied at a time.

    A pair's time is the head's, plus the support's share of its encoding; the
    images are encoded already. Memory is what the head holds at most while it
    works, in MiB.
    """
    curves: Curves = {}
    for axis, values in AXES.items():
        curves[axis] = []
        for value in values:
            varied = setting
            pairs, shots, queries = 2 * QUERIES, 1, QUERIES
            if axis == 'keypoints':
                varied = replace(setting, keypoints=value)
            elif axis == 'shots':
                shots = value
            elif axis == 'queries of a support':
                pairs, queries = max(pairs, value), value
            else:
                pairs = value
            codes = encode(varied, pairs, shots, queries)
            call = varied.ours(partial(match, varied, codes))
            seconds = medians(dict(ours=call), setting.repeats)['ours']
            curves[axis].append(
                dict(
                    value=value,
                    milliseconds=1e3 * seconds / pairs,
                    mebibytes=peak_of(call),
                )
            )
    return curves


def plot(curves: Curves, path: Path) -> None:
    """Draw one column an axis: time above, memory below."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.6), layout='constrained')
    rows = figure.subplots(2, len(curves), sharey='row')
    for row, key in zip(rows, ('milliseconds', 'mebibytes')):
        for panel, points in zip(row, curves.values()):
            panel.plot(
                [point['value'] for point in points],
                [point[key] for point in points],
                marker='o',
            )
            panel.grid(alpha=0.3)
        row[0].set_ylim(bottom=0)  # shared, so when all have drawn
    for panel, axis in zip(rows[-1], curves):
        panel.set_xlabel(axis)
    rows[0][0].set_ylabel('ms a pair')
    rows[1][0].set_ylabel('MiB a batch')
    figure.savefig(path, dpi=110)
