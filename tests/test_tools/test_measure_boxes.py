from __future__ import annotations

import numpy as np
import pytest
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from mmcape.apis.model_loading import load_config


@pytest.fixture
def tool(load_tool):
    return load_tool('analysis_tools/measure_boxes.py')


def test_found_keypoints_of_a_hand_made_pair(tool):
    query = dict(
        bbox=np.array([[0, 0, 100, 50]]),
        keypoints=np.array([[[10, 10], [20, 20], [30, 30], [40, 40]]]),
        keypoints_visible=np.array([[1, 1, 1, 0]]),
    )
    support = dict(keypoints_visible=np.array([[1, 1, 0, 1]]))
    sample = PoseDataSample()
    sample.pred_instances = InstanceData(
        keypoints=query['keypoints'] + np.array([[19, 0]])
    )
    found = tool.found_keypoints(sample, query, support)
    assert found.tolist() == [True, True]
    sample.pred_instances.keypoints[0, 1] += 2
    found = tool.found_keypoints(sample, query, support)
    assert found.tolist() == [True, False]


def test_every_way_is_in_the_table(tool, puppets_dir):
    from mmpose.registry import DATASETS

    cfg = load_config('capeformer_tiny_puppets_1shot')
    data = dict(cfg.test_dataloader.dataset, data_root=str(puppets_dir))
    inferencer = tool.CapeInferencer(cfg, device='cpu')
    rates = tool.measure(inferencer, DATASETS.build(data), 1, 2)
    assert len(rates) == 4 * 3
    text = tool.table(rates)
    assert text.count('\n') == 5
    assert 'whole image, 2 looks' in text
