from __future__ import annotations

import json

import pytest

from mmcape.evaluation.paper_tables import cells_of


@pytest.fixture
def tool(load_tool):
    return load_tool('reproduce.py')


def report(value, **changes):
    found = dict(
        metrics={
            'PCK@0.2': value,
            'PCK@0.2_ci95': 0.01,
            'mPCK': value / 2,
            'NME': 0.25,
        },
        episodes_sha256='abc',
        instances_sha256='def',
        per_episode=[
            {'category_id': 1, 'draw': draw, 'PCK@0.2': value + step}
            for draw, step in enumerate((-0.1, 0.1))
        ],
    )
    return {**found, **changes}


class FakeRunner:
    """Gives CapeFormer 50 %, others 40 %."""

    def result(self, cell):
        if cell.row == 'POMNet':
            raise RuntimeError('failed, see train.log')
        return report(0.5 if cell.row == 'CapeFormer' else 0.4)

    def finished(self, cell):
        return report(0.3) if cell.shots == 1 else None


@pytest.fixture
def fill(tool):
    """Fills the main table; gives the failed and what was written."""

    def run(runner, rows=None):
        table, written = tool.TABLES['main'], []
        failed = tool.measure(
            list(cells_of(table, 'puppets')),
            rows or list(table['rows']),
            runner,
            lambda results: written.append(list(results)),
        )
        return failed, written

    return run


def test_failing_row_does_not_lose_the_others(tool, fill):
    failed, written = fill(FakeRunner())
    assert failed == 2
    assert [len(results) for results in written] == list(range(1, 11))
    table = tool.markdown(tool.TABLES['main'], written[-1])
    assert '| POMNet | puppets | 1 | failed, see train.log' in table
    assert '| MAML | puppets | 1 | 40.00 ± 1.00 | +10.00 ± 0.00 | 20' in table
    assert '| CapeFormer | puppets | 1 | 50.00 ± 1.00 |  | 25.00' in table
    # the reference is the table's last row, whether it is there yet or not
    assert 'CapeFormer is better by' in tool.markdown(
        tool.TABLES['main'], written[0]
    )


def test_rows_that_are_not_asked_for_stay_if_they_were_run(tool, fill):
    failed, written = fill(FakeRunner(), ['MAML'])
    assert failed == 0
    assert [(e['row'], e['shots']) for e in written[-1]] == [
        ('ProtoNet', 1),
        ('MAML', 1),
        ('MAML', 5),
    ]


def test_a_test_on_other_episodes_is_an_error(fill):
    class Changed(FakeRunner):
        def result(self, cell):
            found = report(0.4)
            if cell.row == 'MAML':
                found['episodes_sha256'] = 'an older sampler'
            return found

    failed, written = fill(Changed())
    assert failed == 2
    assert 'other episodes than ProtoNet: remove' in written[-1][2]['error']
    assert 'metrics' in json.loads(json.dumps(written[-1][4]))
