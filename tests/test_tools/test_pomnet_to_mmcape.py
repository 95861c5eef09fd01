from __future__ import annotations

import json
import re

import pytest
import torch
from mmengine.config import Config
from mmpose.registry import MODELS

from mmcape.testing import make_episode_batch

from .conftest import TOOLS, convert

CONFIG = TOOLS.parent / 'configs/pomnet/pomnet_r50_mp100-split1_1shot.py'


def published_name(name):
    """The other way round, written independently of the converter."""
    for ours, theirs in (
        (r'^(..coder\.)', r'transformer.\1'),
        (r'^support_proj\.', 'published_proj.'),
        (r'^query_proj\.', 'input_proj.'),
        (r'^published_proj\.', 'query_proj.'),
        (r'^matcher\.relation\.', 'relation_model.conv.conv.'),
        (r'^matcher\.relation_norm\.', 'relation_model.conv.bn.'),
        (r'^matcher\.upsample\.', 'deconv_layers.'),
        (r'^matcher\.final\.', 'final_layer.'),
        (r'decoder\.norm\.', 'decoder.post_norm.'),
        (r'\.self_attn\.attention\.', '.attentions.0.attn.'),
        (r'\.cross_attn\.', '.attentions.1.attn.'),
        (r'\.self_attn\.norm\.', '.norms.0.'),
        (r'\.cross_norm\.', '.norms.1.'),
        (r'(encoder.*)\.feed_forward\.norm\.', r'\1.norms.1.'),
        (r'(decoder.*)\.feed_forward\.norm\.', r'\1.norms.2.'),
        (r'\.feed_forward\.linear1\.', '.ffns.0.layers.0.0.'),
        (r'\.feed_forward\.linear2\.', '.ffns.0.layers.1.'),
    ):
        name = re.sub(ours, theirs, name)
    return name


@pytest.fixture(scope='module')
def model():
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(str(CONFIG)).model)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean)
    return model.eval()


@pytest.fixture
def published(model):
    """A full-size file in the published layout."""
    weights = {}
    for name, value in model.state_dict().items():
        part, _, rest = name.partition('.')
        if part == 'head':
            weights[f'keypoint_head.{published_name(rest)}'] = value
        elif part == 'support_backbone':
            weights[f'encoder_sample.{rest}'] = value
        else:
            weights[f'encoder_query.{rest}'] = value
    return dict(meta=dict(epoch=210), state_dict=weights)


def test_layout_of_the_test_is_the_published_one(published, parity_dir):
    names = json.loads((parity_dir / 'pomnet_head_keys.json').read_text())
    ours = {
        name: list(value.shape)
        for name, value in published['state_dict'].items()
        if name.startswith('keypoint_head.')
    }
    assert ours == names


def test_round_trip(model, published, tmp_path):
    result, target = convert(published, tmp_path)
    assert result.returncode == 0, result.stderr
    assert 'POMNet' in result.stdout
    assert 'all matched' in result.stdout

    weights = torch.load(target, weights_only=True)['state_dict']
    assert weights.keys() == model.state_dict().keys()
    for name, value in model.state_dict().items():
        assert torch.equal(weights[name], value), name
    twin = MODELS.build(Config.fromfile(str(CONFIG)).model).eval()
    twin.load_state_dict(weights)
    inputs, _ = make_episode_batch(1, keypoints=2, size=(256, 256))
    with torch.no_grad():
        assert torch.equal(
            twin(inputs, None).heatmaps, model(inputs, None).heatmaps
        )


def test_everything_that_does_not_fit_is_listed(published, tmp_path):
    weights = published['state_dict']
    weights['keypoint_head.extra.weight'] = torch.zeros(1)
    weights['keypoint_head.final_layer.bias'] = torch.zeros(3)
    del weights['keypoint_head.transformer.decoder.post_norm.weight']
    del weights['encoder_sample.conv1.weight']
    result, target = convert(published, tmp_path)
    assert result.returncode == 1
    for complaint in (
        'pomnet_r50_mp100-split1_1shot.py',
        'no place for keypoint_head.extra.weight',
        'final_layer.bias has shape (3,)',
        'nothing found for head.decoder.norm.weight',
        'nothing found for support_backbone.conv1.weight',
    ):
        assert complaint in result.stderr
    assert not target.exists()
