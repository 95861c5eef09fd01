"""Tables of methods beside the paper's numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .functional import paired_difference

Entry = dict[str, Any]
"""A cell's fields, and ``metrics``, hashes and ``per_episode`` of its test, or
an ``error``."""

MEAN = 'mean'
"""Names the column that holds the mean of the others."""

_SAME = ('episodes_sha256', 'instances_sha256')


@dataclass(frozen=True)
class Cell:
    """One number of a table: a config, tested with some shots."""

    row: str
    column: str
    shots: int
    config: str
    paper: float | None


def cells_of(table: Mapping[str, Any], benchmark: str) -> Iterator[Cell]:
    """The numbers of a table, row by row.

    Args:
        table: One of ``tools/tables.yml``.
        benchmark: 'mp100', or 'puppets' for one column in place of all.
    """
    for name, row in table['rows'].items():
        for shots in table['shots']:
            columns = table['columns']
            paper = row.get('paper', {}).get(shots) or [None] * len(columns)
            if benchmark == 'puppets':
                # an ablation's only number, or the mean of all columns
                value = paper[0 if len(columns) == 1 else -1]
                columns, paper = ['puppets'], [value]
            for column, value in zip(columns, paper):
                config = row[benchmark].format(column=column, shots=shots)
                yield Cell(name, column, shots, config, value)


def other_episodes(entry: Entry, results: Iterable[Entry]) -> str | None:
    """The row that was tested on other episodes than an entry, if any."""
    for other in results:
        if 'error' in other or not _comparable(entry, other):
            continue
        if any(entry[key] != other[key] for key in _SAME):
            return str(other['row'])
    return None


def markdown(table: Mapping[str, Any], results: list[Entry]) -> str:
    """A table of results beside the paper's numbers.

    Each row is compared with the table's last one on the same episodes: the
    interval of a paired difference is narrower than those of the two. Where a
    table has several columns and the paper gives their mean, so do we.
    """
    last = list(table['rows'])[-1]
    lines = [
        f'### {table["title"]}',
        '',
        f'| | on | shots | PCK@0.2 | {last} is better by | mPCK | NME '
        '| paper (MP-100) |',
        '|---|---|---|---|---|---|---|---|',
    ]
    for entry in results:
        lines.append(_line(entry, _gap(entry, last, results)))
        group = [one for one in results if _group(one) == _group(entry)]
        if entry is group[-1] and _is_whole(table, group):
            lines.append(_mean_line(table, group, last, results))
    return '\n'.join(lines) + '\n'


def _comparable(entry: Entry, other: Entry) -> bool:
    return (entry['column'], entry['shots']) == (
        other['column'],
        other['shots'],
    )


def _group(entry: Entry) -> tuple[str, int]:
    return entry['row'], entry['shots']


def _line(entry: Entry, gap: tuple[float, float] | None) -> str:
    """A number's line."""
    paper = '' if entry['paper'] is None else f'{entry["paper"]:.2f}'
    if 'error' in entry:
        numbers = f'{" ".join(entry["error"].split())} | | |'
    else:
        m = entry['metrics']
        difference = '' if gap is None else f'{gap[0]:+.2f} ± {gap[1]:.2f}'
        numbers = (
            f'{100 * m["PCK@0.2"]:.2f}{_plus_minus(m)} | {difference} | '
            f'{100 * m["mPCK"]:.2f} | {m["NME"]:.3f}'
        )
    return (
        f'| {entry["row"]} | {entry["column"]} | {entry["shots"]} | '
        f'{numbers} | {paper} |'
    )


def _plus_minus(metrics: Mapping[str, float]) -> str:
    """The interval, which a test of a single episode has not."""
    half = metrics.get('PCK@0.2_ci95')
    return '' if half is None else f' ± {100 * half:.2f}'


def _gap(
    entry: Entry, last: str, results: list[Entry]
) -> tuple[float, float] | None:
    """How much better the last row is, in percent, with the interval."""
    if entry['row'] == last or 'error' in entry:
        return None
    others = [
        other
        for other in results
        if other['row'] == last
        and 'error' not in other
        and _comparable(entry, other)
    ]
    if not others:
        return None
    scores = [
        {
            (e['category_id'], e['draw']): e['PCK@0.2']
            for e in one['per_episode']
        }
        for one in (entry, others[0])
    ]
    difference, half = paired_difference(*scores)
    return 100 * difference, 100 * half


def _is_whole(table: Mapping[str, Any], group: list[Entry]) -> bool:
    """Whether the mean of these can stand beside the paper's."""
    columns = table['columns']
    return (
        [entry['column'] for entry in group] == columns
        and len(columns) > 1
        and _paper_mean(table, group[0]) is not None
        and all('error' not in entry for entry in group)
    )


def _paper_mean(table: Mapping[str, Any], entry: Entry) -> float | None:
    row = table['rows'][entry['row']]
    value: float | None = row['paper'][entry['shots']][-1]
    return value


def _mean_line(
    table: Mapping[str, Any],
    group: list[Entry],
    last: str,
    results: list[Entry],
) -> str:
    """The mean of all columns; their intervals are independent."""
    metrics = {
        name: float(np.mean([entry['metrics'][name] for entry in group]))
        for name in ('PCK@0.2', 'mPCK', 'NME')
    }
    halves = [entry['metrics'].get('PCK@0.2_ci95') for entry in group]
    if None not in halves:
        metrics['PCK@0.2_ci95'] = _mean_interval(halves)
    gaps = [_gap(entry, last, results) for entry in group]
    known = [gap for gap in gaps if gap is not None]
    gap = None
    if len(known) == len(group):
        difference = float(np.mean([one[0] for one in known]))
        gap = difference, _mean_interval([one[1] for one in known])
    paper = _paper_mean(table, group[0])
    mean = dict(group[0], column=MEAN, paper=paper, metrics=metrics)
    return _line(mean, gap)


def _mean_interval(halves: list[Any]) -> float:
    """Half the interval of a mean of independent numbers."""
    return float(np.sqrt(np.sum(np.square(halves))) / len(halves))
