from __future__ import annotations

import random

import cv2
import numpy as np
import pytest
from mmpose.registry import DATASETS

from mmcape.apis.model_loading import load_config


@pytest.fixture
def tool(load_tool):
    return load_tool('analysis_tools/measure_following.py')


def test_clip_moves_the_picture(tool, tmp_path):
    path = str(tmp_path / 'a.png')
    picture = np.random.default_rng(0).integers(0, 255, (50, 400, 3), np.uint8)
    cv2.imwrite(path, picture)
    clip = tool.make_clip(dict(img_path=path), random.Random(0))
    xs = clip.offsets[:, 0]
    assert xs.tolist() == [min(xs[0] + 7 * step, 80) for step in range(10)]
    for frame, (x, y) in zip(clip.frames, clip.offsets):
        assert np.array_equal(frame[y : y + 50, x : x + 400], picture)


def test_every_search_is_in_the_table(tool, puppets_dir):
    cfg = load_config('capeformer_tiny_puppets_1shot')
    data = dict(cfg.test_dataloader.dataset, data_root=str(puppets_dir))
    inferencer = tool.CapeInferencer(cfg, device='cpu')
    rates = tool.measure(inferencer, DATASETS.build(data), 1)
    assert len(rates) == 7
    # without following, frames of one clip differ in nothing but the place
    first, later = rates['annotated boxes']
    assert first == pytest.approx(later, abs=0.1)
    assert 'following from the annotated box' in tool.table(rates)
