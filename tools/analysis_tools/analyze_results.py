"""Look at what a test has found.

    python tools/analysis_tools/analyze_results.py DUMP.pkl [RESULTS.json]
        --out-dir DIR [--worst 12]

DUMP.pkl comes from `test.py --dump`, RESULTS.json from `test.py --out` (by
default test_results.json in the work folder), either will do:

- per_category.png: PCK@0.2 of each category;
- pck_curves.png: PCK over the threshold, of all and of each category;
- worst_episodes.jpg: of the episodes with the lowest PCK@0.2, support and
  prediction of the query that is furthest off (dump only);
- error_by_confidence.png: error against the keypoints' scores (dump only).

The JSON knows the skeletons, and is all that is read where there is no dump.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmcape.evaluation.dumped import DumpedResult, read_dump, read_report
from mmcape.utils.input_error import InputError, told_by_message
from mmcape.visualization import draw_episode, write_picture
from mmcape.visualization.charts import (
    save_category_bars,
    save_curves,
    save_error_by_confidence,
)
from mmcape.visualization.layout import captioned, grid

PANEL = 200
COLUMNS = 2


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Options of the tool."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument('results', nargs='+', type=Path, help='see above')
    parser.add_argument(
        '--out-dir', type=Path, required=True, help='folder for pictures'
    )
    parser.add_argument(
        '--worst', type=int, default=12, help='episodes of the contact sheet'
    )
    args = parser.parse_args(arguments)
    suffixes = [path.suffix for path in args.results]
    if sorted(suffixes) not in (['.json'], ['.pkl'], ['.json', '.pkl']):
        parser.error('give a .pkl file, a .json file, or one of each')
    args.dump, args.report = (
        next((path for path in args.results if path.suffix == suffix), None)
        for suffix in ('.pkl', '.json')
    )
    return args


def analyze_dump(
    result: DumpedResult, skeletons: Mapping[str, Any], args: Any
) -> None:
    """Draw everything.

    Raises:
        InputError: If an image is missing.
    """
    thresholds = np.linspace(0, 0.5, 51).tolist()
    (overall,) = result.curve([0.2])
    save_category_bars(
        result.per_category(), overall, args.out_dir / 'per_category.png'
    )
    save_curves(
        thresholds,
        result.curve(thresholds),
        {name: result.curve(thresholds, name) for name in result.categories},
        args.out_dir / 'pck_curves.png',
    )
    scores, distances = result.confidences()
    if len(scores):
        path = args.out_dir / 'error_by_confidence.png'
        save_error_by_confidence(scores, distances, path)
    print(
        f'{len(result.pairs)} pairs of {len(result.episodes)} episodes, '
        f'PCK@0.2 {overall:.2%}'
    )
    if args.worst > 0:
        sheet = worst_episodes(result, skeletons, args.worst)
        write_picture(args.out_dir / 'worst_episodes.jpg', sheet)


def worst_episodes(
    result: DumpedResult, skeletons: Mapping[str, Any], count: int
) -> np.ndarray:
    """Contact sheet (H, W, 3) uint8 RGB of the worst episodes.

    Raises:
        InputError: If an image is missing.
    """
    strips = []
    for episode in result.episodes[:count]:
        worst = episode.worst
        skeleton = skeletons.get(str(episode.category_id), {})
        try:
            strip = draw_episode(
                worst.sample,
                skeleton.get('skeleton', ()),
                worst.wrong,
                PANEL,
                most_shots=1,
            )
        except OSError as error:
            raise InputError(
                f'an image of the test is missing: {error}. Run this where '
                'the test ran: its paths are in the dump; or give --worst 0'
            ) from error
        found = len(worst.distances) - int(worst.wrong.sum())
        lines = [
            f'{episode.category}, draw {episode.draw}: '
            f'PCK@0.2 {episode.pck:.0%} over {len(episode.pairs)} queries',
            f'query {worst.sample["id"]}: {found} of '
            f'{len(worst.distances)} keypoints found',
        ]
        strips.append(captioned(strip, lines))
    return grid(strips, min(COLUMNS, len(strips)))


def analyze_report(report: Mapping[str, Any], args: Any) -> None:
    """Draw and print what a report tells by itself."""
    categories, metrics = report['per_category'], report['metrics']
    values = {name: (row['PCK@0.2'], 0.0) for name, row in categories.items()}
    path = args.out_dir / 'per_category.png'
    save_category_bars(values, metrics['PCK@0.2'], path)
    names = [name for name in metrics if re.fullmatch(r'PCK@[\d.]+', name)]
    save_curves(
        [float(name.partition('@')[2]) for name in names],
        [metrics[name] for name in names],
        {key: [row[n] for n in names] for key, row in categories.items()},
        args.out_dir / 'pck_curves.png',
    )
    print(
        f'{report["pairs"]} pairs, PCK@0.2 {metrics["PCK@0.2"]:.2%}. The '
        'contact sheet and error by confidence need test.py --dump'
    )
    worst = sorted(report['per_episode'], key=lambda row: row['PCK@0.2'])
    for row in worst[: args.worst]:
        known = report.get('categories', {}).get(str(row['category_id']), {})
        name = known.get('name', f'category {row["category_id"]}')
        print(f'  {name}, draw {row["draw"]}: PCK@0.2 {row["PCK@0.2"]:.0%}')


def main() -> None:
    """Run the tool; bad input ends it with one message."""
    args = parse_args()
    with told_by_message():
        report = {} if args.report is None else read_report(args.report)
        if args.dump is None:
            analyze_report(report, args)
        else:
            result = DumpedResult(read_dump(args.dump))
            analyze_dump(result, report.get('categories', {}), args)
    print(f'pictures: {args.out_dir}')


if __name__ == '__main__':
    main()
