from __future__ import annotations

import numpy as np
import pytest
import torch
from mmpose.registry import DATASETS

from mmcape.apis import CapeInferencer
from mmcape.apis.model_loading import load_config

CONFIG = 'capeformer_tiny_puppets_1shot'


@pytest.fixture(scope='session')
def weights(tmp_path_factory):
    """A checkpoint of the small CapeFormer that was not trained."""
    from mmpose.registry import MODELS

    torch.manual_seed(0)
    model = MODELS.build(load_config(CONFIG).model)
    model.init_weights()
    # answers that depend on the query as those of a trained model do
    for branch in model.head.decoder.offset_branches:
        torch.nn.init.normal_(branch.layers[-1].weight, std=0.1)
    path = tmp_path_factory.mktemp('weights') / 'random.pth'
    torch.save(dict(state_dict=model.state_dict()), path)
    return str(path)


@pytest.fixture(scope='session')
def inferencer(weights):
    return CapeInferencer(CONFIG, weights, device='cpu')


@pytest.fixture(scope='session')
def dataset(puppets_dir):
    """The instances of the tests' Puppets, as the benchmark has them."""
    data = dict(
        load_config(CONFIG).test_dataloader.dataset,
        data_root=str(puppets_dir),
    )
    return DATASETS.build(data)


@pytest.fixture(scope='session')
def instances(dataset):
    """The eight instances of one category."""
    (positions, *_) = dataset.category_instances().values()
    return [dataset.get_data_info(i) for i in positions]


@pytest.fixture
def ready(inferencer, instances):
    """The inferencer with the first instance as its support."""
    use(inferencer, instances[:1])
    return inferencer


def use(inferencer, shots):
    inferencer.set_support(
        [one['img_path'] for one in shots],
        np.concatenate([one['keypoints'] for one in shots]),
        boxes=np.concatenate([one['bbox'] for one in shots]),
        visible=np.concatenate([one['keypoints_visible'] for one in shots]),
    )
