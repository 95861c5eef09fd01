from __future__ import annotations

import json
import subprocess
import sys

import pytest

from .conftest import TOOLS


def test_models_side_by_side(tmp_path):
    names = [
        f'{method}_tiny_puppets_1shot' for method in ('capeformer', 'maml')
    ]
    configs = [f'configs/{n.split("_")[0]}/{n}.py' for n in names]
    options = ['--keypoints', '9', '--repeats', '1', '--out', tmp_path / 'e']
    output = subprocess.run(
        [sys.executable, TOOLS / 'analysis_tools/measure_efficiency.py']
        + [*configs, *map(str, options)],
        cwd=TOOLS.parent,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rows = json.loads((tmp_path / 'e.json').read_text())
    assert [row['name'] for row in rows] == names
    assert (tmp_path / 'e.md').read_text() in output
    for row in rows:
        assert row['fps'] > 0
        assert row['peak_memory_mib'] > 0
    # two images through half a ResNet-18 of three stages at 128 px: stem
    # 19.3 M, stages 37.7 M, 33.6 M and 33.6 M multiply-adds each
    images = 2 * 2 * (19.3 + 37.7 + 33.6 + 33.6) / 1e3
    assert rows[0]['gflops'] == pytest.approx(images, rel=0.25)
    assert rows[0]['gflops'] > images
