"""A test that was killed goes on after the categories that it had."""

from __future__ import annotations

import json
import pickle
import re

import numpy as np
import pytest

KILLED = -9
OPTIONS = {
    'test_dataloader.sampler.num_queries': 2,
    'test_dataloader.sampler.num_episodes': 2,
    # a batch is a draw: three categories of two
    'test_cfg.pairs_per_batch': 2,
}


@pytest.fixture(scope='module')
def run_test(server, trained, tmp_path_factory):
    """Test in a folder; the log, the report and the dumped samples."""
    weights = trained / 'epoch_3.pth'

    def run(folder, checkpoint=weights, processes=1, fault=None, more=()):
        # like the user's own command, with the same paths again
        command = ('tools/test.py', server.config, checkpoint)
        statuses, log = server.run(
            *command,
            '--work-dir',
            folder,
            '--dump',
            folder / 'dump.pkl',
            processes=processes,
            fault=fault,
            options={**OPTIONS, **dict(more)},
        )
        if fault is not None:
            assert KILLED in statuses, log
            return log
        assert not any(statuses), log
        report = json.loads((folder / 'test_results.json').read_text())
        samples = pickle.loads((folder / 'dump.pkl').read_bytes())
        found = {
            s['episode_index']: s['pred_instances']['keypoints']
            for s in samples
        }
        return log, report, found

    return run


def assert_same(found, expected):
    assert found[1] == expected[1]
    assert found[2].keys() == expected[2].keys()
    for index, keypoints in expected[2].items():
        np.testing.assert_array_equal(found[2][index], keypoints)


@pytest.mark.parametrize('processes', [1, 2])
def test_killed_test_goes_on(run_test, processes, tmp_path):
    expected = run_test(tmp_path, processes=processes)
    assert len(expected[2]) == 3 * 2 * 2
    assert 'going on' not in expected[0]

    # in the fifth of six batches and in the last one, after two categories;
    # with two processes in the last of three
    kills, kept = {1: ((4, 5), '4 of 6'), 2: ((2,), '[23] of 3')}[processes]
    for at in kills:
        fault = ('test', at, processes - 1)
        log = run_test(tmp_path, processes=processes, fault=fault)
        assert ('going on' in log) == (at != kills[0])
    assert list(tmp_path.glob('unfinished_test/*/0000.pth'))
    found = run_test(tmp_path, processes=processes)
    assert re.search(f'{kept} batches were evaluated before', found[0])
    assert_same(found, expected)
    assert not (tmp_path / 'unfinished_test').exists()


def test_nothing_else_is_mixed_in(run_test, trained, tmp_path):
    """Other weights, settings or images: a test of its own."""
    run_test(tmp_path, fault=('test', 4))
    other = {'test_cfg.memory_limit': 3.0}
    for change in (dict(checkpoint='none'), dict(more=other)):
        log, report, found = run_test(tmp_path, **change)
        assert 'going on' not in log
        assert len(found) == report['pairs'] == 12
    # a copy of the same weights is the same test
    copy = tmp_path / 'copy.pth'
    copy.write_bytes((trained / 'epoch_3.pth').read_bytes())
    log, _, _ = run_test(tmp_path, checkpoint=copy)
    assert 'going on' in log
