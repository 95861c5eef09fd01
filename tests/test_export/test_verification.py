from __future__ import annotations

import numpy as np
import pytest
import torch

from mmcape.export import verify
from mmcape.export.verification import SETTINGS, Difference, time_steps


@pytest.mark.parametrize('name', ['capeformer', 'one_stage', 'pomnet'])
def test_files_do_what_torch_does(exported_model, name):
    small = exported_model(name)
    differences = list(verify(small.model, small.exported))
    most = small.model.head.max_keypoints or 100
    settings = [(d.batch, d.shots, d.keypoints) for d in differences]
    assert settings == [(b, s, min(k, most)) for b, s, k in SETTINGS]
    assert max(d.greatest for d in differences) < 1e-4


def test_another_model_is_noticed(capeformer):
    bias = capeformer.model.head.support_proj.bias
    with torch.no_grad():
        bias[3] += 0.01
        differences = list(verify(capeformer.model, capeformer.exported))
        bias[3] -= 0.01
    assert all(d.of_code > 1e-4 for d in differences)


def test_greatest_of_a_difference():
    assert Difference(1, 1, 1, 0.1, 0.3, 0.2).greatest == 0.3
    assert np.isnan(Difference(1, 1, 1, 0.1, np.nan, 0.2).greatest)
    assert Difference(1, 1, 1, np.inf, 0.1, 0.2).greatest == np.inf


def test_times_of_both(capeformer):
    times = time_steps(capeformer.model, capeformer.exported, 1)
    assert list(times) == [(s, b) for b in (1, 8) for s in ('encode', 'match')]
    assert all(min(pair) > 0 for pair in times.values())
