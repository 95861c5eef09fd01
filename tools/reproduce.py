"""Reproduce a table of the paper.

    python tools/reproduce.py TABLE [--benchmark puppets|mp100] ...

Draws Puppets and trains what is missing, resumes what was interrupted, tests
everything on the same episodes and writes the table as Markdown and JSON
beside the paper's numbers, after every number that is new. A row that fails
is reported and does not stop the others. Tables are described in
tools/tables.yml.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any

import mmengine

from mmcape.engine.experiments import ExperimentRunner
from mmcape.evaluation.paper_tables import (
    Cell,
    Entry,
    cells_of,
    markdown,
    other_episodes,
)
from mmcape.utils.atomic_files import write_atomically

ROOT = Path(__file__).resolve().parents[1]
TABLES = mmengine.load(ROOT / 'tools/tables.yml')


def measure(
    cells: list[Cell],
    rows: Collection[str],
    runner: ExperimentRunner,
    write: Callable[[list[Entry]], None],
) -> int:
    """Fill a table cell by cell; how many have failed.

    Args:
        cells: All of the table.
        rows: Those to run; of others, what an earlier run left is shown.
        runner: Runs them.
        write: Gets the results so far, whenever there are new ones.
    """
    results: list[Entry] = []
    for cell in cells:
        if cell.row not in rows:
            report = runner.finished(cell)
            if report is not None:
                results.append(_entry(cell, report, results))
            continue
        print(f'\n{cell.row}, {cell.column}, {cell.shots}-shot', flush=True)
        try:
            entry = _entry(cell, runner.result(cell), results)
        except (RuntimeError, OSError, ValueError) as error:
            entry = dict(vars(cell), error=str(error))
        if 'error' in entry:
            print(f'  {entry["error"]}', flush=True)
        else:
            print(f'  PCK@0.2 {100 * entry["metrics"]["PCK@0.2"]:.2f}')
        results.append(entry)
        write(results)
    return sum('error' in entry for entry in results)


def _entry(cell: Cell, report: dict[str, Any], results: list[Entry]) -> Entry:
    """A cell with its test, or with an error if it cannot be compared."""
    names = ('metrics', 'episodes_sha256', 'instances_sha256', 'per_episode')
    entry: Entry = dict(vars(cell), **{name: report[name] for name in names})
    other = other_episodes(entry, results)
    if other is None:
        return entry
    return dict(
        vars(cell),
        error=f'was tested on other episodes than {other}: remove its report '
        f'test_{cell.shots}shot.json, or that of {other}',
    )


def measure_efficiency(
    table: dict[str, Any], cells: list[Cell], keypoints: int, target: Path
) -> int:
    """Measure every config in one run of the tool for that."""
    tool = 'tools/analysis_tools/measure_efficiency.py'
    names = [cell.row for cell in cells]
    paper = {n: table['paper'][n] for n in names if n in table['paper']}
    command = [sys.executable, tool, *(f'configs/{c.config}' for c in cells)]
    command += ['--names', *names, '--title', table['title']]
    command += ['--paper', json.dumps(paper)]
    command += ['--keypoints', str(keypoints), '--out', str(target)]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def parse_args() -> argparse.Namespace:
    """Options of the tool."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument('table', choices=list(TABLES), help='which table')
    parser.add_argument(
        '--benchmark',
        choices=['puppets', 'mp100'],
        default='puppets',
        help='what to train and test on (default: %(default)s)',
    )
    parser.add_argument(
        '--data-root', type=Path, help='folder of the benchmark'
    )
    parser.add_argument(
        '--work-dir',
        type=Path,
        default=ROOT / 'work_dirs/reproduce',
        help='folder of all trainings, tests and tables',
    )
    parser.add_argument('--epochs', type=int, help='epochs of every training')
    parser.add_argument(
        '--bfloat16', action='store_true', help='train in mixed precision'
    )
    parser.add_argument(
        '--gpus', type=int, default=1, help='of every training (default: 1)'
    )
    parser.add_argument(
        '--rows',
        nargs='+',
        metavar='ROW',
        help='run only these; others are shown if they were run before',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        metavar='KEY=VALUE',
        help='settings that override those of every config',
    )
    args = parser.parse_args()
    table = TABLES[args.table]
    unknown = set(args.rows or ()) - set(table['rows'])
    if unknown:
        parser.error(f'no such rows: {sorted(unknown)}')
    if args.benchmark == 'puppets' and args.table == 'cross':
        parser.error('Puppets has no super-categories to leave out')
    return args


def main() -> int:
    """Reproduce one table."""
    args = parse_args()
    table = TABLES[args.table]
    runner = ExperimentRunner(
        root=ROOT,
        work_dir=args.work_dir.resolve(),
        say=partial(print, end='', flush=True),
        data_root=args.data_root and args.data_root.resolve(),
        epochs=args.epochs,
        bfloat16=args.bfloat16,
        gpus=args.gpus,
        overrides=args.cfg_options or (),
    )
    target = runner.work_dir / f'{args.table}_{args.benchmark}'
    runner.work_dir.mkdir(parents=True, exist_ok=True)

    def write(results: list[Entry]) -> None:
        text = json.dumps(results, indent=2)
        write_atomically(target.with_suffix('.json'), text.encode())
        text = markdown(table, results)
        write_atomically(target.with_suffix('.md'), text.encode())

    cells = list(cells_of(table, args.benchmark))
    rows = args.rows or list(table['rows'])
    if args.table == 'efficiency':
        chosen = [cell for cell in cells if cell.row in rows]
        keypoints = table['keypoints'][args.benchmark]
        return measure_efficiency(table, chosen, keypoints, target)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    failed = measure(cells, rows, runner, write)
    print(f'\n{target.with_suffix(".md").read_text()}')
    print(f'{target}.md, {target}.json')
    return int(failed > 0)


if __name__ == '__main__':
    sys.exit(main())
