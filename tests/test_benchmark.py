"""The published way computes what ours does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmpose.registry import MODELS

from mmcape.benchmark.plain_procedure import (
    LoopedMatcher,
    UpsampledPooling,
    dense_targets,
    plain_attention,
    plain_model,
)
from mmcape.benchmark.timing import Comparison, medians, peak_of
from mmcape.codecs import SeparableGaussian
from mmcape.models.layers import HeatmapMatcher, KeypointPooling
from mmcape.testing import make_episode_batch

ROOT = Path(__file__).parents[1]


@pytest.fixture
def codec():
    return SeparableGaussian((128, 128), (32, 32), sigma=1.0)


def test_upsampled_pooling(codec):
    features = torch.randn(2, 3, 16, 8, 8)
    keypoints = 127 * torch.rand(2, 3, 5, 2)
    keypoints[0, 0, 0] = -30  # nothing to pool
    torch.testing.assert_close(
        UpsampledPooling()(features, keypoints, codec),
        KeypointPooling()(features, keypoints, codec),
        atol=1e-5,
        rtol=0,
    )


@torch.no_grad()
def test_looped_matcher():
    matcher = HeatmapMatcher(16, deconv_channels=8, num_deconvs=2).eval()
    query, tokens = torch.randn(2, 64, 16), torch.randn(2, 5, 16)
    valid = torch.ones(2, 5, dtype=torch.bool)
    torch.testing.assert_close(
        LoopedMatcher(matcher)(query, tokens, valid, (8, 8)),
        matcher(query, tokens, valid, (8, 8)),
        atol=1e-5,
        rtol=0,
    )


def test_peak_memory():
    def work():
        first = torch.zeros(2**20)  # 4 MiB
        second = first + 1  # 4 more
        del first
        return torch.cat([second, second])  # 8 more

    assert peak_of(work) == pytest.approx(12, abs=0.01)


def test_dense_targets(codec):
    keypoints = 127 * torch.rand(5, 2)
    visible = torch.tensor([True, True, False, True, True])
    targets = dense_targets(keypoints.numpy(), visible.numpy(), codec)
    assert targets.shape == (100, 32, 32)
    expected = codec.heatmaps(keypoints) * visible[:, None, None]
    torch.testing.assert_close(torch.from_numpy(targets[:5]), expected)
    assert targets[5:].sum() == 0


@torch.no_grad()
@pytest.mark.parametrize('method', ['capeformer', 'pomnet', 'protonet'])
def test_plain_model(method):
    name = f'configs/{method}/{method}_tiny_puppets_1shot.py'
    cfg = Config.fromfile(ROOT / name)
    model = MODELS.build(cfg.model).eval()
    inputs, _ = make_episode_batch(keypoints=5)
    with plain_attention():
        plain = plain_model(model)(inputs, None).points
    torch.testing.assert_close(
        plain, model(inputs, None).points, atol=1e-5, rtol=0
    )


def test_medians_are_taken_in_turns():
    order = []
    times = medians(
        dict(a=lambda: order.append('a'), b=lambda: order.append('b')), 3
    )
    assert order == ['a', 'b'] * 4  # one round to warm up
    assert set(times) == {'a', 'b'}
    assert min(times.values()) > 0
    assert Comparison('', '', plain=3.0, ours=2.0).ratio == 1.5


def test_tool_measures_every_part(puppets_dir, tmp_path):
    config = 'configs/capeformer/capeformer_tiny_puppets_1shot.py'
    options = ['--repeats', '1', '--keypoints', '6', '--batch', '2']
    output = subprocess.run(
        [
            sys.executable,
            'tools/analysis_tools/benchmark.py',
            config,
            *options,
            '--data-root',
            puppets_dir,
            '--out',
            tmp_path,
            '--parts',
            *('pooling', 'backbone', 'head', 'interactive', 'evaluation'),
            *('training', 'growth'),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    report = json.loads((tmp_path / 'benchmark.json').read_text())
    parts = [row['part'] for row in report['rows']]
    assert parts == [
        'pooling',
        'backbone',
        'head',
        'interactive',
        'evaluation',
        'evaluation',
        'training step',
    ]
    for row in report['rows']:
        assert row['ratio'] == pytest.approx(row['plain'] / row['ours'])
        assert f'| {row["part"]} | {row["setting"]} |' in output
    assert len(report['growth']) == 4
    assert (tmp_path / 'growth.png').stat().st_size > 1000
