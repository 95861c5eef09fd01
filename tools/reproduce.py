"""Reproduce a table of the paper.

    python tools/reproduce.py TABLE [--benchmark puppets|mp100] ...

Trains what is missing, resumes what was interrupted, tests everything on the
same episodes and writes the table as Markdown and JSON beside the paper's
numbers, after every number that is new. A row that fails is reported and does
not stop the others. Tables are described in tools/tables.yml.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mmengine
from mmengine.config import Config

from mmcape.datasets.mp100 import split_file
from mmcape.evaluation.functional import paired_difference
from mmcape.utils.atomic_files import write_atomically

ROOT = Path(__file__).resolve().parents[1]
AMP_OPTIONS = ('--amp', '--amp-dtype', 'bfloat16')
TABLES = mmengine.load(ROOT / 'tools/tables.yml')


@dataclass(frozen=True)
class Cell:
    """One number of a table: a config, tested with some shots."""

    row: str
    column: str
    shots: int
    config: str
    paper: float | None


def cells_of(table: dict[str, Any], benchmark: str) -> Iterator[Cell]:
    """The numbers of a table, row by row."""
    for name, row in table['rows'].items():
        for shots in table['shots']:
            columns, paper = table['columns'], row['paper'][shots]
            if benchmark == 'puppets':
                # the only column of an ablation, or the mean of all
                value = paper[0 if len(columns) == 1 else -1]
                columns, paper = ['puppets'], [value]
            for column, value in zip(columns, paper):
                config = row[benchmark].format(column=column, shots=shots)
                yield Cell(name, column, shots, config, value)


class Runner:
    """Trains and tests configs, each once.

    A run's folder is named after its config and remembers the settings and
    the data that it was made from.

    Args:
        work_dir: Folder of all runs.
        data_root: Where the benchmark lies; None for the configs' place.
        epochs: Epochs of every training, None for the configs'.
        bfloat16: Whether to train in mixed precision.
    """

    def __init__(
        self,
        work_dir: Path,
        data_root: Path | None,
        epochs: int | None,
        bfloat16: bool = False,
    ) -> None:
        self.work_dir = work_dir
        self.data_root = data_root
        self.epochs = epochs
        self.options = AMP_OPTIONS if bfloat16 else ()

    def result(self, cell: Cell) -> dict[str, Any]:
        """Report of a cell's test; runs what it takes.

        Raises:
            RuntimeError: If training or testing fails, or the folder holds a
                run of other settings.
        """
        folder = self._folder(cell.config)
        settings = self._settings(cell.config)
        self._claim(folder, settings)
        checkpoint = self._train(folder, cell.config, settings['epochs'])
        report = folder / f'test_{cell.shots}shot.json'
        fresh = (
            report.exists()
            and report.stat().st_mtime >= checkpoint.stat().st_mtime
        )
        if not fresh:
            self._run(
                folder / f'test_{cell.shots}shot.log',
                'tools/test.py',
                f'configs/{cell.config}',
                checkpoint,
                '--work-dir',
                folder / 'test',
                '--out',
                report,
                options=[
                    f'test_dataloader.sampler.num_shots={cell.shots}',
                    *self._data_options('test'),
                ],
            )
        return json.loads(report.read_text('utf-8'))

    @staticmethod
    def _claim(folder: Path, settings: dict[str, Any]) -> None:
        """Note what a folder's run is made from.

        Raises:
            RuntimeError: If it is from something else.
        """
        note = folder / 'settings.json'
        if not note.exists():
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(note, json.dumps(settings, indent=2).encode())
            return
        found = json.loads(note.read_text('utf-8'))
        other = [key for key in settings if settings[key] != found.get(key)]
        if other:
            raise RuntimeError(
                f'{folder} holds a run with other {" and ".join(other)}: '
                'remove it, or choose another --work-dir'
            )

    def _settings(self, config: str) -> dict[str, Any]:
        """What a config's numbers depend on."""
        cfg = Config.fromfile(str(ROOT / 'configs' / config))
        text = json.dumps(cfg.to_dict(), sort_keys=True, default=str)
        data = [
            self._digest(cfg[f'{name}_dataloader'].dataset)
            for name in ('train', 'val', 'test')
        ]
        return dict(
            config=hashlib.sha256(text.encode()).hexdigest(),
            epochs=self.epochs or cfg.train_cfg.max_epochs,
            options=list(self.options),
            data=data,
        )

    def _digest(self, dataset: Any) -> str | None:
        """SHA-256 of an annotation file; None if the run will miss it."""
        subset = dataset.get('subset', 'train')
        name = dataset.get('ann_file') or split_file(dataset.split, subset)
        path = ROOT / (self.data_root or dataset.data_root) / name
        if not path.exists():
            return None
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def _train(self, folder: Path, config: str, epochs: int) -> Path:
        """Last checkpoint of a config's training, which is brought to end."""
        checkpoint = folder / f'epoch_{epochs}.pth'
        if not checkpoint.exists():
            self._run(
                folder / 'train.log',
                'tools/train.py',
                f'configs/{config}',
                '--resume',
                *self.options,
                '--work-dir',
                folder,
                options=[
                    f'train_cfg.max_epochs={epochs}',
                    f'param_scheduler.1.end={epochs}',
                    *self._data_options('train', 'val', 'test'),
                ],
            )
        return checkpoint

    def _folder(self, config: str) -> Path:
        return self.work_dir / Path(config).stem

    def _data_options(self, *loaders: str) -> list[str]:
        if self.data_root is None:
            return []
        return [
            f'{loader}_dataloader.dataset.data_root={self.data_root}'
            for loader in loaders
        ]

    @staticmethod
    def _run(log: Path, *command: object, options: list[str]) -> None:
        """Run a tool; its output goes to a log, its progress to the screen.

        Raises:
            RuntimeError: If the tool fails.
        """
        arguments = [*map(str, command), '--cfg-options', *options]
        print(f'$ python {" ".join(arguments)}', flush=True)
        with log.open('a', encoding='utf-8') as file:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            assert process.stdout is not None
            for line in process.stdout:
                file.write(line)
                if ' eta: ' in line:
                    progress = line.split('INFO - ')[-1].split('  time:')[0]
                    print(f'\r  {progress[:76]:76}', end='', flush=True)
        print()
        if process.wait():
            raise RuntimeError(f'failed, see {log}')


def measure(cells: list[Cell], runner: Runner, write: Any) -> int:
    """Fill a table cell by cell; how many have failed."""
    results: list[dict[str, Any]] = []
    for cell in cells:
        print(f'\n{cell.row}, {cell.column}, {cell.shots}-shot', flush=True)
        entry: dict[str, Any] = dict(vars(cell))
        try:
            report = runner.result(cell)
        except (RuntimeError, OSError, ValueError) as error:
            print(f'  {error}', flush=True)
            entry['error'] = str(error)
        else:
            entry.update(
                metrics=report['metrics'],
                episodes_sha256=report['episodes_sha256'],
                per_episode=report['per_episode'],
            )
            print(f'  PCK@0.2 {100 * report["metrics"]["PCK@0.2"]:.2f}')
        results.append(entry)
        write(results)
    return sum('error' in entry for entry in results)


def markdown(title: str, results: list[dict[str, Any]]) -> str:
    """A table of results beside the paper's numbers.

    Each row is compared with the last one on the same episodes: the interval
    of a paired difference is narrower than those of the two.
    """
    last = results[-1]['row']
    lines = [
        f'### {title}',
        '',
        f'| | on | shots | PCK@0.2 | {last} is better by | mPCK | NME '
        '| paper (MP-100) |',
        '|---|---|---|---|---|---|---|---|',
    ]
    for entry in results:
        paper = '' if entry['paper'] is None else f'{entry["paper"]:.2f}'
        if 'error' in entry:
            numbers = f'{entry["error"]} | | |'
        else:
            m = entry['metrics']
            numbers = (
                f'{100 * m["PCK@0.2"]:.2f} ± {100 * m["PCK@0.2_ci95"]:.2f} | '
                f'{_gap(entry, results)} | '
                f'{100 * m["mPCK"]:.2f} | {m["NME"]:.3f}'
            )
        lines.append(
            f'| {entry["row"]} | {entry["column"]} | {entry["shots"]} | '
            f'{numbers} | {paper} |'
        )
    return '\n'.join(lines) + '\n'


def _gap(entry: dict[str, Any], results: list[dict[str, Any]]) -> str:
    """Paired difference to the last row, empty if there is none."""
    same = (results[-1]['row'], entry['column'], entry['shots'])
    others = [
        one
        for one in results
        if (one['row'], one['column'], one['shots']) == same
        and one is not entry
        and 'error' not in one
    ]
    if not others:
        return ''
    scores = [
        {
            (e['category_id'], e['draw']): e['PCK@0.2']
            for e in one['per_episode']
        }
        for one in (entry, others[0])
    ]
    difference, half = paired_difference(*scores)
    return f'{100 * difference:+.2f} ± {100 * half:.2f}'


def measure_efficiency(cells: list[Cell], keypoints: int, target: Path) -> int:
    """Measure every config in one run of the tool for that."""
    tool = 'tools/analysis_tools/measure_efficiency.py'
    configs = [f'configs/{cell.config}' for cell in cells]
    options = ['--keypoints', str(keypoints), '--out', str(target)]
    command = [sys.executable, tool, *configs, *options]
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
        '--rows', nargs='+', help='only these rows', metavar='ROW'
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
    data_root = args.data_root and args.data_root.resolve()
    runner = Runner(
        args.work_dir.resolve(), data_root, args.epochs, args.bfloat16
    )
    cells = [
        cell
        for cell in cells_of(table, args.benchmark)
        if args.rows is None or cell.row in args.rows
    ]
    target = runner.work_dir / f'{args.table}_{args.benchmark}'
    runner.work_dir.mkdir(parents=True, exist_ok=True)

    def write(results: list[dict[str, Any]]) -> None:
        target.with_suffix('.json').write_text(json.dumps(results, indent=2))
        target.with_suffix('.md').write_text(markdown(table['title'], results))

    if args.table == 'efficiency':
        keypoints = table['keypoints'][args.benchmark]
        return measure_efficiency(cells, keypoints, target)
    failed = measure(cells, runner, write)
    print(f'\n{target.with_suffix(".md").read_text()}')
    print(f'{target}.md, {target}.json')
    return int(failed > 0)


if __name__ == '__main__':
    sys.exit(main())
