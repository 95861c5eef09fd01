"""The pages of docs/ as a reader works through them."""

from __future__ import annotations

import multiprocessing
import os
import re
import runpy
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]

# A small model, a few episodes, no further processes
SMALL = {
    'model.backbone.stem_channels': 8,
    'model.backbone.base_channels': 8,
    'train_cfg.max_epochs': 1,
    'train_cfg.val_interval': 1,
    'train_dataloader.batch_size': 4,
    'train_dataloader.sampler.pairs_per_category': 1,
}
for loader in ('train', 'val', 'test'):
    SMALL[f'{loader}_dataloader.num_workers'] = 0
    SMALL[f'{loader}_dataloader.persistent_workers'] = False
for loader in ('val', 'test'):
    SMALL[f'{loader}_dataloader.sampler.num_queries'] = 2
    SMALL[f'{loader}_dataloader.sampler.num_episodes'] = 2


class Page:
    """A page, and a folder to follow it in.

    Args:
        name: The page's file in docs/.
        folder: Where commands are run; gets the project's configs and tools.
        small: Settings that shrink every training and test.
    """

    def __init__(self, name, folder, small):
        self.text = (ROOT / 'docs' / name).read_text()
        self.folder = folder
        self.small = small
        (folder / 'tools').symlink_to(ROOT / 'tools')
        shutil.copytree(ROOT / 'configs', folder / 'configs')

    def blocks(self, language):
        """The page's code in a language."""
        return re.findall(rf'```{language}\n(.*?)```', self.text, re.DOTALL)

    def commands(self):
        """The page's commands, in order, with their variables replaced."""
        variables = {}
        for block in self.blocks('shell'):
            for line in block.replace('\\\n', ' ').splitlines():
                for name, value in variables.items():
                    line = line.replace(f'${name}', value)
                if assigned := re.fullmatch(r'([A-Z]+)=(\S+)', line):
                    variables[assigned[1]] = assigned[2]
                else:
                    yield shlex.split(line, comments=True)

    def shrunk(self, command):
        """A training or test with the small settings in place of its own."""
        options = [f'{key}={value}' for key, value in self.small.items()]
        if '--cfg-options' not in command:
            command = [*command, '--cfg-options']
        return [*command, *options]

    def run(self, command):
        """Run a command in the folder; those of Python in a fork of this.

        A fork has imported everything already, and what a tool does to its
        process ends with it.
        """
        if command[0] == 'bash':
            path = f'{Path(sys.executable).parent}:{os.environ["PATH"]}'
            environment = dict(
                os.environ, PATH=path, PORT=_free_port(), OMP_NUM_THREADS='1'
            )
            subprocess.run(
                command, cwd=self.folder, env=environment, check=True
            )
            return
        assert command[0] == 'python', command
        fork = multiprocessing.get_context('fork')
        process = fork.Process(target=self._run_python, args=(command[1:],))
        process.start()
        process.join()
        assert process.exitcode == 0, command

    def _run_python(self, argv):
        torch.set_num_threads(1)  # as the data loaders' forks do
        os.chdir(self.folder)
        sys.argv = argv
        runpy.run_path(argv[0], run_name='__main__')


def _free_port():
    """A port for a distributed job; another may have the usual one."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return str(probe.getsockname()[1])


@pytest.fixture
def page(tmp_path):
    """Makes the page of a name."""

    def make(name, **small):
        return Page(name, tmp_path, {**SMALL, **small})

    return make
