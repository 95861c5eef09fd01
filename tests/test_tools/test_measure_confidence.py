from __future__ import annotations

import numpy as np
import pytest

from mmcape.apis.model_loading import load_config


@pytest.fixture
def tool(load_tool):
    return load_tool('analysis_tools/measure_confidence.py')


def test_ranking_of_hand_made_confidences(tool):
    right = np.array([True, False, True, False])
    assert tool.auroc(np.array([0.9, 0.1, 0.8, 0.2]), right) == 1
    assert tool.auroc(np.array([0.1, 0.9, 0.2, 0.8]), right) == 0
    assert tool.auroc(np.full(4, 0.5), right) == 0.5
    # one of four comparisons lost
    assert tool.auroc(np.array([0.9, 0.1, 0.3, 0.4]), right) == 0.75


def test_area_under_risk_and_coverage(tool):
    right = np.array([True, False, True])
    confidence = np.array([0.9, 0.5, 0.1])
    expected = np.mean([0, 1 / 2, 1 / 3])
    assert tool.aurc(confidence, right) == pytest.approx(expected)


def test_calibration_error_is_that_of_the_bins(tool):
    confidence = np.array([0.95] * 4 + [0.05] * 4)
    right = np.array([True] * 3 + [False] * 5)
    expected = (abs(0.95 - 0.75) + 0.05) / 2
    assert tool.calibration_error(confidence, right) == pytest.approx(expected)


def test_map_is_fitted_on_the_other_categories(tool):
    rng = np.random.default_rng(0)
    chance = rng.random(20000)
    right = rng.random(20000) < chance
    category = np.arange(20000) % 4
    confidence = chance**4  # ranks well, promises too little
    assert tool.calibration_error(confidence, right) > 0.2
    mapped = tool.crossed_calibration_error(confidence, right, category)
    assert mapped < 0.03


def test_measurement_of_a_random_model(tool, puppets_dir):
    from mmpose.registry import DATASETS

    cfg = load_config('capeformer_tiny_puppets_1shot')
    data = dict(cfg.test_dataloader.dataset, data_root=str(puppets_dir))
    data['ann_file'] = 'annotations/puppets_train.json'
    dataset = DATASETS.build(data)
    model = tool.build_model(cfg, None, 'cpu')
    found = tool.Measurement(model, dataset, 8)
    groups = {
        key: (value * 3)[:16]
        for key, value in dataset.category_instances().items()
    }
    values = found.run(groups, 1)
    count = len(values['right'])
    assert count > 0
    assert all(len(value) == count for value in values.values())
    rows = tool.score(values)
    assert {row['name'] for row in rows} >= {'peak_mass', 'cycle'}
    assert 'peak_mass' in tool.table(rows)
