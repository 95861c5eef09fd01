"""A table, from nothing to Markdown."""

from __future__ import annotations

import json


def test_a_row_is_trained_and_tested_once(tools, puppets_dir, tmp_path):
    def reproduce():
        return tools.run(
            'tools/reproduce.py',
            'losses',
            '--rows',
            'heatmap only',
            '--epochs',
            '1',
            '--data-root',
            puppets_dir,
            '--work-dir',
            tmp_path,
        )

    output = reproduce()
    assert output.count('tools/train.py') == output.count('tools/test.py') == 1
    (entry,) = json.loads((tmp_path / 'losses_puppets.json').read_text())
    assert 0 <= entry['metrics']['PCK@0.2'] <= 1
    value = f'{100 * entry["metrics"]["PCK@0.2"]:.2f} ±'
    table = (tmp_path / 'losses_puppets.md').read_text()
    assert f'| heatmap only | puppets | 1 | {value}' in table
    assert table in output

    # a lost report costs a test, a present one nothing
    folder = tmp_path / 'ablation_heatmap-loss-only_tiny_puppets_1shot'
    (folder / 'test_1shot.json').unlink()
    output = reproduce()
    assert output.count('tools/train.py') == 0
    assert output.count('tools/test.py') == 1
    output = reproduce()
    assert 'tools/test.py' not in output
    assert (tmp_path / 'losses_puppets.md').read_text() == table
