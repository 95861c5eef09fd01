from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.registry import MODELS

from mmcape.apis.episode_sets import open_episodes
from mmcape.apis.model_loading import load_config
from mmcape.structures import EpisodeDataSample
from mmcape.visualization import Crop, Explanation

NAME = 'capeformer_tiny_puppets_1shot'


def small_config(puppets_dir, name=NAME):
    cfg = load_config(name)
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if cfg.get(name) is not None:
            cfg[name].dataset.data_root = str(puppets_dir)
    cfg.test_dataloader.sampler.update(num_queries=2, num_episodes=1)
    return cfg


def build_model(cfg):
    """The config's model with random weights, awake in every part."""
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.init_weights()
    for parameter in model.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return model.eval()


@pytest.fixture(scope='session')
def config(puppets_dir):
    return small_config(puppets_dir)


@pytest.fixture(scope='session')
def episodes(config):
    """A data set, and test episodes of it."""
    return open_episodes(config, 'test')


@pytest.fixture(scope='session')
def model(config):
    return build_model(config)


@pytest.fixture
def fabricated():
    """An explanation with the answers that a test wants."""

    def make(count=5, stages=('proposals', 'layer 1'), size=(64, 48)):
        rng = np.random.default_rng(0)
        keypoints = rng.uniform(0.2, 0.8, (count, 2)) * size
        crop = Crop(
            np.full((size[1], size[0], 3), 90, np.uint8),
            keypoints,
            np.ones(count, bool),
        )
        sample = EpisodeDataSample(
            metainfo=dict(
                category_id=1,
                category_name='cat',
                episode_index=3,
                img_path='a/cat.jpg',
                input_size=size,
                input_scale=(2 * size[0], 2 * size[1]),
            )
        )
        sample.gt_instances = InstanceData(
            bboxes=np.array([[10.0, 20.0, 110.0, 60.0]])
        )
        maps = rng.random((count, 6, 8)).astype(np.float32)
        return Explanation(
            sample=sample,
            support=(crop,),
            query=crop,
            valid=np.ones(count, bool),
            stages={name: keypoints + 10.0 for name in stages},
            scores=np.ones(count),
            maps=maps,
            encoder=maps[None] / 100,
            decoder=maps[None] / maps.sum(axis=(1, 2))[:, None, None],
        )

    return make
