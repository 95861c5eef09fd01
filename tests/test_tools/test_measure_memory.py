from __future__ import annotations

import json
import multiprocessing
import sys

import pytest

from mmcape.benchmark.memory import drift, process_memory

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith('linux'), reason='reads /proc'
)


def hold(size, ready, done):
    block = bytearray(size)
    for place in range(0, size, 4096):
        block[place] = 1
    ready.set()
    done.wait()


def test_memory_of_a_child_is_its_own():
    found = []
    for size in (0, 64 * 2**20):
        context = multiprocessing.get_context('fork')
        ready, done = context.Event(), context.Event()
        child = context.Process(target=hold, args=(size, ready, done))
        child.start()
        ready.wait()
        found.append(process_memory(child.pid))
        done.set()
        child.join()
    for measure in ('rss', 'pss', 'uss'):
        grown = found[1][measure] - found[0][measure]
        assert grown == pytest.approx(64, abs=8), measure
    assert found[0]['uss'] <= found[0]['pss'] <= found[0]['rss']


def test_drift_is_the_slope_after_the_start():
    course = {
        'worker': [
            dict(
                epoch=float(epoch),
                rss=500.0 if epoch < 5 else 100.0 + 0.5 * epoch,
                pss=40.0,
                uss=20.0,
            )
            for epoch in range(1, 21)
        ]
    }
    row = drift(course, 5)['worker']
    assert row['rss_kib_per_epoch'] == pytest.approx(512)
    assert row['pss_kib_per_epoch'] == pytest.approx(0, abs=1e-6)
    assert row['uss_mib'] == 20
    with pytest.raises(ValueError, match='worker has 1 epochs'):
        drift(course, 20)


def test_tool(load_tool, monkeypatch, puppets_dir, tmp_path, capsys):
    out = tmp_path / 'memory'
    command = ['tool', '--data-root', puppets_dir, '--epochs', 3]
    command += ['--workers', 1, '--start', 1, '--out', out]
    command += ['--cfg-options', 'val_dataloader.sampler.num_queries=2']
    monkeypatch.setattr(sys, 'argv', list(map(str, command)))
    load_tool('analysis_tools/measure_memory.py').main()
    printed = capsys.readouterr().out
    report = json.loads((out / 'memory.json').read_text())
    roles = ['main process', 'training worker 1', 'evaluation worker 1']
    assert list(report['course']) == roles
    for name in roles:
        epochs = [entry['epoch'] for entry in report['course'][name]]
        assert epochs == [1, 2, 3]
        assert report['drift'][name]['uss_mib'] > 1
        assert f'| {name} |' in printed
    assert (out / 'memory.png').stat().st_size > 10000
    assert not list(out.glob('*.pth'))
