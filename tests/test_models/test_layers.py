from __future__ import annotations

import math

import pytest
import torch
from mmpose.registry import MODELS

from mmcape.models.layers import ProposalGenerator
from mmcape.models.layers.coordinates import cell_centres, inverse_sigmoid
from mmcape.models.layers.mlp import MLP
from mmcape.models.layers.positional_encoding import (
    encode_grid,
    encode_points,
    sine_code,
)


def build(kind, **kwargs):
    return MODELS.build(dict(type=kind, **kwargs)).eval()


def test_sine_code_interleaves_sine_and_cosine():
    code = sine_code(torch.tensor(0.3), 4)
    expected = [
        math.sin(0.3),
        math.cos(0.3),
        math.sin(0.3 / 100),
        math.cos(0.3 / 100),
    ]
    torch.testing.assert_close(code, torch.tensor(expected))


def test_grid_code_of_the_last_cell_is_the_code_of_the_far_corner():
    grid = encode_grid((4, 6), 32)
    corner = encode_points(torch.ones(2), 32)
    torch.testing.assert_close(grid[-1], corner, atol=1e-4, rtol=0)


def test_point_code_has_the_y_half_first():
    a, b = encode_points(torch.tensor([[0.2, 0.7], [0.9, 0.7]]), 16)
    assert torch.equal(a[:8], b[:8])
    assert not torch.equal(a[8:], b[8:])


def test_identifier_does_not_depend_on_the_number_of_keypoints():
    identifier = build('SineKeypointIdentifier', embed_dims=32, length=100)
    cpu = torch.device('cpu')
    assert torch.equal(identifier(5, cpu), identifier(250, cpu)[:5])


def test_learned_identifier_refuses_too_many_keypoints():
    identifier = build('LearnedKeypointIdentifier', embed_dims=8, length=4)
    assert identifier(4, torch.device('cpu')).shape == (4, 8)
    with pytest.raises(ValueError, match='5 keypoints.* has 4'):
        identifier(5, torch.device('cpu'))


def test_inverse_sigmoid_is_bounded():
    x = torch.tensor([0.0, 0.5, 1.0])
    bound = math.log(1 / 1e-3)
    torch.testing.assert_close(
        inverse_sigmoid(x), torch.tensor([-bound, 0.0, bound])
    )


def test_cell_centres_of_a_map_that_is_not_square():
    centres = cell_centres((2, 4))
    assert centres[0].tolist() == [0.125, 0.25]
    assert centres[5].tolist() == [0.375, 0.75]


def test_mlp_widths():
    mlp = MLP(4, 8, 2, num_layers=3)
    shapes = [tuple(layer.weight.shape) for layer in mlp.layers]
    assert shapes == [(8, 4), (8, 8), (2, 8)]
    with pytest.raises(ValueError, match='num_layers'):
        MLP(4, 8, 2, num_layers=0)


@pytest.fixture
def tokens():
    torch.manual_seed(0)
    return dict(
        query_tokens=torch.randn(2, 12, 16),
        query_position=encode_grid((3, 4), 16),
        keypoint_tokens=torch.randn(2, 5, 16),
        identifier=torch.randn(5, 16),
        keypoint_valid=torch.tensor(
            [[True] * 5, [True, False, True, False, False]]
        ),
    )


SIZES = dict(embed_dims=16, num_heads=2, num_layers=2, feedforward_channels=8)


def test_joint_encoder_ignores_masked_keypoints(tokens):
    encoder = build('QuerySupportEncoder', **SIZES)
    before = encoder(**tokens)
    tokens['keypoint_tokens'][~tokens['keypoint_valid']] = 1e3
    after = encoder(**tokens)
    valid = tokens['keypoint_valid']
    torch.testing.assert_close(before[0], after[0])
    torch.testing.assert_close(before[1][valid], after[1][valid])


def test_joint_encoder_lets_both_sides_interact(tokens):
    encoder = build('QuerySupportEncoder', **SIZES)
    before, _ = encoder(**tokens)
    tokens['keypoint_tokens'][0, 0] += 1
    after, _ = encoder(**tokens)
    assert not torch.allclose(before[0], after[0])


def test_query_encoder_keeps_the_sides_apart(tokens):
    encoder = build('QueryEncoder', **SIZES)
    before, keypoints = encoder(**tokens)
    expected = tokens['keypoint_tokens'] + tokens['identifier']
    assert torch.equal(keypoints, expected)
    tokens['keypoint_tokens'] += 1
    assert torch.equal(before, encoder(**tokens)[0])


def test_proposals_of_a_sharp_map_lie_on_its_cell():
    generator = build(
        'ProposalGenerator', embed_dims=24, bottleneck_channels=4
    )
    for linear in (generator.keypoint_proj, generator.query_proj):
        torch.nn.init.eye_(linear.weight)
        torch.nn.init.zeros_(linear.bias)
    torch.nn.init.zeros_(generator.channel_attention[2].weight)
    torch.nn.init.zeros_(generator.channel_attention[2].bias)
    size = (4, 6)  # every cell has a channel of its own
    patches = torch.eye(24)[None]
    wanted = torch.tensor([3, 8, 23])
    keypoints = 60 * torch.eye(24)[wanted][None]

    found = generator(patches, keypoints, size)
    expected = cell_centres(size)[wanted]
    torch.testing.assert_close(found.proposals[0], expected)
    torch.testing.assert_close(found.expectation[0], expected)
    torch.testing.assert_close(found.peak_mass[0], torch.ones(3))


def test_proposals_ignore_what_is_far_from_the_maximum():
    from mmcape.models.layers.proposal_generator import _locate

    similarity = torch.full((1, 1, 4, 8), -20.0)
    similarity[0, 0, 1, 1] = 5.0
    similarity[0, 0, 2, 7] = 4.9
    found = _locate(similarity)
    centre = torch.tensor([1.5 / 8, 1.5 / 4])
    torch.testing.assert_close(found.proposals[0, 0], centre)
    assert found.expectation[0, 0, 0] > 0.4
    assert 0.5 < found.peak_mass.item() < 0.55


def test_decoder_of_zero_offsets_keeps_the_proposals(tokens):
    decoder = build('RefinementDecoder', **SIZES)
    decoder.zero_offsets()
    proposals = torch.rand(2, 5, 2) * 0.9 + 0.05
    layers = decoder(**tokens, proposals=proposals)
    assert layers.shape == (2, 2, 5, 2)
    for points in layers:
        torch.testing.assert_close(points, proposals)


def test_decoder_is_finite_when_every_keypoint_is_masked(tokens):
    decoder = build('RefinementDecoder', **SIZES)
    tokens['keypoint_valid'][1] = False
    layers = decoder(**tokens, proposals=torch.rand(2, 5, 2))
    assert layers.isfinite().all()


@torch.no_grad()
def test_large_logits_survive_mixed_precision():
    """Logits of hundreds, as training reaches, are not rounded to steps."""
    torch.manual_seed(0)
    generator = ProposalGenerator(embed_dims=128)
    query, keypoints = torch.randn(2, 64, 128), torch.randn(2, 9, 128)
    expected = generator(16 * query, 16 * keypoints, (8, 8))
    assert expected.similarity.abs().max() > 300
    with torch.autocast('cpu', torch.bfloat16):
        found = generator(16 * query, 16 * keypoints, (8, 8))
    for name in ('similarity', 'expectation', 'proposals'):
        torch.testing.assert_close(
            getattr(found, name), getattr(expected, name)
        )
