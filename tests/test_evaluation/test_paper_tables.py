from __future__ import annotations

from pathlib import Path

import mmengine
import pytest

from mmcape.evaluation.paper_tables import cells_of, markdown, other_episodes

ROOT = Path(__file__).parents[2]
TABLES = mmengine.load(ROOT / 'tools/tables.yml')
TABLE = dict(
    title='Main',
    columns=['split1', 'split2'],
    shots=[1],
    rows={
        'old': dict(paper={1: [None, None, 44.78]}),
        'new': dict(paper={1: [70.0, 80.0, 75.0]}),
    },
)


def entry(row, column, value, paper=None, **changes):
    found = dict(
        row=row,
        column=column,
        shots=1,
        config=f'{row}.py',
        paper=paper,
        metrics={
            'PCK@0.2': value,
            'PCK@0.2_ci95': 0.01,
            'mPCK': value / 2,
            'NME': 0.25,
        },
        episodes_sha256=f'episodes of {column}',
        instances_sha256=f'instances of {column}',
        per_episode=[
            {'category_id': 1, 'draw': draw, 'PCK@0.2': value + step}
            for draw, step in enumerate((-0.1, 0.1))
        ],
    )
    return {**found, **changes}


@pytest.mark.parametrize('benchmark', ['puppets', 'mp100'])
@pytest.mark.parametrize('name', TABLES)
def test_every_config_of_every_table_is_there(name, benchmark):
    if (name, benchmark) == ('cross', 'puppets'):
        return
    for cell in cells_of(TABLES[name], benchmark):
        assert (ROOT / 'configs' / cell.config).is_file()


def test_cells_of_the_main_table():
    table = TABLES['main']
    cells = list(cells_of(table, 'mp100'))
    assert len(cells) == 5 * 2 * 5
    (cell,) = (
        c
        for c in cells
        if (c.row, c.column, c.shots) == ('CapeFormer', 'split4', 5)
    )
    assert cell.paper == 88.01
    assert cell.config == 'capeformer/capeformer_r50_mp100-split4_5shot.py'
    puppets = list(cells_of(table, 'puppets'))
    assert len(puppets) == 5 * 2
    assert puppets[-1].paper == 89.30  # the mean over splits
    assert puppets[-1].config.endswith('capeformer_tiny_puppets_5shot.py')
    ablation = list(cells_of(TABLES['components'], 'puppets'))
    assert [cell.paper for cell in ablation] == [
        80.32,
        82.86,
        85.32,
        85.81,
        89.45,  # of the split that the ablation was made on
    ]


@pytest.mark.parametrize('benchmark', ['puppets', 'mp100'])
def test_fine_tune_is_trained_once_for_all_shots(benchmark):
    configs = [
        cell.config
        for cell in cells_of(TABLES['main'], benchmark)
        if cell.row == 'Fine-tune'
    ]
    assert len(set(configs)) == len(configs) / 2


def test_lines_with_difference_and_mean():
    lines = markdown(
        TABLE,
        [
            entry('old', 'split1', 0.40),
            entry('old', 'split2', 0.50),
            entry('new', 'split1', 0.60, 70.0),
            entry('new', 'split2', 0.80, 80.0),
        ],
    ).splitlines()
    assert lines[0] == '### Main'
    assert 'new is better by' in lines[2]
    # two intervals of 1.00 give sqrt(2) / 2 for the mean
    assert lines[4:] == [
        '| old | split1 | 1 | 40.00 ± 1.00 | +20.00 ± 0.00 | 20.00 | 0.250 '
        '|  |',
        '| old | split2 | 1 | 50.00 ± 1.00 | +30.00 ± 0.00 | 25.00 | 0.250 '
        '|  |',
        '| old | mean | 1 | 45.00 ± 0.71 | +25.00 ± 0.00 | 22.50 | 0.250 '
        '| 44.78 |',
        '| new | split1 | 1 | 60.00 ± 1.00 |  | 30.00 | 0.250 | 70.00 |',
        '| new | split2 | 1 | 80.00 ± 1.00 |  | 40.00 | 0.250 | 80.00 |',
        '| new | mean | 1 | 70.00 ± 0.71 |  | 35.00 | 0.250 | 75.00 |',
    ]


def test_no_mean_of_a_part():
    failed = dict(
        row='old',
        column='split2',
        shots=1,
        config='old.py',
        paper=None,
        error='failed,\nsee train.log',
    )
    results = [entry('old', 'split1', 0.4), failed]
    text = markdown(TABLE, results)
    assert '| old | split2 | 1 | failed, see train.log | | | |  |' in text
    assert 'mean' not in text
    # before the last row there is nothing to compare with
    assert '| 40.00 ± 1.00 |  | 20.00 |' in text


def test_a_test_of_one_episode_has_no_interval():
    one = entry('old', 'split1', 0.4)
    del one['metrics']['PCK@0.2_ci95']
    assert '| 40.00 |  | 20.00 |' in markdown(TABLE, [one])


@pytest.mark.parametrize('key', ['episodes_sha256', 'instances_sha256'])
def test_other_episodes_are_seen(key):
    one = entry('old', 'split1', 0.4)
    same = entry('new', 'split1', 0.5)
    elsewhere = entry('new', 'split2', 0.5)
    other = entry('new', 'split1', 0.5, **{key: 'abc'})
    assert other_episodes(same, [one]) is None
    assert other_episodes(elsewhere, [one]) is None
    assert other_episodes(other, [one]) == 'old'
    assert other_episodes(other, [dict(one, error='failed')]) is None
