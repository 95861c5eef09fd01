from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from ..conftest import ROOT

HERE = Path(__file__).parent
BASE = Config.fromfile(ROOT / 'configs/_base_/default_runtime.py')
FAULT_HOOK = f'custom_hooks.{len(BASE.custom_hooks)}'
CONFIG = f"""
_base_ = '{ROOT}/configs/capeformer/capeformer_tiny_puppets_1shot.py'
custom_imports = dict(imports=['mmcape', 'injected_faults'])
custom_hooks = [
    *_base_.custom_hooks,
    dict(type='InjectFault'),
]
default_hooks = dict(checkpoint=dict(step_interval=1))
train_cfg = dict(max_epochs=2, val_interval=1)
param_scheduler = [
    _base_.param_scheduler[0],
    dict(_base_.param_scheduler[1], end=2),
]
"""


class ToolServer:
    """Runs the tools, many times, without importing mmpose every time."""

    def __init__(self, tools, folder):
        self.tools = tools
        self.config = folder / 'config.py'
        self.config.write_text(CONFIG)
        self.log = folder / 'tools.log'
        self.environment = dict(
            os.environ,
            OMP_NUM_THREADS='1',
            PATH=f'{Path(sys.executable).parent}:{os.environ["PATH"]}',
            PYTHONPATH=f'{ROOT}:{HERE}',
        )
        self.process = subprocess.Popen(
            [sys.executable, HERE / 'tool_server.py'],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, *command, processes=1, fault=None, options=()):
        """Exit statuses by rank, and what was printed."""
        settings = dict(options)
        if fault is not None:
            kind, at, *rank = fault
            settings[f'{FAULT_HOOK}.fault'] = kind
            settings[f'{FAULT_HOOK}.at'] = at
            settings[f'{FAULT_HOOK}.rank'] = rank[0] if rank else 0
        if processes > 1:
            command = (*command, '--launcher', 'pytorch')
        self.log.write_text('')
        job = dict(
            command=self.tools.command(*command, options=settings),
            processes=processes,
            log=str(self.log),
        )
        print(json.dumps(job), file=self.process.stdin, flush=True)
        statuses = json.loads(self.process.stdout.readline())
        return statuses, self.log.read_text()

    def launch(self, *command, options=()):
        """Run a tool in processes of its own, by a launcher."""
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            port = probe.getsockname()[1]
        return subprocess.run(
            self.tools.command(*command, options=options),
            cwd=ROOT,
            env=dict(self.environment, PORT=str(port)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            check=False,
        )

    def train(self, folder, *arguments, **options):
        """Train in a folder, going on with what is there."""
        command = ('tools/train.py', self.config, '--work-dir', folder)
        return self.run(*command, '--resume', *arguments, **options)


@pytest.fixture(scope='session')
def server(tools, tmp_path_factory):
    small = type(tools)(None)
    epochs = ('train_cfg.max_epochs', 'train_cfg.val_interval')
    small.options = {
        key: value for key, value in tools.options.items() if key not in epochs
    }
    small.options['train_dataloader.sampler.pairs_per_category'] = 3
    small.options['val_cfg.pairs_per_batch'] = 2
    server = ToolServer(small, tmp_path_factory.mktemp('server'))
    yield server
    server.process.stdin.close()
    server.process.wait(timeout=60)


def state(path):
    """What a run is made of, without times."""
    checkpoint = torch.load(path, weights_only=True)
    hub = checkpoint['message_hub']['runtime_info']
    return dict(
        weights=checkpoint['state_dict'],
        optimizer=checkpoint['optimizer'],
        schedulers=checkpoint['param_schedulers'],
        progress=checkpoint['progress'],
        ranks=checkpoint.get('rank_states'),
        epoch=checkpoint['meta']['epoch'],
        step=checkpoint['meta']['iter'],
        best=hub.get('best_score'),
    )
