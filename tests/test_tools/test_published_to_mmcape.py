from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
import torch
from mmengine.config import Config
from mmpose.registry import MODELS

from mmcape.testing import make_episode_batch

from .conftest import TOOLS

CONVERTER = TOOLS / 'model_converters/published_to_mmcape.py'
# our names of a head -> published ones, written independently of the converter
HEAD_NAMES = {
    'CapeFormer': (
        (r'^encoder\.', 'transformer.encoder.'),
        (r'^support_proj\.', 'published_proj.'),
        (r'^query_proj\.', 'input_proj.'),
        (r'^published_proj\.', 'query_proj.'),
        (r'^proposal_generator\.', 'transformer.proposal_generator.'),
        (r'\.keypoint_proj\.', '.support_proj.'),
        (r'\.channel_attention\.', '.dynamic_proj.'),
        (r'^decoder\.position_mlp', 'transformer.decoder.ref_point_head'),
        (r'\.self_attn\.attention\.', '.self_attn.'),
        (r'\.self_attn\.norm\.', '.norm1.'),
        (r'\.cross_norm\.', '.norm2.'),
        (r'(encoder.*)\.feed_forward\.norm\.', r'\1.norm2.'),
        (r'(decoder.*)\.feed_forward\.norm\.', r'\1.norm3.'),
        (r'\.feed_forward\.', '.'),
        (r'\.cross_attn\.', '.multihead_attn.'),
        (r'\.cross_proj\.', '.choker.'),
        (
            r'^decoder\.offset_branches\.(\d)\.layers\.(\d)',
            lambda match: f'kpt_branch.{match[1]}.mlp.{2 * int(match[2])}',
        ),
        (r'^decoder\.', 'transformer.decoder.'),
    ),
    'POMNet': (
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
    ),
}
# CapeFormer has one backbone, published twice
BACKBONE_NAMES = {
    'CapeFormer': dict(backbone=('encoder_sample', 'encoder_query')),
    'POMNet': dict(
        backbone=('encoder_query',), support_backbone=('encoder_sample',)
    ),
}


@pytest.fixture(scope='module', params=HEAD_NAMES)
def method(request):
    return request.param


def config_of(method):
    name = method.lower()
    path = f'configs/{name}/{name}_r50_mp100-split1_1shot.py'
    return TOOLS.parent / path


def build(method):
    return MODELS.build(Config.fromfile(str(config_of(method))).model).eval()


@pytest.fixture(scope='module')
def model(method):
    torch.manual_seed(0)
    model = build(method)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean)
    return model


@pytest.fixture
def published(method, model):
    """A full-size file in the published layout."""
    weights = {}
    for name, value in model.state_dict().items():
        part, _, rest = name.partition('.')
        if part == 'head':
            for ours, theirs in HEAD_NAMES[method]:
                rest = re.sub(ours, theirs, rest)
        for prefix in BACKBONE_NAMES[method].get(part, ('keypoint_head',)):
            weights[f'{prefix}.{rest}'] = value
    return dict(meta=dict(epoch=200), state_dict=weights)


def convert(content, tmp_path):
    """Run the converter on a checkpoint; its result and what it wrote."""
    source, target = tmp_path / 'published.pth', tmp_path / 'ours.pth'
    torch.save(content, source)
    result = subprocess.run(
        [sys.executable, CONVERTER, source, target],
        capture_output=True,
        text=True,
        check=False,
    )
    return result, target


def test_layout_of_the_test_is_the_published_one(
    method, published, parity_dir
):
    recorded = parity_dir / f'{method.lower()}_head_keys.json'
    ours = {
        name: list(value.shape)
        for name, value in published['state_dict'].items()
        if name.startswith('keypoint_head.')
    }
    assert ours == json.loads(recorded.read_text())


def test_round_trip(method, model, published, tmp_path):
    result, target = convert(published, tmp_path)
    assert result.returncode == 0, result.stderr
    assert method in result.stdout
    assert 'all matched' in result.stdout

    weights = torch.load(target, weights_only=True)['state_dict']
    assert weights.keys() == model.state_dict().keys()
    for name, value in model.state_dict().items():
        assert torch.equal(weights[name], value), name
    twin = build(method)
    twin.load_state_dict(weights)
    inputs, _ = make_episode_batch(1, keypoints=2, size=(256, 256))
    with torch.no_grad():
        expected, found = model(inputs, None), twin(inputs, None)
    for name, value in {**vars(expected), 'scores': expected.scores}.items():
        if isinstance(value, torch.Tensor):
            assert torch.equal(getattr(found, name), value), name


def test_everything_that_does_not_fit_is_listed(method, published, tmp_path):
    weights = published['state_dict']
    weights['keypoint_head.extra.weight'] = torch.zeros(1)
    weights['keypoint_head.input_proj.bias'] = torch.zeros(3)
    if method == 'CapeFormer':
        del weights['keypoint_head.transformer.decoder.norm.weight']
        weights['encoder_query.conv1.weight'] = torch.zeros(64, 3, 7, 7)
        complaint = 'two backbones'
    else:
        del weights['keypoint_head.transformer.decoder.post_norm.weight']
        del weights['encoder_sample.conv1.weight']
        complaint = 'nothing found for support_backbone.conv1.weight'
    result, target = convert(published, tmp_path)
    assert result.returncode == 1
    for expected in (
        config_of(method).name,
        'no place for keypoint_head.extra.weight',
        'input_proj.bias has shape (3,)',
        'nothing found for head.decoder.norm.weight',
        complaint,
    ):
        assert expected in result.stderr
    assert not target.exists()


class Evil:
    def __reduce__(self):
        return print, ('code of the file ran',)


@pytest.mark.parametrize(
    ('content', 'complaint'),
    [
        (dict(state_dict={'backbone.x': torch.zeros(1)}), 'not a published'),
        ([1, 2], 'holds no weights by name'),
        (dict(state_dict=Evil()), 'cannot be read'),
    ],
)
def test_other_files_are_refused(content, complaint, tmp_path):
    result, target = convert(content, tmp_path)
    assert result.returncode == 1
    assert complaint in result.stderr
    assert 'code of the file ran' not in result.stdout
    assert not target.exists()
