"""Charts of a test's result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_BLUE, _RED, _GREY = '#2b6cb0', '#c53030', '#888888'
_BINS = 10


def save_category_bars(
    values: Mapping[str, tuple[float, float]], mean: float, path: Path
) -> None:
    """PCK@0.2 of each category, the best on top.

    Args:
        values: PCK and half its 95 % interval, 0 if that is not known.
        mean: PCK of all pairs.
        path: PNG file.
    """
    order = sorted(values, key=lambda name: values[name][0])
    figure = Figure(figsize=(7, 1.4 + 0.24 * len(order)), dpi=120)
    axes = figure.subplots()
    rates = [100 * values[name][0] for name in order]
    spread = [100 * values[name][1] for name in order]
    axes.barh(order, rates, xerr=spread, color=_BLUE, ecolor=_GREY)
    axes.axvline(100 * mean, color=_RED, linestyle='--')
    axes.set_xlim(0, 100)
    axes.set_ylim(-0.6, len(order) - 0.4)
    about = ', with the 95 % interval over episodes' if any(spread) else ''
    axes.set_xlabel(f'PCK@0.2 in %{about}')
    axes.set_title(f'{len(order)} categories; all pairs: {100 * mean:.1f} %')
    _finish(figure, axes, path)


def save_curves(
    thresholds: Sequence[float],
    mean: Sequence[float],
    categories: Mapping[str, Sequence[float]],
    path: Path,
) -> None:
    """PCK over the threshold, of all pairs and of each category.

    Args:
        thresholds: In units of the box's longer side.
        mean: PCK of all pairs at each of them.
        categories: The same of each category; the best and the worst of them
            at the last threshold are named.
        path: PNG file.
    """
    figure = Figure(figsize=(7.5, 4.8), dpi=120)
    axes = figure.subplots()
    for rates in categories.values():
        axes.plot(thresholds, 100 * np.array(rates), color=_GREY, alpha=0.35)
    order = sorted(categories, key=lambda name: categories[name][-1])
    for name in order[:1] + order[1:][-1:]:
        end = 100 * categories[name][-1]
        axes.annotate(
            name,
            (thresholds[-1], end),
            (4, 0),
            textcoords='offset points',
            va='center',
            color=_GREY,
        )
    percents = 100 * np.array(mean)
    axes.plot(thresholds, percents, color=_BLUE, linewidth=2.5)
    at = float(np.interp(0.2, thresholds, percents))
    axes.plot([0.2], [at], 'o', color=_RED)
    axes.set_title(f'PCK@0.2 of all pairs: {at:.1f} %')
    axes.set_xlim(0, max(thresholds))
    axes.set_ylim(0, 100)
    axes.set_xlabel("threshold, in units of the box's longer side")
    axes.set_ylabel('PCK in %, of each category and of all')
    _finish(figure, axes, path)


def save_error_by_confidence(
    scores: np.ndarray, distances: np.ndarray, path: Path
) -> None:
    """How far keypoints are off, and how many are right, by their score.

    Args:
        scores: (N,) confidences.
        distances: (N,) in units of the box's longer side.
        path: PNG file.
    """
    figure = Figure(figsize=(11, 4.4), dpi=120)
    left, right = figure.subplots(1, 2)
    high = np.quantile(distances, 0.99)
    shown = np.minimum(distances, high)
    density = left.hexbin(
        scores, shown, gridsize=40, bins='log', cmap='Blues', mincnt=1
    )
    figure.colorbar(density, ax=left, label='keypoints')
    edges = np.unique(np.quantile(scores, np.linspace(0, 1, _BINS + 1)))
    place = np.clip(np.digitize(scores, edges) - 1, 0, max(len(edges) - 2, 0))
    groups = [place == i for i in np.unique(place)]
    middles = [float(scores[g].mean()) for g in groups]
    medians = [float(np.median(shown[g])) for g in groups]
    left.plot(middles, medians, 'o-', color=_RED, label='median')
    left.axhline(0.2, color=_GREY, linestyle='--', label='PCK@0.2')
    left.legend()
    left.set_xlabel('confidence')
    left.set_ylabel(f'error by box side, cut at {high:.2f}')

    shares = [100 * float((distances[g] < 0.2).mean()) for g in groups]
    right.plot(middles, shares, 'o-', color=_BLUE)
    right.set_ylim(0, 100)
    right.set_xlabel(f'confidence, means of {len(groups)} equal groups')
    right.set_ylabel('keypoints found (PCK@0.2) in %')
    right.grid(alpha=0.3)
    _finish(figure, left, path)


def _finish(figure: Figure, axes: Axes, path: Path) -> None:
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
