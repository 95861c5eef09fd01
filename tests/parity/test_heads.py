"""The heads against the published ones, through the tool for users."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

pytestmark = pytest.mark.parity

GRADIENT = torch.ones(32, 64, 3, 3)
GOLDEN = Path(__file__).parents[1] / 'golden/capeformer_head.pt'
TOOL = Path(__file__).parents[2] / 'tools/analysis_tools/check_parity.py'


def run(*paths):
    return subprocess.run(
        [sys.executable, str(TOOL), *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_capeformer(parity_dir):
    names = ('capeformer_head.pt', 'capeformer_head_learned_identifier.pt')
    result = run(*(parity_dir / name for name in names))
    assert result.returncode == 0, result.stdout + result.stderr
    # 3 cases and 1 case, each with mask, maps, points, losses and gradients
    assert result.stdout.count(' ok\n') == 4 * 15
    assert 'parity holds' in result.stdout


def test_recording_of_our_own():
    """For machines without the published outputs."""
    result = run(GOLDEN)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count(' ok\n') == 2 * 13


@pytest.mark.parametrize(
    ('change', 'complaint'),
    [
        (dict(cases={}), 'no cases'),
        (dict(config=dict(embed=16)), 'does not describe a head'),
        (dict(state_dict={}), 'does not describe a head'),
    ],
)
def test_incomplete_fixture_is_no_parity(change, complaint, tmp_path):
    fixture = torch.load(GOLDEN, weights_only=True)
    path = tmp_path / 'incomplete.pt'
    torch.save({**fixture, **change}, path)
    result = run(path)
    assert result.returncode == 2
    assert complaint in result.stderr


def test_pomnet(parity_dir):
    result = run(parity_dir / 'pomnet_head.pt')
    assert result.returncode == 0, result.stdout + result.stderr
    # 2 cases, each with mask, heatmaps and loss
    assert result.stdout.count(' ok\n') == 2 * 3
    assert 'parity holds' in result.stdout


@pytest.mark.parametrize(
    ('move', 'beyond'),
    [
        (lambda case: case['out_heatmap'][0, 0, 5, 5].add_(1e-4), 'heatmap'),
        (
            lambda case: case['out_loss_padded100'].update(mse_loss=6.9e-4),
            'loss_heatmap',
        ),
        (
            lambda case: case.update(
                grad={'relation_model.conv.conv.weight': GRADIENT}
            ),
            'gradient of relation_model.conv.conv.weight',
        ),
    ],
)
def test_tool_fails_on_a_difference_of_pomnet(
    parity_dir, tmp_path, move, beyond
):
    fixture = torch.load(parity_dir / 'pomnet_head.pt', weights_only=True)
    fixture['cases'] = {'1shot': fixture['cases']['1shot']}
    move(fixture['cases']['1shot'])
    path = tmp_path / 'moved.pt'
    torch.save(fixture, path)
    result = run(path)
    assert result.returncode == 1
    (line,) = (x for x in result.stdout.splitlines() if 'BEYOND' in x)
    assert line.strip().startswith(beyond)


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
