from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate

from mmcape.evaluation import EpisodePCK
from mmcape.structures import points_in_crop
from mmcape.visualization import explain

from .conftest import build_model, small_config


@pytest.fixture(scope='module')
def found(model, episodes):
    dataset, listed = episodes
    return explain(model, dataset[listed[1]])


def test_final_stage_is_the_prediction(found, model, episodes):
    dataset, listed = episodes
    data = model.data_preprocessor(pseudo_collate([dataset[listed[1]]]))
    with torch.no_grad():
        (sample,) = model(**data, mode='predict')
    expected = sample.pred_instances.keypoints[0]
    points = points_in_crop(sample, expected)
    np.testing.assert_allclose(found.points, points, atol=1e-3)
    assert list(found.stages) == ['proposals', 'layer 1', 'layer 2']
    assert not np.allclose(found.stages['proposals'], found.points, atol=0.1)


def test_errors_are_those_of_the_metric(found):
    metric = EpisodePCK()
    metric.process(None, [found.sample.to_dict()])
    scores = metric.results[0]['scores']
    errors = found.errors('layer 2')[found.counted]
    assert errors.mean() == pytest.approx(scores['NME'], rel=1e-4)
    assert (errors < 0.2).mean() == pytest.approx(scores['PCK@0.2'])


def test_attention_of_keypoints_to_patches(found):
    count = len(found.valid)
    assert found.encoder.shape == (1, count, 8, 8)
    assert found.decoder.shape == (2, count, 8, 8)
    np.testing.assert_allclose(found.decoder.sum((2, 3)), 1, atol=1e-5)
    shares = found.encoder.sum((2, 3))
    assert (shares > 0).all()
    assert (shares < 1).all()  # keypoints look at each other as well


def test_model_keeps_its_mode_and_its_random_numbers(model, episodes):
    dataset, listed = episodes
    model.train()
    state = torch.get_rng_state()
    explain(model, dataset[listed[0]])
    assert model.training
    assert model.head.training
    assert torch.equal(torch.get_rng_state(), state)
    model.eval()


@pytest.mark.parametrize(
    ('name', 'stages', 'encoder', 'decoder', 'maps'),
    [
        ('ablation_one-stage_tiny_puppets_1shot', 'proposals', 1, 0, 8),
        (
            'ablation_detr-encoder-one-stage_tiny_puppets_1shot',
            'proposals',
            0,
            0,
            8,
        ),
        ('pomnet_tiny_puppets_1shot', 'prediction', 0, 2, 32),
        ('protonet_tiny_puppets_1shot', 'prediction', 0, 0, 8),
        ('finetune_tiny_puppets_1shot', 'prediction', 0, 0, 16),
        ('copy-support_puppets_1shot', 'prediction', 0, 0, 0),
    ],
)
def test_every_model_is_explained_as_far_as_it_goes(
    name, stages, encoder, decoder, maps, puppets_dir, episodes
):
    cfg = small_config(puppets_dir, name)
    dataset, listed = episodes
    found = explain(build_model(cfg), dataset[listed[0]])
    assert list(found.stages) == [stages]
    for attention, layers in (
        (found.encoder, encoder),
        (found.decoder, decoder),
    ):
        assert (0 if attention is None else len(attention)) == layers
    assert (0 if found.maps is None else found.maps.shape[-1]) == maps
    predicted = found.sample.pred_instances.keypoints[0]
    points = points_in_crop(found.sample, predicted)
    np.testing.assert_allclose(found.points, points, atol=1e-3)
