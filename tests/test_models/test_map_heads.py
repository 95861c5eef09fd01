"""Reading maps, and ProtoNet on features whose answer is known."""

from __future__ import annotations

import pytest
import torch
from mmpose.registry import MODELS

from mmcape.codecs import SeparableGaussian
from mmcape.models.layers.map_decoding import decode_maps

# a square of the map is 16 pixels, a heatmap cell 4: half of it is 2
CODEC = dict(
    type='SeparableGaussian',
    input_size=(96, 128),
    heatmap_size=(24, 32),
    sigma=0.3,
)
SIZE = (8, 6)


def codec(**changes):
    return SeparableGaussian(
        **{k: v for k, v in {**CODEC, **changes}.items() if k != 'type'}
    )


def protonet(**changes):
    return MODELS.build(dict(type='ProtoNetHead', codec=CODEC, **changes))


def one_hot_features(*cells):
    """Channel i is 1 at cell (row, column) i and 0 elsewhere; (1, C, h, w)."""
    features = torch.zeros(1, len(cells), *SIZE)
    for channel, (row, column) in enumerate(cells):
        features[0, channel, row, column] = 1
    return features


def centre(row, column):
    """Pixel whose Gaussian lies within the cell."""
    return [16 * column + 8.0, 16 * row + 8.0]


SUPPORT = [(1, 2), (5, 0), (7, 4)]
QUERY = [(6, 5), (0, 3), (2, 1)]


def episode(head, query=QUERY):
    support = head.encode_support(
        one_hot_features(*SUPPORT).unsqueeze(1),
        torch.tensor([[[centre(*cell) for cell in SUPPORT]]]),
        torch.ones(1, 1, 3, dtype=torch.bool),
    )
    return support, head(one_hot_features(*query), support)


@pytest.mark.parametrize('metric', ['cosine', 'squared_distance'])
@torch.no_grad()
def test_prototypes_are_found_where_their_features_are(metric):
    _, output = episode(protonet(metric=metric))
    expected = torch.tensor([centre(*cell) for cell in QUERY]) - 2
    torch.testing.assert_close(codec().decode(output.points[0]), expected)


@torch.no_grad()
def test_cosine_map_by_hand():
    _, output = episode(protonet(temperature=0.5))
    # one cell of cosine 1, all others of cosine 0
    expected = 2 * one_hot_features(*QUERY)
    torch.testing.assert_close(output.similarity, expected)
    weight = torch.tensor([2.0]).exp()
    cells_around = [6, 6, 9]  # at the border, at the border, inside
    for score, cells in zip(output.scores[0], cells_around):
        share = (weight + cells - 1) / (weight + 8 * 6 - 1)
        assert score.item() == pytest.approx(share.item())


@torch.no_grad()
def test_squared_distance_map_by_hand():
    head = protonet(metric='squared_distance', temperature=4.0)
    support, output = episode(head)
    places = one_hot_features(*QUERY)[0].flatten(1).T
    distance = torch.cdist(support.tokens[0], places).square() / 4
    torch.testing.assert_close(
        output.similarity[0].flatten(1), -distance, atol=1e-6, rtol=0
    )


@pytest.mark.parametrize('metric', ['cosine', 'squared_distance'])
@torch.no_grad()
def test_autocast_changes_no_similarity(metric):
    head = protonet(metric=metric)
    torch.manual_seed(0)
    query, shots = torch.randn(2, 1, 16, *SIZE)
    support = head.encode_support(
        shots.unsqueeze(1),
        torch.tensor([[[centre(*cell) for cell in SUPPORT]]]),
        torch.ones(1, 1, 3, dtype=torch.bool),
    )
    exact = head(query, support).similarity
    with torch.autocast('cpu', torch.bfloat16):
        similarity = head(query, support).similarity
    assert similarity.dtype == torch.float32
    torch.testing.assert_close(similarity, exact, atol=1e-5, rtol=0)
    assert exact.std() > 1  # the least step of bfloat16 here is 2 ** -7


@torch.no_grad()
def test_prototype_is_the_mean_over_the_shots():
    head = protonet()
    features = torch.cat([one_hot_features(*SUPPORT)] * 3).unsqueeze(0)
    features[0, 1] *= 5  # the second of three shots
    keypoints = torch.tensor([[[centre(*cell) for cell in SUPPORT]] * 3])
    visible = torch.ones(1, 3, 3, dtype=torch.bool)
    visible[0, 2, 1] = False
    support = head.encode_support(features, keypoints, visible)
    one_shot, _ = episode(head)
    mean = one_shot.tokens * (1 + 5 + 1) / 3
    torch.testing.assert_close(support.tokens[:, [0, 2]], mean[:, [0, 2]])
    assert not support.tokens[:, 1].any()
    assert support.valid.tolist() == [[True, False, True]]


def test_temperature_learns_only_if_wanted():
    def gradient(**changes):
        head = protonet(temperature=0.2, **changes)
        support, output = episode(head)
        keypoints = torch.tensor([[centre(*cell) for cell in QUERY]])
        visible = torch.ones(1, 3, dtype=torch.bool)
        losses = head.loss(output, support, keypoints, visible)
        assert losses['acc_pck'] == 1
        if losses['loss_heatmap'].requires_grad:
            losses['loss_heatmap'].backward()
        return head.log_temperature.grad

    assert gradient(learn_temperature=True) > 0  # sharper is better here
    assert gradient(learn_temperature=False) is None


@pytest.mark.parametrize(
    'changes',
    [dict(metric='dot'), dict(temperature=0), dict(decoding='centroid')],
)
def test_unknown_options_are_refused(changes):
    with pytest.raises(ValueError, match=next(iter(changes))):
        protonet(**changes)


@pytest.mark.parametrize(
    'decoding', ['argmax', 'soft_argmax', 'local_soft_argmax']
)
def test_a_peak_at_heatmap_size_returns_its_keypoint(decoding):
    """All decodings take back what the codec's rounding put on."""
    keypoints = torch.tensor([[[40.0, 72.0], [4.0, 120.0]]])
    maps = 80 * codec().cell_targets(keypoints, (32, 24))
    points, scores = decode_maps(maps, codec(), decoding)
    torch.testing.assert_close(codec().decode(points), keypoints)
    torch.testing.assert_close(scores, torch.ones(1, 2))


def test_decodings_by_hand():
    maps = torch.full((1, 1, 4, 4), -torch.inf)
    # shares 1/2, 1/4 beside it and 1/4 in the far corner
    maps[0, 0, 1, 1], maps[0, 0, 1, 2], maps[0, 0, 3, 3] = torch.tensor(
        [0.5, 0.25, 0.25]
    ).log()
    half = torch.tensor([0.5 / 24, 0.5 / 32])
    expected = {
        'argmax': [1.5 / 4, 1.5 / 4],
        'soft_argmax': [
            (1.5 / 2 + 2.5 / 4 + 3.5 / 4) / 4,
            (1.5 / 2 + 1.5 / 4 + 3.5 / 4) / 4,
        ],
        'local_soft_argmax': [(1.5 * 2 + 2.5) / 12, 1.5 / 4],
    }
    for decoding, point in expected.items():
        points, scores = decode_maps(maps, codec(), decoding)
        torch.testing.assert_close(points[0, 0] + half, torch.tensor(point))
        assert scores.item() == pytest.approx(0.75)
    with pytest.raises(ValueError, match='no such decoding'):
        decode_maps(maps, codec(), 'median')
