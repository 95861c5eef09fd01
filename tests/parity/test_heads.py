"""The head against the published one, through the tool for users."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

pytestmark = pytest.mark.parity

TOOL = Path(__file__).parents[2] / 'tools/analysis_tools/check_parity.py'


def run(*paths):
    return subprocess.run(
        [sys.executable, str(TOOL), *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_parity(parity_dir):
    names = ('capeformer_head.pt', 'capeformer_head_learned_identifier.pt')
    result = run(*(parity_dir / name for name in names))
    assert result.returncode == 0, result.stdout + result.stderr
    # 3 cases and 1 case, each with mask, maps, points, losses and gradients
    assert result.stdout.count(' ok\n') == 4 * 15
    assert 'parity holds' in result.stdout


def test_tool_fails_on_a_difference(parity_dir, tmp_path):
    fixture = torch.load(parity_dir / 'capeformer_head.pt', weights_only=True)
    fixture['cases'] = {'1shot': fixture['cases']['1shot']}
    fixture['cases']['1shot']['out_layers'][1, 0, 0, 0] += 1e-4
    path = tmp_path / 'moved.pt'
    torch.save(fixture, path)
    result = run(path)
    assert result.returncode == 1
    beyond = [x for x in result.stdout.splitlines() if 'BEYOND' in x]
    assert len(beyond) == 1
    assert 'layer 1' in beyond[0]


def test_tool_names_what_is_no_fixture(parity_dir, tmp_path):
    path = tmp_path / 'annotations.pt'
    shutil.copy(parity_dir / 'datapath_tiny.pt', path)
    result = run(path)
    assert result.returncode == 2
    assert 'annotations.pt' in result.stderr
