"""A run that was killed, however often, ends as if it had not been."""

from __future__ import annotations

import json
import re

import pytest
import torch

from .conftest import FAULT_HOOK, state

KILLED = -9


def assert_same(found, expected, place=''):
    """Equal to the last bit."""
    if torch.is_tensor(expected):
        assert torch.equal(found, expected), place
    elif isinstance(expected, dict):
        assert found.keys() == expected.keys(), place
        for key, value in expected.items():
            assert_same(found[key], value, f'{place}/{key}')
    elif isinstance(expected, (list, tuple)):
        assert len(found) == len(expected), place
        for index, value in enumerate(expected):
            assert_same(found[index], value, f'{place}/{index}')
    else:
        assert found == expected, place


def outcome(folder):
    """The last checkpoint, and the report of the last validation."""
    report = json.loads((folder / 'val_results.json').read_text())
    return dict(state(folder / 'epoch_2.pth'), validation=report)


def resumed_after(log):
    """Steps and epochs that the checkpoint had."""
    (found,) = re.findall(r'saved after (\d+) steps and (\d+) whole', log)
    return tuple(map(int, found))


@pytest.fixture(scope='module', params=[1, 2])
def run(request, server):
    """Runs of 2 epochs of 3 steps, of one and of two processes."""
    options = {'train_dataloader.batch_size': 4 // request.param}
    processes = request.param

    def run(folder, *arguments, fault=None, more=()):
        statuses, log = server.train(
            folder,
            *arguments,
            processes=processes,
            fault=fault,
            options={**options, **dict(more)},
        )
        if fault is None:
            assert statuses == [0] * processes, log
        else:
            assert statuses[fault[2] if fault[2:] else 0] == KILLED, log
        return log

    run.processes = processes
    return run


@pytest.fixture(scope='module')
def uninterrupted(run, tmp_path_factory):
    """Work folder of a run that nothing happened to."""
    folder = tmp_path_factory.mktemp('uninterrupted')
    run(folder)
    assert state(folder / 'epoch_2.pth')['step'] == 6
    return folder


def test_killed_in_steps(run, uninterrupted, tmp_path):
    """Nothing but the unfinished step is lost, if every step is saved."""
    every, some = range(6), (2, 5)
    before = 0
    for step in every if run.processes == 1 else some:
        log = run(tmp_path, fault=('step', step, run.processes - 1))
        if before > 0:
            assert resumed_after(log) == (before, before // 3)
        before = step
    assert resumed_after(run(tmp_path)) == (5, 1)
    assert_same(outcome(tmp_path), outcome(uninterrupted))
    assert not list(tmp_path.glob('step_*')), 'training is complete'


BETWEEN_STEPS = {
    1: [
        (None, ('save', 'step_2.pth')),
        (None, ('save', 'epoch_1.pth')),
        ((2, 0), ('validation', 0)),
        ((3, 1), ('save', 'last_checkpoint')),
        ((3, 1), ('epoch', 1)),
        ((3, 1), ('step', 5)),
        ((4, 1), ('save', 'epoch_2.pth')),
        ((6, 1), ('validation', 1)),
        ((6, 2), None),
    ],
    2: [
        (None, ('save', 'epoch_1.pth')),
        ((2, 0), ('validation', 0)),
        ((3, 1), ('save', 'epoch_2.pth')),
        ((6, 1), None),
    ],
}
"""Where the run is resumed (steps, epochs), and where it is killed then."""


def test_killed_between_steps(run, uninterrupted, tmp_path):
    """In a checkpoint, after an epoch, in a validation; and once more."""
    other = {
        'default_hooks.checkpoint.step_interval': 2,
        'train_dataloader.num_workers': 1,
    }
    for before, fault in BETWEEN_STEPS[run.processes]:
        log = run(tmp_path, fault=fault, more=other)
        if before is not None:
            assert resumed_after(log) == before, fault
    assert_same(outcome(tmp_path), outcome(uninterrupted))
    assert not list(tmp_path.glob('*.partial'))


def test_killed_under_the_launcher(run, server, uninterrupted, tmp_path):
    """One of two processes is killed; then the same command again."""
    if run.processes == 1:
        pytest.skip('nothing to launch')
    command = ('tools/dist_train.sh', server.config, 2, '--work-dir', tmp_path)
    options = {
        'train_dataloader.batch_size': 2,
        f'{FAULT_HOOK}.fault': 'step',
        f'{FAULT_HOOK}.at': 4,
        f'{FAULT_HOOK}.rank': 1,
    }
    killed = server.launch(*command, '--resume', options=options)
    assert killed.returncode != 0
    assert 'Signal 9 (SIGKILL) received' in killed.stdout

    options[f'{FAULT_HOOK}.fault'] = None
    resumed = server.launch(*command, '--resume', options=options)
    assert resumed.returncode == 0, resumed.stdout
    assert resumed_after(resumed.stdout) == (4, 1), 'one process tells'
    assert_same(outcome(tmp_path), outcome(uninterrupted))
