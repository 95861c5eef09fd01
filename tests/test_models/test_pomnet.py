from __future__ import annotations

import copy

import pytest
import torch
from mmengine.config import ConfigDict
from mmpose.registry import MODELS
from torch.nn import functional as F

from mmcape.models.layers import HeatmapMatcher
from mmcape.testing import make_episode_batch

BACKBONE = dict(
    type='ResNet',
    depth=18,
    stem_channels=8,
    base_channels=8,
    strides=(1, 2, 2, 1),
)


def build_config(**changes):
    transformer = dict(
        num_heads=2, num_layers=2, feedforward_channels=16, dropout=0.0
    )
    model = dict(
        type='FewShotPoseEstimator',
        backbone=BACKBONE,
        support_backbone=BACKBONE,
        head=dict(
            type='PomNetHead',
            in_channels=64,
            embed_dims=16,
            codec=dict(
                type='SeparableGaussian',
                input_size=(128, 128),
                heatmap_size=(32, 32),
                sigma=1,
            ),
            encoder=dict(type='QueryEncoder', **transformer),
            decoder=dict(type='DetrDecoder', **transformer),
            matcher=dict(
                type='HeatmapMatcher', deconv_channels=8, num_deconvs=2
            ),
            heatmap_loss=dict(type='HeatmapMSELoss'),
        ),
    )
    return ConfigDict(model, **changes)


def build(**changes):
    torch.manual_seed(0)
    model = MODELS.build(build_config(**changes))
    model.init_weights()
    for module in model.head.matcher.modules():  # wake the tiny weights
        if hasattr(module, 'reset_parameters'):
            module.reset_parameters()
    return model.eval()


@pytest.fixture(scope='module')
def model():
    return build()


def pad(inputs, count):
    padded = dict(inputs)
    for name in ('support_keypoints', 'query_keypoints'):
        padded[name] = F.pad(inputs[name], (0, 0, 0, count))
    for name in ('support_visible', 'query_visible'):
        padded[name] = F.pad(inputs[name], (0, count))
    return padded


@torch.no_grad()
def test_support_has_its_own_backbone(model):
    inputs, _ = make_episode_batch(batch=1)
    image = inputs['query_img']
    (features,) = model.support_backbone(image)
    assert torch.equal(model.extract_support_feat(image)[0], features)
    assert not torch.allclose(model.extract_feat(image)[0], features)
    names = {name for name, _ in model.named_parameters()}
    assert 'support_backbone.conv1.weight' in names
    shared = build(support_backbone=None)
    features = shared.extract_support_feat(image)
    assert torch.equal(features[0], shared.extract_feat(image)[0])


@torch.no_grad()
def test_batch_equals_single_samples(model):
    inputs, _ = make_episode_batch(batch=3, shots=2)
    inputs['support_visible'][1, 0, 2] = False
    whole = model(inputs, None).heatmaps
    for i in range(3):
        single = {name: value[i : i + 1] for name, value in inputs.items()}
        torch.testing.assert_close(model(single, None).heatmaps[0], whole[i])


@torch.no_grad()
@pytest.mark.parametrize('training', [False, True])
def test_padding_keypoints_changes_nothing(training):
    inputs, _ = make_episode_batch()
    results = []
    for batch in (inputs, pad(inputs, 40)):
        model = build().train(training)
        losses = model.loss(batch, None)
        results.append((losses, model.state_dict()))
    (losses, state), (padded_losses, padded_state) = results
    torch.testing.assert_close(padded_losses, losses)
    torch.testing.assert_close(padded_state, state)


@torch.no_grad()
def test_masked_keypoints_do_not_touch_batch_norm():
    torch.manual_seed(0)
    matcher = HeatmapMatcher(8, 4, 1).train()
    twin = copy.deepcopy(matcher)
    image, tokens = torch.randn(2, 12, 8), torch.randn(2, 3, 8)
    valid = torch.tensor([[True, False, True], [False, True, False]])
    maps = matcher(image, tokens, valid, (3, 4))
    assert not maps[~valid].any()

    other = torch.where(valid[..., None], tokens, 1e3)
    torch.testing.assert_close(twin(image, other, valid, (3, 4)), maps)
    torch.testing.assert_close(twin.state_dict(), matcher.state_dict())

    # what the first normalisation sees are the three that are valid
    grid = image.transpose(1, 2).unflatten(2, (3, 4))
    tiled = tokens[valid][..., None, None].expand(-1, -1, 3, 4)
    related = matcher.relation(torch.cat([grid[[0, 0, 1]], tiled], dim=1))
    torch.testing.assert_close(
        matcher.relation_norm.running_mean, 0.1 * related.mean(dim=(0, 2, 3))
    )


def matching(maps_per_pass):
    """A matcher and its inputs, ten maps; the sizes of passes are noted."""
    torch.manual_seed(0)
    matcher = HeatmapMatcher(8, 4, 1, maps_per_pass)
    sizes = []
    matcher.final.register_forward_hook(
        lambda module, inputs, maps: sizes.append(len(maps))
    )
    valid = torch.ones(2, 5, dtype=torch.bool)
    valid[1, 2:] = False
    image, tokens = torch.randn(2, 12, 8), torch.randn(2, 5, 8)
    return matcher, (image, tokens, valid, (3, 4)), sizes


@torch.no_grad()
@pytest.mark.parametrize(
    ('maps_per_pass', 'sizes'),
    [(1, [1] * 10), (4, [4, 4, 2]), (5, [5, 5]), (10, [10]), (256, [10])],
)
def test_evaluation_draws_in_passes_what_one_draws(maps_per_pass, sizes):
    matcher, inputs, seen = matching(maps_per_pass)
    maps = matcher.eval()(*inputs)
    assert seen == sizes
    matcher.maps_per_pass = 10
    torch.testing.assert_close(matcher(*inputs), maps, atol=1e-6, rtol=0)
    assert maps.std() > 0.01


@torch.no_grad()
def test_training_draws_all_at_once():
    results = []
    for maps_per_pass in (2, 256):
        matcher, inputs, seen = matching(maps_per_pass)
        maps = matcher.train()(*inputs)
        assert seen == [7]  # those that the support shows
        assert matcher.relation_norm.num_batches_tracked == 1
        results.append((maps, matcher.state_dict()))
    torch.testing.assert_close(*results, atol=0, rtol=0)


class OfOneSize(torch.nn.Module):
    """A matcher whose inputs are tensors alone."""

    def __init__(self, matcher, size):
        super().__init__()
        self.matcher, self.size = matcher, size

    def forward(self, image, tokens, valid):
        return self.matcher(image, tokens, valid, self.size)


def export(module, inputs):
    keypoints = {1: torch.export.Dim('keypoints', min=2, max=500)}
    shapes = (None, keypoints, keypoints)
    program = torch.export.export(module, inputs, dynamic_shapes=shapes)
    return program.module()


@torch.no_grad()
@pytest.mark.parametrize(
    'record',
    [
        torch.jit.trace,
        pytest.param(
            export,
            marks=pytest.mark.skipif(
                not hasattr(getattr(torch, 'compiler', 0), 'is_exporting'),
                reason='this torch cannot say that it exports',
            ),
        ),
    ],
)
def test_a_recorded_graph_draws_any_number_of_maps(record):
    matcher, (image, tokens, valid, size), _ = matching(4)
    matcher.final._forward_hooks.clear()  # len() would fix the number
    module = OfOneSize(matcher.eval(), size)
    graph = record(module, (image, tokens, valid))
    for count in (3, 5, 30):
        tokens = torch.randn(2, count, 8)
        valid = torch.ones(2, count, dtype=torch.bool)
        maps = module(image, tokens, valid)
        torch.testing.assert_close(
            graph(image, tokens, valid), maps, atol=1e-6, rtol=0
        )


def test_passes_of_no_map_are_refused():
    with pytest.raises(ValueError, match='maps_per_pass must be > 0, got 0'):
        HeatmapMatcher(8, 4, 1, maps_per_pass=0)


@torch.no_grad()
@pytest.mark.parametrize('size', [(3, 5), (1, 4), (8, 8)])
def test_halves_are_the_convolution_of_the_concatenation(size):
    torch.manual_seed(0)
    matcher = HeatmapMatcher(embed_dims=6)
    image, tokens = torch.randn(1, 6, *size), torch.randn(4, 6)
    shared, own = matcher._relate(image, tokens)
    tiled = tokens[..., None, None].expand(4, 6, *size)
    both = torch.cat([image.expand(4, -1, -1, -1), tiled], dim=1)
    torch.testing.assert_close(shared + own, matcher.relation(both))
    # the tiled vector's response is not constant at the border
    if size == (8, 8):
        assert (own[:, :, 0] - own[:, :, 4]).abs().max() > 0.01
        inner = own[:, :, 1:-1, 1:-1]
        torch.testing.assert_close(inner, inner[..., :1, :1].expand_as(inner))


def gradients(model, inputs):
    losses = model.loss(inputs, None)
    losses['loss_heatmap'].backward()
    return losses, {n: p.grad for n, p in model.named_parameters()}


@pytest.mark.parametrize('training', [False, True])
@pytest.mark.parametrize('empty', [[1], [0, 1]])
def test_samples_without_any_keypoint_stay_finite(training, empty):
    model = build().train(training)
    inputs, _ = make_episode_batch()
    inputs['support_visible'][empty] = False
    losses, grads = gradients(model, inputs)
    assert all(value.isfinite() for value in losses.values())
    # distributed training waits for the gradient of every parameter
    assert not [n for n, grad in grads.items() if grad is None]
    assert all(grad.isfinite().all() for grad in grads.values())
    if len(empty) == 2:
        assert losses['loss_heatmap'] == 0
        assert not any(g.any() for g in grads.values())
    assert all(v.isfinite().all() for v in model.state_dict().values())


def test_no_keypoint_at_all_leaves_batch_norm_alone():
    model = build().train()
    inputs, _ = make_episode_batch()
    inputs['support_visible'][:] = False
    before = {k: v.clone() for k, v in model.head.state_dict().items()}
    model.loss(inputs, None)
    assert all(
        torch.equal(v, before[k]) for k, v in model.head.state_dict().items()
    )


def test_gradients_reach_every_parameter():
    _, grads = gradients(build().train(), make_episode_batch()[0])
    assert not [n for n, g in grads.items() if g is None]
    head = {n: g for n, g in grads.items() if n.startswith('head.')}
    assert not [n for n, g in head.items() if not g.any()]


def test_training_on_one_episode_lowers_the_loss():
    model = build().train()
    inputs, _ = make_episode_batch()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    history = []
    for _ in range(15):
        loss = model.loss(inputs, None)['loss_heatmap']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    assert history[-1] < 0.8 * history[0]


@torch.no_grad()
def test_loss_by_hand(model):
    inputs, _ = make_episode_batch()
    inputs['query_visible'][0, 3:] = False
    output = model(inputs, None)
    target = model.head.codec.heatmaps(inputs['query_keypoints'])
    error = (output.heatmaps - target).square().mean(dim=(2, 3))
    total = error[0, :3].sum() + error[1].sum()
    losses = model.loss(inputs, None)
    assert set(losses) == {'loss_heatmap', 'acc_pck'}
    torch.testing.assert_close(losses['loss_heatmap'], total / 100 / 2)


@torch.no_grad()
def test_predictions_return_to_the_image(model):
    inputs, samples = make_episode_batch()
    inputs['support_visible'][0, :, 2] = False
    output = model(inputs, None)
    predicted = model.predict(inputs, samples)
    for i, sample in enumerate(predicted):
        # the fabricated crop of sample i is shifted by i pixels in x
        expected = output.points[i] * 128 + torch.tensor([i, 0.0])
        ours = torch.from_numpy(sample.pred_instances.keypoints[0])
        torch.testing.assert_close(ours, expected, atol=1e-4, rtol=0)
        scores = torch.from_numpy(sample.pred_instances.keypoint_scores[0])
        maxima = output.heatmaps[i].amax(dim=(1, 2))
        maxima[2] *= i  # not seen in the support of the first sample
        torch.testing.assert_close(scores, maxima)


@torch.no_grad()
def test_points_by_hand(model):
    head, maps = model.head, torch.zeros(1, 2, 32, 32)
    maps[0, 0, 8, 16], maps[0, 0, 8, 17] = 1.0, 0.5
    inputs, _ = make_episode_batch(batch=1, keypoints=2)
    head.matcher.register_forward_hook(lambda *_: maps)
    output = model(inputs, None)
    head.matcher._forward_hooks.clear()
    expected = torch.tensor([[16.25 / 32, 8 / 32], [-1 / 32, -1 / 32]])
    torch.testing.assert_close(output.points[0], expected)
    assert output.scores[0].tolist() == [1.0, 0.0]


@torch.no_grad()
def test_heatmaps_of_another_size_are_refused(model):
    support = model.encode_support(
        *(
            make_episode_batch()[0][f'support_{name}']
            for name in ('img', 'keypoints', 'visible')
        )
    )
    with pytest.raises(ValueError, match='heatmap_size'):
        model.head(torch.zeros(2, 64, 4, 4), support)


def test_initialisation():
    head = dict(build_config()['head'], embed_dims=64)
    head['matcher'] = dict(type='HeatmapMatcher', deconv_channels=32)
    torch.manual_seed(0)
    head = MODELS.build(head)
    for projection in (head.support_proj, head.query_proj):
        torch.nn.init.constant_(projection.weight, 7)
        torch.nn.init.constant_(projection.bias, 7)
    head.init_weights()
    assert (head.support_proj.weight == 7).all()
    assert (head.query_proj.bias == 7).all()
    for layer in (head.matcher.relation, head.matcher.upsample[0]):
        assert layer.weight.std().item() == pytest.approx(0.001, rel=0.05)
    assert head.matcher.final.weight.std() < 0.002
    assert head.matcher.final.bias == 0
    attention = head.decoder.layers[0].cross_attn
    bound = (6 / (3 * 64 + 64)) ** 0.5  # on the joint matrix
    largest = attention.in_proj_weight.abs().max().item()
    assert largest == pytest.approx(bound, rel=0.01)
    linear = head.encoder.layers[0].feed_forward.linear1
    assert not linear.bias.any()
