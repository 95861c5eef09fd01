"""Train and test a small CapeFormer on categories that it never sees.

    python tools/demo.py [--work-dir DIR] [--epochs N]

Draws the Puppets benchmark, trains, tests with one and with five support
images and prints the results beside answers that need no learning. A run that
was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ROOT / 'configs'
CAPEFORMER = CONFIGS / 'capeformer/capeformer_tiny_puppets_1shot.py'
TRIVIAL = {
    'crop centre': CONFIGS / 'trivial/crop-centre_puppets_1shot.py',
    'copied support': CONFIGS / 'trivial/copy-support_puppets_1shot.py',
}
METRICS = ('PCK@0.05', 'PCK@0.1', 'PCK@0.2', 'mPCK', 'NME')


def run(script: str, *arguments: object) -> None:
    """Run one of the project's tools and show the command.

    Raises:
        SystemExit: If the tool fails.
    """
    command = ['python', f'tools/{script}', *map(str, arguments)]
    print(f'\n$ {" ".join(command)}', flush=True)
    status = subprocess.run(
        [sys.executable, *command[1:]], cwd=ROOT, check=False
    ).returncode
    if status:
        sys.exit(f'{script} ended with status {status}')


class Demo:
    """The steps of the demonstration.

    Args:
        work_dir: Folder of everything that is written.
        epochs: Epochs of training, None for the config's.
    """

    def __init__(self, work_dir: Path, epochs: int | None) -> None:
        self.work_dir = work_dir
        self.data = work_dir / 'puppets'
        self.epochs = epochs

    def draw(self) -> None:
        """Draw the benchmark, unless it is there already."""
        run('dataset_converters/make_puppets.py', '--out', self.data)

    def train(self) -> Path:
        """Train, or go on with training; the checkpoint of the last epoch."""
        folder = self.work_dir / 'capeformer'
        options = self._data_options('train', 'val', 'test')
        if self.epochs is not None:
            options += [
                f'train_cfg.max_epochs={self.epochs}',
                f'param_scheduler.1.end={self.epochs}',
            ]
        run(
            'train.py',
            CAPEFORMER.relative_to(ROOT),
            '--resume',
            '--work-dir',
            folder,
            '--cfg-options',
            *options,
        )
        return Path((folder / 'last_checkpoint').read_text().strip())

    def test(
        self, name: str, config: Path, checkpoint: Path | str, shots: int
    ) -> dict[str, float]:
        """Metrics of a model on the unseen categories."""
        folder = self.work_dir / f'{name.replace(" ", "-")}_{shots}shot'
        results = folder / 'results.json'
        run(
            'test.py',
            config.relative_to(ROOT),
            checkpoint,
            '--work-dir',
            folder,
            '--out',
            results,
            *(
                ['--show-dir', folder / 'pictures']
                if checkpoint != 'none'
                else []
            ),
            '--cfg-options',
            f'test_dataloader.sampler.num_shots={shots}',
            *self._data_options('test'),
        )
        report = json.loads(results.read_text(encoding='utf-8'))
        return report['metrics']

    def _data_options(self, *loaders: str) -> list[str]:
        return [
            f'{loader}_dataloader.dataset.data_root={self.data}'
            for loader in loaders
        ]


def print_table(rows: dict[str, dict[str, float]]) -> None:
    """Print the metrics in percent, NME as it is."""
    width = max(map(len, rows))
    print(f'\n{"":{width}} ' + ' '.join(f'{m:>9}' for m in METRICS))
    for name, metrics in rows.items():
        values = [
            f'{metrics[m]:9.3f}' if m == 'NME' else f'{100 * metrics[m]:9.2f}'
            for m in METRICS
        ]
        print(f'{name:{width}} ' + ' '.join(values))


def main() -> None:
    """Run all steps."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        '--work-dir',
        type=Path,
        default=ROOT / 'work_dirs/demo',
        help='folder of everything that is written',
    )
    parser.add_argument('--epochs', type=int, help='epochs of training')
    args = parser.parse_args()
    demo = Demo(args.work_dir.resolve(), args.epochs)

    start = time.monotonic()
    demo.draw()
    checkpoint = demo.train()
    rows = {}
    for shots in (1, 5):
        for name, config in TRIVIAL.items():
            rows[f'{name}, {shots}-shot'] = demo.test(
                name, config, 'none', shots
            )
        rows[f'CapeFormer, {shots}-shot'] = demo.test(
            'capeformer', CAPEFORMER, checkpoint, shots
        )

    print(
        '\nPercent of keypoints found, on categories never seen in training:'
    )
    print_table(rows)
    print(f'\nPictures: {demo.work_dir}/capeformer_1shot/pictures')
    print(f'          {demo.work_dir}/capeformer_5shot/pictures')
    print(f'That took {(time.monotonic() - start) / 60:.1f} minutes.')


if __name__ == '__main__':
    main()
