from __future__ import annotations

import json
import re

import pytest
import torch
from mmengine.config import Config
from mmpose.registry import MODELS

from mmcape.testing import make_episode_batch

from .conftest import TOOLS, convert

CONFIG = (
    TOOLS.parent / 'configs/capeformer/capeformer_r50_mp100-split1_1shot.py'
)


def published_name(name):
    """The other way round, written independently of the converter."""
    for ours, theirs in (
        (r'^encoder\.', 'transformer.encoder.'),
        (r'^support_proj\.', 'published_proj.'),
        (r'^query_proj\.', 'input_proj.'),
        (r'^published_proj\.', 'query_proj.'),
        (
            r'^proposal_generator\.keypoint_proj',
            'transformer.proposal_generator.support_proj',
        ),
        (
            r'^proposal_generator\.channel_attention',
            'transformer.proposal_generator.dynamic_proj',
        ),
        (r'^proposal_generator\.', 'transformer.proposal_generator.'),
        (r'^decoder\.position_mlp', 'transformer.decoder.ref_point_head'),
        (r'\.self_attn\.attention\.', '.self_attn.'),
        (r'\.self_attn\.norm\.', '.norm1.'),
        (r'\.cross_norm\.', '.norm2.'),
        (r'(encoder.*)\.feed_forward\.norm\.', r'\1.norm2.'),
        (r'(decoder.*)\.feed_forward\.norm\.', r'\1.norm3.'),
        (r'\.feed_forward\.', '.'),
        (r'\.cross_attn\.', '.multihead_attn.'),
        (r'\.cross_proj\.', '.choker.'),
    ):
        name = re.sub(ours, theirs, name)
    branch = re.match(
        r'decoder\.offset_branches\.(\d)\.layers\.(\d)\.(.*)', name
    )
    if branch:
        number, layer, kind = branch.groups()
        return f'kpt_branch.{number}.mlp.{2 * int(layer)}.{kind}'
    return re.sub(r'^decoder\.', 'transformer.decoder.', name)


@pytest.fixture(scope='module')
def model():
    torch.manual_seed(0)
    cfg = Config.fromfile(str(CONFIG))
    cfg.model.backbone.init_cfg = None
    return MODELS.build(cfg.model).eval()


@pytest.fixture
def published(model):
    """A full-size file in the published layout."""
    weights = {}
    for name, value in model.state_dict().items():
        part, _, rest = name.partition('.')
        if part == 'head':
            weights[f'keypoint_head.{published_name(rest)}'] = value
        else:
            weights[f'encoder_sample.{rest}'] = value
            weights[f'encoder_query.{rest}'] = value
    return dict(meta=dict(epoch=200), state_dict=weights)


def test_layout_of_the_test_is_the_published_one(published, parity_dir):
    names = json.loads((parity_dir / 'capeformer_head_keys.json').read_text())
    ours = {
        name: list(value.shape)
        for name, value in published['state_dict'].items()
        if name.startswith('keypoint_head.')
    }
    assert ours == names


def test_round_trip(model, published, tmp_path):
    result, target = convert(published, tmp_path)
    assert result.returncode == 0, result.stderr
    assert 'CapeFormer' in result.stdout
    assert 'all matched' in result.stdout

    weights = torch.load(target, weights_only=True)['state_dict']
    for name, value in model.state_dict().items():
        assert torch.equal(weights[name], value), name
    twin = MODELS.build(Config.fromfile(str(CONFIG)).model).eval()
    twin.load_state_dict(weights)
    inputs, _ = make_episode_batch(1, size=(256, 256))
    with torch.no_grad():
        assert torch.equal(
            twin(inputs, None).points, model(inputs, None).points
        )


def test_everything_that_does_not_fit_is_listed(published, tmp_path):
    weights = published['state_dict']
    weights['keypoint_head.extra.weight'] = torch.zeros(1)
    weights['keypoint_head.input_proj.bias'] = torch.zeros(3)
    del weights['keypoint_head.transformer.decoder.norm.weight']
    weights['encoder_query.conv1.weight'] = torch.zeros(64, 3, 7, 7)
    result, target = convert(published, tmp_path)
    assert result.returncode == 1
    for complaint in (
        'no place for keypoint_head.extra.weight',
        'input_proj.bias has shape (3,)',
        'nothing found for head.decoder.norm.weight',
        'two backbones',
    ):
        assert complaint in result.stderr
    assert not target.exists()


class Evil:
    def __reduce__(self):
        return print, ('code of the file ran',)


@pytest.mark.parametrize(
    ('content', 'complaint'),
    [
        (dict(state_dict={'backbone.x': torch.zeros(1)}), 'not a published'),
        ([1, 2], 'not a published'),
        (dict(state_dict=Evil()), 'cannot be read'),
    ],
)
def test_other_files_are_refused(content, complaint, tmp_path):
    result, target = convert(content, tmp_path)
    assert result.returncode == 1
    assert complaint in result.stderr
    assert 'code of the file ran' not in result.stdout
    assert not target.exists()
