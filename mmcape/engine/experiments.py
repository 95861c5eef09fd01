"""Trainings and tests of many configs, each done once."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import filelock
from mmengine.config import Config

from mmcape.datasets.mp100 import split_file
from mmcape.evaluation.paper_tables import Cell
from mmcape.utils.atomic_files import write_atomically

AMP_OPTIONS = ('--amp', '--amp-dtype', 'bfloat16')


@dataclass(frozen=True)
class ExperimentRunner:
    """Trains and tests configs, each once.

    A run's folder is named after its config and remembers the settings and
    the data that it was made from.

    Args:
        root: The project's folder, with tools and configs.
        work_dir: Folder of all runs.
        say: Shows commands and progress; gets text with its line ends.
        data_root: Where the benchmark lies; None for the configs' place.
        epochs: Epochs of every training, None for the configs'.
        bfloat16: Whether to train in mixed precision.
        gpus: GPUs of every training.
        overrides: Settings ``key=value`` that every training and test gets.
    """

    root: Path
    work_dir: Path
    say: Callable[[str], None]
    data_root: Path | None = None
    epochs: int | None = None
    bfloat16: bool = False
    gpus: int = 1
    overrides: Sequence[str] = ()

    def result(self, cell: Cell) -> dict[str, Any]:
        """Report of a cell's test; runs what it takes.

        Raises:
            RuntimeError: If data are missing, training or testing fails, the
                folder holds a run of other settings, or another process is
                at work there.
        """
        folder, cfg = self._open(cell)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with filelock.FileLock(folder / '.lock', timeout=0):
                self._claim(folder, self._settings(cfg))
                checkpoint = self._train(folder, cell.config, cfg)
                return self._test(folder, cell, checkpoint)
        except filelock.Timeout:
            raise RuntimeError(
                f'another process works in {folder}: wait for it, or choose '
                'another --work-dir'
            ) from None

    def finished(self, cell: Cell) -> dict[str, Any] | None:
        """Report of a cell's test, if these settings left one before."""
        folder, cfg = self._open(cell)
        report = self._report(folder, cell)
        note = folder / 'settings.json'
        if not (report.exists() and note.exists()):
            return None
        try:
            same = json.loads(note.read_text('utf-8')) == self._settings(cfg)
        except RuntimeError:  # the data are gone
            return None
        found: dict[str, Any] = json.loads(report.read_text('utf-8'))
        return found if same else None

    def _open(self, cell: Cell) -> tuple[Path, Config]:
        """Folder and config of a cell's run."""
        cfg = Config.fromfile(str(self.root / 'configs' / cell.config))
        return self.work_dir / Path(cell.config).stem, cfg

    def _epochs(self, cfg: Config) -> int:
        epochs: int = self.epochs or cfg.train_cfg.max_epochs
        return epochs

    @staticmethod
    def _claim(folder: Path, settings: dict[str, Any]) -> None:
        """Note what a folder's run is made from.

        Raises:
            RuntimeError: If it has weights that are made from something else.
        """
        note = folder / 'settings.json'
        if note.exists() and any(folder.glob('*.pth')):
            found = json.loads(note.read_text('utf-8'))
            other = [
                key for key in settings if settings[key] != found.get(key)
            ]
            if other:
                raise RuntimeError(
                    f'{folder} holds a run with other {" and ".join(other)}: '
                    'remove it, or choose another --work-dir'
                )
        write_atomically(note, json.dumps(settings, indent=2).encode())

    def _settings(self, cfg: Config) -> dict[str, Any]:
        """What a config's numbers depend on."""
        text = json.dumps(cfg.to_dict(), sort_keys=True, default=str)
        data = [
            self._digest(cfg[f'{name}_dataloader'].dataset)
            for name in ('train', 'val', 'test')
        ]
        return dict(
            config=hashlib.sha256(text.encode()).hexdigest(),
            epochs=self._epochs(cfg),
            options=[*self._amp, *self.overrides],
            gpus=self.gpus,
            data=data,
        )

    def _digest(self, dataset: Any) -> str:
        """SHA-256 of an annotation file; Puppets are drawn if need be.

        Raises:
            RuntimeError: If there is none.
        """
        subset = dataset.get('subset', 'train')
        name = dataset.get('ann_file') or split_file(dataset.split, subset)
        root = self.root / (self.data_root or dataset.data_root)
        path = root / name
        if not path.exists() and path.name.startswith('puppets_'):
            self._run(
                self.work_dir / 'make_puppets.log',
                'tools/dataset_converters/make_puppets.py',
                '--out',
                root,
            )
        if not path.exists():
            raise RuntimeError(
                f'{path} is missing: prepare the data as in docs/mp100.md, or '
                'name their folder with --data-root'
            )
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def _train(self, folder: Path, config: str, cfg: Config) -> Path:
        """Last checkpoint of a config's training, which is brought to end."""
        epochs = self._epochs(cfg)
        checkpoint = folder / f'epoch_{epochs}.pth'
        if not checkpoint.exists():
            start = ['tools/train.py', f'configs/{config}']
            if self.gpus > 1:
                start = ['tools/dist_train.sh', start[1], str(self.gpus)]
            self._run(
                folder / 'train.log',
                *start,
                '--resume',
                '--auto-scale-lr',
                *self._amp,
                '--work-dir',
                folder,
                options=[
                    *schedule_options(cfg, epochs),
                    *self._data_options('train', 'val', 'test'),
                    *self.overrides,
                ],
            )
        return checkpoint

    def _test(
        self, folder: Path, cell: Cell, checkpoint: Path
    ) -> dict[str, Any]:
        """Report of a checkpoint's test, which is run unless it was."""
        report = self._report(folder, cell)
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
                    *self.overrides,
                ],
            )
        found: dict[str, Any] = json.loads(report.read_text('utf-8'))
        return found

    @property
    def _amp(self) -> Sequence[str]:
        return AMP_OPTIONS if self.bfloat16 else ()

    @staticmethod
    def _report(folder: Path, cell: Cell) -> Path:
        return folder / f'test_{cell.shots}shot.json'

    def _data_options(self, *loaders: str) -> list[str]:
        if self.data_root is None:
            return []
        return [
            f'{loader}_dataloader.dataset.data_root={self.data_root}'
            for loader in loaders
        ]

    def _run(
        self,
        log: Path,
        tool: str,
        *arguments: object,
        options: Sequence[str] = (),
    ) -> None:
        """Run a tool; its output goes to a log, its progress to the screen.

        Raises:
            RuntimeError: If the tool fails.
        """
        command = [tool, *map(str, arguments)]
        if options:
            command += ['--cfg-options', *options]
        program = 'bash' if tool.endswith('.sh') else sys.executable
        self.say(f'$ {Path(program).name} {" ".join(command)}\n')
        with log.open('a', encoding='utf-8') as file:
            process = subprocess.Popen(
                [program, *command],
                cwd=self.root,
                env=dict(os.environ, PYTHON=sys.executable),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            try:
                self._follow(process, file)
                process.wait()
            finally:  # it must not train on when nobody waits for it
                process.terminate()
                process.wait()
        if process.returncode:
            raise RuntimeError(f'{tool} failed, see {log}')

    def _follow(self, process: subprocess.Popen[str], log: TextIO) -> None:
        """Log a process's output to its end, and show its progress."""
        assert process.stdout is not None
        for line in process.stdout:
            log.write(line)
            if ' eta: ' in line:
                progress = line.split('INFO - ')[-1].split('  time:')[0]
                self.say(f'\r  {progress[:76]:76}')
        self.say('\n')


def schedule_options(cfg: Config, epochs: int) -> list[str]:
    """What shortens or lengthens a config's schedule, with its steps."""
    decay = cfg.param_scheduler[1]
    options = [
        f'train_cfg.max_epochs={epochs}',
        f'param_scheduler.1.end={epochs}',
    ]
    if 'milestones' in decay:
        factor = epochs / cfg.train_cfg.max_epochs
        milestones = [round(factor * epoch) for epoch in decay.milestones]
        text = ','.join(map(str, milestones))
        options.append(f'param_scheduler.1.milestones=[{text}]')
    return options
