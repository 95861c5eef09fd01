"""Saving where there is no room."""

from __future__ import annotations

import re

import pytest

from .conftest import state

FAULT = ('full_disk', 3)  # in the fourth of six steps


def test_training_stops_with_the_reason(server, tmp_path):
    statuses, log = server.train(tmp_path, fault=FAULT)
    assert statuses == [1]
    (line,) = re.findall(r'^error: .*', log, re.MULTILINE)
    assert f'cannot save {tmp_path}/step_4.pth: File too large.' in line
    needed = re.search(r'needs ([\d.]+) MiB', line).group(1)
    whole = (tmp_path / 'step_3.pth').stat().st_size
    assert float(needed) == pytest.approx(whole / 2**20, rel=0.05)
    assert 'Traceback' not in log
    assert state(tmp_path / 'step_3.pth')['step'] == 3

    statuses, log = server.train(tmp_path)
    assert statuses == [0], log
    assert 'saved after 3 steps' in log


def test_training_goes_on_if_told_to(server, tmp_path):
    statuses, log = server.train(
        tmp_path,
        fault=FAULT,
        options={'default_hooks.checkpoint.on_failed_save': 'continue'},
    )
    assert statuses == [0], log
    assert 'Epoch(train) [2][3/3]' in log
    for name in ('step_4.pth', 'step_6.pth', 'epoch_2.pth'):
        assert f'cannot save {tmp_path}/{name}' in log
    # the last that was saved, and older than it nothing but the best
    names = {path.name for path in tmp_path.glob('*.pth*')}
    assert names == {'epoch_1.pth', 'best_PCK@0.2_epoch_1.pth'}
    last = (tmp_path / 'last_checkpoint').read_text()
    assert last == f'{tmp_path}/epoch_1.pth'
    assert state(last)['step'] == 3
