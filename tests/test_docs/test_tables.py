"""The page of tables says what the committed results say."""

from __future__ import annotations

import json
from pathlib import Path

import mmengine
import pytest

from mmcape.evaluation.paper_tables import (
    cells_of,
    markdown,
    other_episodes,
)

ROOT = Path(__file__).parents[2]
TABLES = mmengine.load(ROOT / 'tools/tables.yml')
PAGE = (ROOT / 'docs/tables.md').read_text('utf-8')


@pytest.mark.parametrize(
    'name', ['main', 'components', 'losses', 'identifiers']
)
def test_page_shows_the_results_of_the_configs(name):
    path = ROOT / f'docs/data/tables_{name}.json'
    results = json.loads(path.read_text('utf-8'))
    cells = [vars(cell) for cell in cells_of(TABLES[name], 'puppets')]
    fields = cells[0].keys()
    assert [{key: one[key] for key in fields} for one in results] == cells
    assert markdown(TABLES[name], results) in PAGE
    for entry in results:
        assert other_episodes(entry, results) is None
        assert entry['episodes_sha256'][:12] in PAGE
