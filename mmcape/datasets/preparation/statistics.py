"""Instances, keypoints and sizes per category and annotation file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..instances import kept_instances
from .annotation_files import AnnotationFile
from .sources import source_of_category


@dataclass(frozen=True)
class CategoryStatistics:
    """What one annotation file has of one category.

    Args:
        file: Name of the annotation file.
        category: Name of the category.
        source: Key of its source, '' if none.
        instances: Number of kept instances.
        images: Number of their images.
        keypoints: Keypoints of the category.
        visible: Labelled keypoints of an instance, mean.
        box_side: Longer side of the box in pixels, median.
        image_side: Longer side of the image in pixels, median.
    """

    file: str
    category: str
    source: str
    instances: int
    images: int
    keypoints: int
    visible: float
    box_side: float
    image_side: float


def statistics(files: Sequence[AnnotationFile]) -> list[CategoryStatistics]:
    """Count what annotation files have, by file and category.

    Unusable annotations do not count; ``check`` names them.
    """
    rows = []
    for file in files:
        groups = defaultdict(list)
        for record in kept_instances(file.problems.usable(file.content)):
            groups[record['category_id']].append(record)
        for _, records in sorted(groups.items()):
            rows.append(_row(file.name, records))
    return rows


def _row(file: str, records: Sequence[dict[str, Any]]) -> CategoryStatistics:
    boxes = np.concatenate([record['bbox'] for record in records])
    folder = records[0]['file_name'].split('/')[0]
    source = source_of_category(folder)
    return CategoryStatistics(
        file=file,
        category=records[0]['category_name'],
        source='' if source is None else source.key,
        instances=len(records),
        images=len({record['img_id'] for record in records}),
        keypoints=max(record['num_keypoints'] for record in records),
        visible=float(
            np.mean(
                [(r['keypoints_visible'] > 0).sum() for r in records]
            ).round(1)
        ),
        box_side=float(np.median((boxes[:, 2:] - boxes[:, :2]).max(axis=1))),
        image_side=float(
            np.median([max(record['annotated_size']) for record in records])
        ),
    )


def statistics_lines(rows: Sequence[CategoryStatistics]) -> Iterator[str]:
    """Markdown tables: one of the files, one of the categories."""
    by_file = defaultdict(list)
    for row in rows:
        by_file[row.file].append(row)
    yield '| file | categories | images | instances | keypoints |'
    yield '|---|---|---|---|---|'
    for name, some in by_file.items():
        counts = [row.keypoints for row in some]
        yield (
            f'| {name} | {len(some)} | {sum(row.images for row in some)} | '
            f'{sum(row.instances for row in some)} | '
            f'{min(counts)} to {max(counts)} |'
        )
    yield ''
    yield (
        '| file | category | source | images | instances | keypoints | '
        'labelled (mean) | box side (median) | image side (median) |'
    )
    yield '|---|---|---|---|---|---|---|---|---|'
    for row in rows:
        yield (
            f'| {row.file} | {row.category} | {row.source} | {row.images} | '
            f'{row.instances} | {row.keypoints} | {row.visible:.1f} | '
            f'{row.box_side:.0f} | {row.image_side:.0f} |'
        )


def plot_statistics(rows: Sequence[CategoryStatistics], path: Path) -> None:
    """Draw instances, keypoints and box sizes of the categories.

    A category that several files have is drawn once, with the most
    instances.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    largest: dict[tuple[str, int], CategoryStatistics] = {}
    for row in rows:
        key = (row.category, row.keypoints)
        if key not in largest or row.instances > largest[key].instances:
            largest[key] = row
    shown = sorted(largest.values(), key=lambda row: row.instances)
    panels: Mapping[str, list[float]] = {
        'instances': [row.instances for row in shown],
        'keypoints (labelled on average: dark)': [
            row.keypoints for row in shown
        ],
        'box side, px (median)': [row.box_side for row in shown],
    }
    figure = Figure(figsize=(11, 1.5 + 0.16 * len(shown)))
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    places = range(len(shown))
    for axis, (title, values) in zip(axes, panels.items()):
        axis.barh(places, values, color='tab:blue', alpha=0.5)
        axis.set_title(title, fontsize=9)
        axis.tick_params(labelsize=7)
        axis.spines[['top', 'right']].set_visible(False)
    axes[1].barh(places, [row.visible for row in shown], color='tab:blue')
    axes[0].set_yticks(places, [row.category for row in shown], fontsize=6)
    axes[0].set_ylim(-0.5, len(shown) - 0.5)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
