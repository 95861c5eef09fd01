"""MAML and Fine-tune: what the gradient steps do, and what they leave."""

from __future__ import annotations

import copy

import pytest
import torch
from mmengine.config import ConfigDict
from mmpose.registry import MODELS
from torch.func import functional_call

from mmcape.models.estimators.inner_loop import descend
from mmcape.testing import make_episode_batch

METHODS = {
    'maml': dict(train_steps=2, test_steps=2),
    'finetune': dict(train_steps=0, test_steps=3),
}
ADAPT = ['head', 'head.final_layer', ['backbone.layer2', 'head'], 'all']


def build(**changes):
    torch.manual_seed(0)
    config = dict(
        type='AdaptivePoseEstimator',
        inner_rate=0.5,
        backbone=dict(
            type='ResNet',
            depth=18,
            stem_channels=8,
            base_channels=8,
            num_stages=2,
            strides=(1, 2),
            dilations=(1, 1),
            out_indices=(1,),
        ),
        head=dict(
            type='KeypointChannelsHead',
            in_channels=16,
            max_keypoints=9,
            deconv_channels=(8,),
            norm_cfg=dict(type='GN', num_groups=2),
            codec=dict(
                type='SeparableGaussian',
                input_size=(64, 64),
                heatmap_size=(16, 16),
                sigma=1,
            ),
        ),
        **METHODS['maml'],
    )
    config['head'].update(changes.pop('head', {}))
    config['backbone'].update(changes.pop('backbone', {}))
    config.update(changes)
    model = MODELS.build(ConfigDict(config))
    model.init_weights()
    torch.nn.init.normal_(model.head.final_layer.weight, std=0.1)
    return model.eval()


def episodes(batch=3, shots=2, keypoints=5, **changes):
    inputs, samples = make_episode_batch(
        batch, shots, keypoints, size=(64, 64), **changes
    )
    inputs['support_visible'][0, 0, 1] = False
    return inputs, samples


def encode(model, inputs):
    return model.encode_support(
        inputs['support_img'],
        inputs['support_keypoints'],
        inputs['support_visible'],
    )


def state(model):
    return copy.deepcopy(model.state_dict())


def assert_untouched(model, before):
    after = model.state_dict()
    assert after.keys() == before.keys()
    for name, value in before.items():
        assert torch.equal(after[name], value), name
    assert all(p.grad is None for p in model.parameters())


# the inner loop


def quadratic(parameters):
    """Curvature differs by direction, so that orders differ."""
    x, y = parameters['x'], parameters['y']
    return (x**2 + 3 * x * y + y**4).sum()


def start(*values):
    return {
        name: torch.tensor(value, dtype=torch.float64, requires_grad=True)
        for name, value in zip('xy', values)
    }


def test_one_step_by_hand():
    begin = start(1.0, 2.0)
    with torch.no_grad():
        end = descend(begin, quadratic, 1, 0.1, second_order=False)
    assert end['x'].item() == pytest.approx(1 - 0.1 * (2 * 1 + 3 * 2))
    assert end['y'].item() == pytest.approx(2 - 0.1 * (3 * 1 + 4 * 8))
    assert begin['x'].item() == 1
    assert begin['x'].grad is None


def test_no_step_is_the_start():
    begin = start(1.0, 2.0)
    assert descend(begin, quadratic, 0, 0.1, second_order=True) is begin


def test_orders_by_hand():
    """One step of x - r * 2 x: the derivative is 1 - 2 r, or taken as 1."""
    for second_order, expected in ((True, 1 - 2 * 0.1), (False, 1.0)):
        begin = start(1.5)
        end = descend(begin, lambda p: p['x'] ** 2, 1, 0.1, second_order)
        (gradient,) = torch.autograd.grad(end['x'], begin['x'])
        assert gradient.item() == pytest.approx(expected)


def outer_gradient(second_order):
    """Analytic and finite-difference gradient of a small network."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2)
    ).double()
    support, query = torch.randn(2, 5, 3, dtype=torch.float64)
    targets = torch.randn(2, 5, 2, dtype=torch.float64)

    def outer(parameters):
        def loss(p, x, y):
            return (functional_call(network, dict(p), (x,)) - y).pow(2).mean()

        adapted = descend(
            parameters,
            lambda p: loss(p, support, targets[0]),
            steps=3,
            rate=0.3,
            second_order=second_order,
        )
        return loss(adapted, query, targets[1])

    parameters = dict(network.named_parameters())
    analytic = torch.autograd.grad(outer(parameters), parameters.values())
    step, numeric = 1e-6, []
    for name, value in parameters.items():
        gradient = torch.empty_like(value)
        for index in range(value.numel()):
            sides = []
            for sign in (1, -1):
                moved = value.detach().clone()
                moved.view(-1)[index] += sign * step
                moved = {**parameters, name: moved.requires_grad_()}
                sides.append(outer(moved).item())
            gradient.view(-1)[index] = (sides[0] - sides[1]) / (2 * step)
        numeric.append(gradient)
    return [
        torch.cat([g.flatten() for g in gradients])
        for gradients in (analytic, numeric)
    ]


def test_second_order_gradient_equals_finite_differences():
    analytic, numeric = outer_gradient(second_order=True)
    torch.testing.assert_close(analytic, numeric, rtol=1e-6, atol=1e-8)


def test_first_order_gradient_is_another():
    first, numeric = outer_gradient(second_order=False)
    second, _ = outer_gradient(second_order=True)
    assert (first - numeric).norm() > 0.1 * numeric.norm()
    assert torch.dot(first, second) > 0


# the estimator


def test_meta_gradient_of_the_estimator_equals_finite_differences():
    """Through backbone, codec and losses, in float64."""
    model = build(train_steps=2).double()
    inputs, _ = episodes(batch=2)
    inputs = {
        name: value.double() if value.is_floating_point() else value
        for name, value in inputs.items()
    }

    def loss():
        return model.loss(inputs, None)['loss_heatmap']

    loss().backward()
    for name in (
        'head.final_layer.weight',
        'head.deconv_layers.0.weight',
        'backbone.layer2.0.conv1.weight',
    ):
        parameter = model.get_parameter(name)
        steepest = parameter.grad.abs().argmax()
        values = parameter.data.view(-1)
        sides = []
        for step in (1e-6, -1e-6):
            values[steepest] += step
            sides.append(loss().item())
            values[steepest] -= step
        numeric = (sides[0] - sides[1]) / 2e-6
        analytic = parameter.grad.view(-1)[steepest].item()
        assert analytic == pytest.approx(numeric, rel=1e-4), name


@pytest.mark.parametrize('adapt', ADAPT, ids=str)
@pytest.mark.parametrize('method', METHODS)
@torch.no_grad()
def test_predicting_leaves_the_model_untouched(method, adapt):
    model = build(adapt=adapt, **METHODS[method])
    before = state(model)
    inputs, samples = episodes()
    first = model(inputs, samples, mode='predict')
    first = [s.pred_instances.keypoints.copy() for s in first]
    assert_untouched(model, before)

    again = model(inputs, samples, mode='predict')
    for keypoints, sample in zip(first, again):
        assert (keypoints == sample.pred_instances.keypoints).all()


@pytest.mark.parametrize('adapt', ADAPT, ids=str)
@pytest.mark.parametrize('method', METHODS)
@torch.no_grad()
def test_adaptation_lowers_the_support_loss(method, adapt):
    model = build(adapt=adapt, **METHODS[method])
    inputs, _ = episodes()

    def support_losses(support):
        as_query = dict(
            query_img=inputs['support_img'][:, 1],
            query_keypoints=inputs['support_keypoints'][:, 1],
            query_visible=inputs['support_visible'][:, 1],
        )
        output = model.match_query(as_query['query_img'], support)
        return [
            model.head.map_loss(
                output.similarity[i : i + 1],
                as_query['query_keypoints'][i : i + 1],
                support.valid[i : i + 1],
            ).item()
            for i in range(3)
        ]

    after = support_losses(encode(model, inputs))
    model.test_steps = 0
    before = support_losses(encode(model, inputs))
    for low, high in zip(after, before):
        assert low < high


@pytest.mark.parametrize('adapt', ADAPT, ids=str)
@torch.no_grad()
def test_batch_equals_single_episodes(adapt):
    model = build(adapt=adapt)
    inputs, _ = episodes()
    whole = model(inputs, None)
    for i in range(3):
        row = {name: value[i : i + 1] for name, value in inputs.items()}
        single = model(row, None)
        torch.testing.assert_close(single.similarity[0], whole.similarity[i])


@torch.no_grad()
def test_padding_keypoints_changes_nothing():
    model = build()
    inputs, _ = episodes()
    padded = dict(inputs)
    for name in ('support_keypoints', 'query_keypoints'):
        padded[name] = torch.nn.functional.pad(inputs[name], (0, 0, 0, 4))
    for name in ('support_visible', 'query_visible'):
        padded[name] = torch.nn.functional.pad(inputs[name], (0, 4))
    torch.testing.assert_close(
        model(padded, None).similarity[:, :5], model(inputs, None).similarity
    )
    torch.testing.assert_close(
        model.loss(padded, None), model.loss(inputs, None)
    )


@torch.no_grad()
def test_a_batch_adapts_row_by_row_and_once_for_equal_supports(monkeypatch):
    model = build()
    inputs, samples = episodes(batch=4)
    for name in ('support_img', 'support_keypoints', 'support_visible'):
        inputs[name][2] = inputs[name][0]
    support = encode(model, inputs)
    assert list(support.rows([0, 1, 0, 2]).owner) == [0, 1, 0, 2]
    whole = model(inputs, None).similarity
    for i in range(4):
        row = {name: value[i : i + 1] for name, value in inputs.items()}
        torch.testing.assert_close(model(row, None).similarity[0], whole[i])

    adapted = []
    adapt = model._support_loss
    monkeypatch.setattr(
        model,
        '_support_loss',
        lambda *a, **k: adapted.append(1) or adapt(*a, **k),
    )
    model(inputs, samples, mode='predict')
    assert len(adapted) == 3 * model.test_steps


def test_more_keypoints_than_channels_are_refused():
    inputs, samples = episodes(keypoints=10)
    for method in METHODS.values():
        model = build(**method)
        for mode in ('loss', 'predict', 'tensor'):
            with pytest.raises(ValueError, match='has 10 keypoints.*=9 chan'):
                model(inputs, samples, mode=mode)


@pytest.mark.parametrize('method', METHODS)
def test_gradients_reach_every_parameter(method):
    model = build(**METHODS[method]).train()
    inputs, _ = episodes()
    model.loss(inputs, None)['loss_heatmap'].backward()
    assert not [n for n, p in model.named_parameters() if p.grad is None]


def test_fine_tune_trains_on_queries_alone():
    model = build(**METHODS['finetune'])
    inputs, _ = episodes()
    others, _ = episodes(seed=1)
    queries = {k: v for k, v in inputs.items() if k.startswith('query')}
    losses = model.loss({**others, **queries}, None)
    torch.testing.assert_close(losses, model.loss(inputs, None))
    maps = model.head(model.extract_feat(inputs['query_img'])[-1])[:, :5]
    expected = model.head.map_loss(
        maps, inputs['query_keypoints'], inputs['query_visible']
    )
    torch.testing.assert_close(losses['loss_heatmap'], expected)


def test_sample_without_any_keypoint_gives_a_finite_loss():
    model = build()
    inputs, _ = episodes()
    inputs['support_visible'][1] = False
    loss = model.loss(inputs, None)['loss_heatmap']
    loss.backward()
    assert loss.isfinite()
    assert all(p.grad.isfinite().all() for p in model.parameters())


def batch_norms(model):
    return {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.BatchNorm2d)
    }


@pytest.mark.parametrize(
    ('changes', 'fixed'),
    [
        (dict(), ('head',)),
        (dict(adapt='head.final_layer'), ('head',)),
        # layer1 does not adapt, but sees one support after the other
        (dict(adapt=['backbone.layer2', 'head']), ('head', 'backbone')),
        (dict(adapt='all'), ('head', 'backbone')),
        (METHODS['finetune'], ()),
    ],
    ids=['head', 'final layer', 'layer2 and head', 'all', 'finetune'],
)
def test_running_statistics_that_training_holds(changes, fixed):
    model = build(head=dict(norm_cfg=dict(type='BN')), **changes).train()
    before = state(model)
    model.loss(episodes()[0], None)['loss_heatmap'].backward()
    for name, module in batch_norms(model).items():
        old = before[f'{name}.running_mean']
        held = torch.equal(module.running_mean, old)
        assert held == name.startswith(fixed or 'none'), name


@torch.no_grad()
def test_autocast_predicts_nearly_the_same():
    model = build()
    inputs, _ = episodes()
    exact = model(inputs, None).similarity
    with torch.autocast('cpu', torch.bfloat16):
        rounded = model(inputs, None).similarity
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(rounded, exact, rtol=0.1, atol=0.05)


@pytest.mark.parametrize('second_order', [True, False])
def test_meta_training_on_one_episode_lowers_the_loss(second_order):
    model = build(second_order=second_order).train()
    inputs, _ = episodes(batch=2)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    history = []
    for _ in range(15):
        loss = model.loss(inputs, None)['loss_heatmap']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    assert history[-1] < 0.8 * history[0]


def test_frozen_parameters_never_adapt():
    model = build(adapt='all', backbone=dict(frozen_stages=1))
    adapted = encode(model, episodes()[0]).parameters[0]
    frozen = {n for n, p in model.named_parameters() if not p.requires_grad}
    assert frozen
    assert adapted.keys() == dict(model.named_parameters()).keys() - frozen


@pytest.mark.parametrize(
    ('adapt', 'idle'),
    [
        ('neck', "['neck']"),
        (['backbone.layer3', 'head'], "['backbone.layer3']"),
        (['head', 'back', 'neck', 'all'], "['back', 'neck']"),
        (['backbone.layer1', 'head'], "['backbone.layer1']"),  # frozen
        ([], '[]'),
    ],
    ids=str,
)
def test_a_prefix_of_nothing_that_adapts_is_refused(adapt, idle):
    with pytest.raises(ValueError, match='no trainable') as caught:
        build(adapt=adapt, backbone=dict(frozen_stages=1))
    assert str(caught.value) == f'{idle} has no trainable parameter'


@pytest.mark.parametrize(
    ('changes', 'complaint'),
    [
        (dict(train_steps=-1), 'train_steps must be >= 0, got -1'),
        (dict(test_steps=-2), 'test_steps must be >= 0, got -2'),
        (dict(inner_rate=0), 'inner_rate must be > 0, got 0'),
        (dict(inner_rate=-0.5), 'inner_rate must be > 0, got -0.5'),
        (dict(inner_rate=float('nan')), 'inner_rate must be > 0, got nan'),
    ],
)
def test_impossible_steps_are_refused(changes, complaint):
    with pytest.raises(ValueError, match=complaint):
        build(**changes)
