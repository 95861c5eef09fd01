from __future__ import annotations

import json

import pytest

from .conftest import TOOLS


@pytest.fixture
def tool(load_tool):
    return load_tool('reproduce.py')


def report(value):
    return dict(
        metrics={
            'PCK@0.2': value,
            'PCK@0.2_ci95': 0.01,
            'mPCK': value / 2,
            'NME': 0.25,
        },
        episodes_sha256='abc',
        per_episode=[
            {'category_id': 1, 'draw': draw, 'PCK@0.2': value + step}
            for draw, step in enumerate((-0.1, 0.1))
        ],
    )


@pytest.mark.parametrize('benchmark', ['puppets', 'mp100'])
def test_every_config_of_every_table_is_there(tool, benchmark):
    for name, table in tool.TABLES.items():
        if (name, benchmark) == ('cross', 'puppets'):
            continue
        for cell in tool.cells_of(table, benchmark):
            assert (TOOLS.parent / 'configs' / cell.config).is_file()


def test_cells_of_the_main_table(tool):
    table = tool.TABLES['main']
    cells = list(tool.cells_of(table, 'mp100'))
    assert len(cells) == 5 * 2 * 5
    (cell,) = (
        c
        for c in cells
        if (c.row, c.column, c.shots) == ('CapeFormer', 'split4', 5)
    )
    assert cell.paper == 88.01
    assert cell.config == ('capeformer/capeformer_r50_mp100-split4_5shot.py')
    puppets = list(tool.cells_of(table, 'puppets'))
    assert len(puppets) == 5 * 2
    assert puppets[-1].paper == 89.30  # the mean over splits
    assert puppets[-1].config.endswith('capeformer_tiny_puppets_5shot.py')
    ablation = list(tool.cells_of(tool.TABLES['components'], 'puppets'))
    assert [cell.paper for cell in ablation] == [
        80.32,
        82.86,
        85.32,
        85.81,
        89.45,  # of the split that the ablation was made on
    ]


def test_failing_row_does_not_lose_the_others(tool):
    class FakeRunner:
        def result(self, cell):
            if cell.row == 'POMNet':
                raise RuntimeError('failed, see train.log')
            return report(0.5 if cell.row == 'CapeFormer' else 0.4)

    written = []
    cells = list(tool.cells_of(tool.TABLES['main'], 'puppets'))
    failed = tool.measure(
        cells, FakeRunner(), lambda results: written.append(list(results))
    )
    assert failed == 2
    assert [len(results) for results in written] == list(range(1, 11))
    table = tool.markdown('Main', written[-1])
    assert '| POMNet | puppets | 1 | failed, see train.log' in table
    assert '| MAML | puppets | 1 | 40.00 ± 1.00 | +10.00 ± 0.00 | 20' in table
    assert '| CapeFormer | puppets | 1 | 50.00 ± 1.00 |  | 25.00' in table
    assert 'CapeFormer is better by' in table


def test_finished_work_is_not_done_again(tool, tmp_path, monkeypatch):
    annotations = tmp_path / 'other data'
    (annotations / 'annotations').mkdir(parents=True)
    for split in ('train', 'val', 'test'):
        path = annotations / f'annotations/puppets_{split}.json'
        path.write_text(split)
    runner = tool.Runner(tmp_path, None, epochs=2)
    (cell,) = (
        c
        for c in tool.cells_of(tool.TABLES['losses'], 'puppets')
        if c.row == 'heatmap only'
    )
    calls = []

    def fake_run(log, *command, options):
        calls.append(command[0])
        folder = log.parent
        if command[0] == 'tools/train.py':
            assert '--resume' in command
            assert 'train_cfg.max_epochs=2' in options
            (folder / 'epoch_2.pth').write_text('weights')
        else:
            (folder / 'test_1shot.json').write_text(json.dumps(report(0.4)))

    monkeypatch.setattr(tool.Runner, '_run', staticmethod(fake_run))
    assert runner.result(cell) == runner.result(cell)
    assert calls == ['tools/train.py', 'tools/test.py']

    for other, what in (
        (tool.Runner(tmp_path, None, epochs=3), 'epochs'),
        (tool.Runner(tmp_path, annotations, epochs=2), 'data'),
    ):
        with pytest.raises(RuntimeError, match=f'with other {what}: remove'):
            other.result(cell)
