from __future__ import annotations

import pytest
import torch
from mmengine.config import ConfigDict
from mmpose.registry import MODELS

from mmcape.testing import make_episode_batch


def head_config(**changes):
    transformer = dict(num_heads=2, num_layers=2, feedforward_channels=16)
    head = dict(
        type='CapeFormerHead',
        in_channels=64,
        embed_dims=16,
        codec=dict(
            type='SeparableGaussian',
            input_size=(128, 128),
            heatmap_size=(32, 32),
            sigma=1,
        ),
        identifier=dict(type='SineKeypointIdentifier'),
        encoder=dict(type='QuerySupportEncoder', **transformer),
        proposal_generator=dict(
            type='ProposalGenerator', bottleneck_channels=8
        ),
        decoder=dict(type='RefinementDecoder', **transformer),
        heatmap_loss=dict(type='SimilarityHeatmapLoss'),
        proposal_loss=dict(type='KeypointL1Loss'),
        refine_loss=dict(type='KeypointL1Loss'),
    )
    head.update(changes)
    return head


def build(backbone=None, **head_changes):
    torch.manual_seed(0)
    backbone = backbone or dict(
        type='ResNet',
        depth=18,
        stem_channels=8,
        base_channels=8,
        strides=(1, 2, 2, 1),
    )
    model = MODELS.build(
        ConfigDict(
            type='FewShotPoseEstimator',
            backbone=backbone,
            head=head_config(**head_changes),
        )
    )
    model.init_weights()
    for parameter in model.head.parameters():  # wake the zero offsets
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.02)
    return model.eval()


@pytest.fixture(scope='module')
def model():
    return build()


def select(inputs, index):
    return {name: value[index] for name, value in inputs.items()}


@torch.no_grad()
def test_batch_equals_single_samples(model):
    inputs, _ = make_episode_batch(batch=3, shots=2)
    whole = model(inputs, None).points
    for i in range(3):
        single = model(select(inputs, slice(i, i + 1)), None).points
        torch.testing.assert_close(single[0], whole[i])


@torch.no_grad()
def test_padding_keypoints_changes_nothing(model):
    inputs, _ = make_episode_batch()
    padded = dict(inputs)
    for name in ('support_keypoints', 'query_keypoints'):
        padded[name] = torch.nn.functional.pad(inputs[name], (0, 0, 0, 90))
    for name in ('support_visible', 'query_visible'):
        padded[name] = torch.nn.functional.pad(inputs[name], (0, 90))
    torch.testing.assert_close(
        model(padded, None).points[:, :7], model(inputs, None).points
    )
    plain, more = model.loss(inputs, None), model.loss(padded, None)
    for name in plain:
        torch.testing.assert_close(plain[name], more[name])


@torch.no_grad()
def test_keypoints_are_equal_without_identifier():
    model = build(identifier=None)
    inputs, _ = make_episode_batch()
    order = torch.tensor([3, 1, 6, 0, 2, 5, 4])
    shuffled = dict(
        inputs,
        support_keypoints=inputs['support_keypoints'][:, :, order],
    )
    torch.testing.assert_close(
        model(shuffled, None).points, model(inputs, None).points[:, order]
    )


@torch.no_grad()
def test_identifier_tells_keypoints_apart(model):
    inputs, _ = make_episode_batch()
    inputs['support_keypoints'][:, :, 1] = inputs['support_keypoints'][:, :, 0]
    points = model(inputs, None).points
    assert (points[:, 0] - points[:, 1]).abs().max() > 1e-4


@torch.no_grad()
def test_encoding_a_support_once_serves_many_queries(model):
    inputs, _ = make_episode_batch(batch=1)
    others, _ = make_episode_batch(batch=4, seed=1)
    support = model.encode_support(
        inputs['support_img'],
        inputs['support_keypoints'],
        inputs['support_visible'],
    )
    for image in others['query_img']:
        by_step = model.match_query(image[None], support).points
        whole = model(dict(inputs, query_img=image[None]), None).points
        torch.testing.assert_close(by_step, whole)


def test_keypoint_missing_in_one_shot_is_not_valid(model):
    inputs, _ = make_episode_batch(shots=3)
    inputs['support_visible'][1, 2, 4] = False
    support = model.encode_support(
        inputs['support_img'],
        inputs['support_keypoints'],
        inputs['support_visible'],
    )
    assert support.valid.sum().item() == 13
    assert not support.valid[1, 4]


def far_outside(keypoints):
    moved = keypoints.clone()
    moved[1, ..., 4, :] = -500.0
    return moved


def test_keypoint_out_of_the_support_crop_is_not_valid(model):
    inputs, _ = make_episode_batch(shots=2)
    support = model.encode_support(
        inputs['support_img'],
        far_outside(inputs['support_keypoints']),
        inputs['support_visible'],
    )
    assert support.valid.sum().item() == 13
    assert not support.valid[1, 4]


@torch.no_grad()
def test_keypoint_out_of_the_query_crop_is_not_learned_from(model):
    inputs, _ = make_episode_batch()
    inputs['query_visible'][1, 4] = False
    hidden = model.loss(inputs, None)
    inputs['query_visible'][1, 4] = True
    inputs['query_keypoints'] = far_outside(inputs['query_keypoints'])
    outside = model.loss(inputs, None)
    for name, value in hidden.items():
        torch.testing.assert_close(outside[name], value)


@torch.no_grad()
def test_keypoint_that_the_support_hides_scores_zero(model):
    inputs, samples = make_episode_batch()
    inputs['support_visible'][1, 0, 4] = False
    for i, sample in enumerate(model.predict(inputs, samples)):
        scores = sample.pred_instances.keypoint_scores[0]
        assert [j for j in range(7) if scores[j] == 0] == [4] * i


@torch.no_grad()
def test_supports_that_queries_share_are_encoded_once(model, monkeypatch):
    inputs, samples = make_episode_batch(batch=4)
    for name in ('support_img', 'support_keypoints', 'support_visible'):
        inputs[name][1] = inputs[name][0]
        inputs[name][3] = inputs[name][0]
    expected = model(inputs, None).points * 128
    sizes = []
    encode = model.encode_support
    monkeypatch.setattr(
        model,
        'encode_support',
        lambda *support: sizes.append(len(support[0])) or encode(*support),
    )
    predicted = model.predict(inputs, samples)
    assert sizes == [2]
    for i, sample in enumerate(predicted):
        ours = torch.from_numpy(sample.pred_instances.keypoints[0])
        shift = torch.tensor([i, 0.0])
        torch.testing.assert_close(
            ours, expected[i] + shift, atol=1e-3, rtol=0
        )


def test_crops_of_another_size_than_the_codec_are_refused(model):
    inputs, _ = make_episode_batch(size=(64, 128))
    with pytest.raises(ValueError, match='64 x 128 .*128, 128'):
        model(inputs, None)


def test_initial_weights():
    model = MODELS.build(
        dict(
            type='FewShotPoseEstimator',
            backbone=dict(type='ResNet', depth=18),
            head=head_config(in_channels=512),
        )
    )
    model.init_weights()
    weight = model.head.encoder.layers[0].feed_forward.linear1.weight
    bound = (6 / sum(weight.shape)) ** 0.5  # Xavier uniform
    assert 0.9 * bound < weight.abs().max() <= bound
    assert not model.head.query_proj.bias.any()
    output = model.eval()(make_episode_batch()[0], None)
    for points in output.layers:  # offsets begin at zero
        torch.testing.assert_close(points, output.proposals)


def test_sample_without_any_keypoint_gives_a_finite_loss(model):
    inputs, _ = make_episode_batch()
    inputs['support_visible'][1] = False
    losses = model.loss(inputs, None)
    assert all(value.isfinite() for value in losses.values())
    sum(losses[k] for k in losses if 'loss' in k).backward()
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    assert gradients
    assert all(g.isfinite().all() for g in gradients)


def test_gradients_reach_every_parameter():
    model = build().train()
    inputs, _ = make_episode_batch()
    losses = model.loss(inputs, None)
    sum(losses[k] for k in losses if 'loss' in k).backward()
    without = [n for n, p in model.named_parameters() if p.grad is None]
    assert not without


@torch.no_grad()
def test_loss_under_autocast_is_nearly_the_same(model):
    inputs, _ = make_episode_batch()
    exact = model.loss(inputs, None)
    with torch.autocast('cpu', torch.bfloat16):
        rounded = model.loss(inputs, None)
    for name, value in exact.items():
        if name.startswith('loss'):
            assert rounded[name].dtype == torch.float32
            torch.testing.assert_close(rounded[name], value, rtol=0.03, atol=0)


def test_training_on_one_episode_lowers_the_loss():
    model = build().train()
    inputs, _ = make_episode_batch()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    history = []
    for _ in range(15):
        losses = model.loss(inputs, None)
        loss = sum(losses[k] for k in losses if 'loss' in k)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    assert history[-1] < 0.8 * history[0]


@torch.no_grad()
def test_predictions_of_every_row_return_to_their_own_image(model):
    inputs, samples = make_episode_batch(batch=3)
    points = model(inputs, None).points * 128
    predicted = model.predict(inputs, samples)
    for i, sample in enumerate(predicted):
        # the fabricated crop of sample i is shifted by i pixels in x
        expected = points[i] + torch.tensor([i, 0.0])
        ours = torch.from_numpy(sample.pred_instances.keypoints[0])
        torch.testing.assert_close(ours, expected, atol=1e-4, rtol=0)
        scores = sample.pred_instances.keypoint_scores
        assert scores.shape == (1, 7)
        assert ((scores > 0) & (scores <= 1)).all()


@pytest.mark.parametrize(
    ('changes', 'terms'),
    [
        (
            dict(decoder=None, refine_loss=None),
            {'loss_heatmap', 'loss_proposal'},
        ),
        (
            dict(heatmap_loss=None),
            {'loss_proposal', 'loss_layer0', 'loss_layer1'},
        ),
        (
            dict(proposal_loss=None),
            {'loss_heatmap', 'loss_layer0', 'loss_layer1'},
        ),
    ],
)
def test_loss_terms_of_the_ablations(changes, terms):
    inputs, _ = make_episode_batch()
    losses = build(**changes).loss(inputs, None)
    assert set(losses) == terms | {'acc_pck'}


@torch.no_grad()
def test_one_stage_predicts_its_proposals():
    output = build(decoder=None, refine_loss=None)(
        make_episode_batch()[0], None
    )
    assert output.layers.shape[0] == 0
    assert torch.equal(output.points, output.proposals)


def test_decoder_without_its_loss_is_refused():
    with pytest.raises(ValueError, match='go together'):
        build(refine_loss=None)


BACKBONES = {
    'resnet': (dict(type='ResNet', depth=18), 512),
    'swin': (
        dict(
            type='mmpretrain.SwinTransformer',
            arch=dict(
                embed_dims=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2]
            ),
            img_size=128,
            window_size=2,
        ),
        64,
    ),
    'convnext': (
        dict(
            type='mmpretrain.ConvNeXt',
            arch=dict(depths=[1, 1, 1, 1], channels=[8, 16, 24, 32]),
            gap_before_final_norm=False,
        ),
        32,
    ),
    'vit': (
        dict(
            type='mmpretrain.VisionTransformer',
            arch=dict(
                embed_dims=16,
                num_layers=2,
                num_heads=2,
                feedforward_channels=32,
            ),
            img_size=128,
            patch_size=16,
            out_type='featmap',
        ),
        16,
    ),
}


@pytest.mark.parametrize('name', BACKBONES)
@torch.no_grad()
def test_backbones_of_mmpose_and_mmpretrain(name):
    backbone, channels = BACKBONES[name]
    model = build(backbone=backbone, in_channels=channels)
    output = model(make_episode_batch()[0], None)
    assert output.points.shape == (2, 7, 2)
    assert output.points.isfinite().all()
