from __future__ import annotations

import os
from types import SimpleNamespace

import pytest
from torch import nn

from mmcape.engine.loops.unfinished_evaluation import (
    UnfinishedEvaluation,
    evaluation_digest,
)


def metrics():
    return [SimpleNamespace(results=[]), SimpleNamespace(results=[])]


@pytest.fixture
def folder(tmp_path):
    """Two parts: two results of each metric, then one."""
    found = metrics()
    unfinished = UnfinishedEvaluation(tmp_path / 'key', found)
    assert unfinished.restore() == 0
    for reached, count in ((3, 2), (7, 1)):
        for number, metric in enumerate(found):
            metric.results += [dict(of=number, ids=(1, 2))] * count
        unfinished.keep(reached)
    return tmp_path / 'key'


def test_results_come_back_in_order(folder):
    found = metrics()
    unfinished = UnfinishedEvaluation(folder, found)
    assert unfinished.restore() == 7
    for number, metric in enumerate(found):
        assert metric.results == [dict(of=number, ids=(1, 2))] * 3
    unfinished.discard()
    assert not folder.exists()


def test_a_damaged_part_ends_what_comes_back(folder):
    (folder / '0001.pth').write_bytes(b'damaged')
    found = metrics()
    assert UnfinishedEvaluation(folder, found).restore() == 3
    assert [len(metric.results) for metric in found] == [2, 2]


def test_a_full_disk_ends_no_test(folder, monkeypatch):
    def refuse(*args):
        raise OSError(28, 'No space left on device')

    found = metrics()
    unfinished = UnfinishedEvaluation(folder, found)
    unfinished.restore()
    monkeypatch.setattr('os.fsync', refuse)
    unfinished.keep(9)
    assert UnfinishedEvaluation(folder, metrics()).restore() == 7


def test_digest_tells_what_results_depend_on(tmp_path):
    model, image = nn.Linear(2, 3), tmp_path / 'image'
    image.write_bytes(b'image')

    def digest(settings='settings'):
        return evaluation_digest(model, [str(image)], settings)

    first = digest()
    assert digest() == first
    assert digest('other settings') != first
    os.utime(image, (1, 1))
    touched = digest()
    assert touched != first
    nn.init.zeros_(model.bias)
    assert digest() != touched
