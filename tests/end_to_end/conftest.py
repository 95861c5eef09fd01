"""The tools as a user runs them, on a very small model and data set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = 'configs/capeformer/capeformer_tiny_puppets_1shot.py'
SMALL = {
    'model.backbone.stem_channels': 8,
    'model.backbone.base_channels': 8,
    'model.head.in_channels': 32,
    'model.head.embed_dims': 32,
    'model.head.encoder.dropout': 0.1,
    'model.head.decoder.dropout': 0.1,
    'train_cfg.max_epochs': 3,
    'train_cfg.val_interval': 3,
    'train_dataloader.batch_size': 4,
    'train_dataloader.sampler.pairs_per_category': 8,
    'val_dataloader.sampler.num_queries': 2,
    'val_dataloader.sampler.num_episodes': 2,
    'test_dataloader.sampler.num_queries': 3,
    'test_dataloader.sampler.num_episodes': 2,
    'default_hooks.logger.interval': 1,
}


class Tools:
    """Runs tools on the small configuration."""

    config = CONFIG

    def __init__(self, puppets_dir: Path) -> None:
        self.options = dict(SMALL)
        for loader in ('train', 'val', 'test'):
            self.options[f'{loader}_dataloader.dataset.data_root'] = (
                puppets_dir
            )
            self.options[f'{loader}_dataloader.num_workers'] = 0
            self.options[f'{loader}_dataloader.persistent_workers'] = False

    def command(self, *command, options=()):
        settings = {**self.options, **dict(options)}
        return [
            *map(str, command),
            '--cfg-options',
            *(f'{key}={value}' for key, value in settings.items()),
        ]

    def start(self, *command, options=()):
        """Start a tool; Python files run in this interpreter."""
        command = self.command(*command, options=options)
        if command[0].endswith('.py'):
            command.insert(0, sys.executable)
        path = f'{Path(sys.executable).parent}:{os.environ["PATH"]}'
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=dict(os.environ, PATH=path, OMP_NUM_THREADS='1'),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command, options=()):
        """Run a tool to its end and return what it printed."""
        process = self.start(*command, options=options)
        output, _ = process.communicate(timeout=240)
        assert process.returncode == 0, output
        return output


@pytest.fixture(scope='session')
def tools(puppets_dir):
    return Tools(puppets_dir)


@pytest.fixture(scope='session')
def trained(tools, tmp_path_factory):
    """Work folder of an uninterrupted run of three epochs."""
    folder = tmp_path_factory.mktemp('trained')
    tools.run('tools/train.py', tools.config, '--work-dir', folder)
    return folder
