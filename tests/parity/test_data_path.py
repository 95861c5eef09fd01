"""The data path and metric against the published ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmpose.registry import DATASETS, METRICS, MODELS, TRANSFORMS

from mmcape.codecs import SeparableGaussian
from mmcape.datasets.episodes import evaluation_episodes
from mmcape.datasets.transforms import RandomScaleRotation
from mmcape.structures import Episode

pytestmark = pytest.mark.parity


@pytest.fixture(scope='module')
def fixture(parity_dir):
    return torch.load(parity_dir / 'datapath_tiny.pt', weights_only=True)


@pytest.fixture(scope='module')
def dataset(parity_dir):
    root = parity_dir / 'datapath'
    return DATASETS.build(
        dict(
            type='MP100Dataset',
            data_root=str(root),
            ann_file='synthetic.json',
            pipeline=[
                dict(
                    type='ForEachInstance',
                    transforms=[
                        dict(type='LoadImage'),
                        dict(type='GetSquareCropBox'),
                        dict(type='TopdownAffine', input_size=(256, 256)),
                    ],
                ),
                dict(type='PackEpisodeInputs'),
            ],
        )
    )


def crop(dataset, instance, scale=1.0, rotation=0.0):
    results = dataset.get_data_info(instance)
    results['crop_scale_factor'] = scale
    results['bbox_rotation'] = np.array([rotation])
    for transform in (
        dict(type='LoadImage'),
        dict(type='GetSquareCropBox'),
        dict(type='TopdownAffine', input_size=(256, 256)),
    ):
        results = TRANSFORMS.build(transform)(results)
    return results


def test_instances(dataset, fixture):
    expected = fixture['instances']
    assert len(dataset) == len(expected['annotation_id'])
    for i in range(len(dataset)):
        ours = dataset.get_data_info(i)
        assert ours['id'] == expected['annotation_id'][i]
        assert ours['category_id'] == expected['category_id'][i]
        assert ours['num_keypoints'] == expected['num_keypoints'][i]
        assert ours['img_path'].endswith(expected['image_file'][i])
        x1, y1, x2, y2 = ours['bbox'][0]
        np.testing.assert_allclose(
            [x1, y1, x2 - x1, y2 - y1], expected['bbox'][i], atol=1e-4
        )
        k = ours['num_keypoints']
        np.testing.assert_array_equal(
            ours['keypoints_visible'][0], expected['visible'][i][:k]
        )
        np.testing.assert_allclose(
            ours['keypoints'][0], expected['joints'][i][:k], atol=1e-4
        )


def test_categories(dataset, fixture):
    groups = dataset.category_instances()
    assert list(groups) == fixture['category_order']
    assert groups == fixture['category_instances']


def test_crops(dataset, fixture):
    for i in range(len(dataset)):
        ours = crop(dataset, i)
        k = ours['num_keypoints']
        np.testing.assert_allclose(
            ours['input_center'], fixture['instances']['center'][i], atol=1e-4
        )
        np.testing.assert_allclose(
            ours['input_scale'] / 200,
            fixture['instances']['scale'][i],
            atol=1e-5,
        )
        seen = ours['keypoints_visible'][0] > 0
        np.testing.assert_allclose(
            ours['transformed_keypoints'][0][seen],
            fixture['test_pipeline']['joints'][i][:k][seen],
            atol=1e-3,
        )


def test_target_weights(dataset, fixture):
    codec = SeparableGaussian((256, 256), (64, 64), 2)
    for i in range(len(dataset)):
        ours = crop(dataset, i)
        joints = torch.from_numpy(ours['transformed_keypoints'][0])
        weight = codec.in_reach(joints) & torch.from_numpy(
            ours['keypoints_visible'][0] > 0
        )
        expected = fixture['test_pipeline']['target_weight'][i]
        assert weight.float().tolist() == expected[: len(weight)].tolist()


def test_warped_pixels(dataset, fixture):
    for i, expected in fixture['warped'].items():
        ours = crop(dataset, i)['img'][..., ::-1].astype(int)
        assert np.abs(ours - expected.numpy().astype(int)).max() <= 1


def test_augmented(dataset, fixture):
    for case in fixture['augmented']:
        ours = crop(
            dataset, case['instance'], case['scale_factor'], case['rotation']
        )
        seen = ours['keypoints_visible'][0] > 0
        np.testing.assert_allclose(
            ours['transformed_keypoints'][0][seen],
            case['joints'][: len(seen)][seen],
            atol=1e-3,
        )
        if 'warped' in case:
            pixels = ours['img'][..., ::-1].astype(int)
            expected = case['warped'].numpy().astype(int)
            assert np.abs(pixels - expected).max() <= 1


def test_augmentation_draws(fixture):
    expected = fixture['augmentation_draws']
    rng = np.random.RandomState(expected['numpy_seed'])
    transform = RandomScaleRotation()
    ours = [transform.draw(rng) for _ in range(len(expected['first']))]
    np.testing.assert_allclose(ours, expected['first'], rtol=1e-12)


def test_heatmaps(fixture):
    codec = SeparableGaussian((256, 256), (64, 64), 2)
    for case in fixture['heatmaps']:
        gy, gx = codec.encode(case['joint'])
        ours = gy[:, None] * gx[None]
        torch.testing.assert_close(ours, case['target'], atol=1e-6, rtol=0)


def test_network_input(dataset, fixture):
    pre = dict(
        type='EpisodeDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
    )
    pre = MODELS.build(pre)
    for i, (mean, std) in fixture['network_input_mean_std'].items():
        episode = Episode(index=0, category_id=0, support=(i,), query=i)
        packed = dataset[episode]
        data = dict(
            inputs={k: [v] for k, v in packed['inputs'].items()},
            data_samples=[packed['data_samples']],
        )
        image = pre(data)['inputs']['query_img'][0]
        assert image.mean().item() == pytest.approx(mean, abs=1e-3)
        assert image.std().item() == pytest.approx(std, abs=1e-3)


def test_episode_lists(dataset, fixture):
    groups = dataset.category_instances()
    for case in fixture['episodes']:
        if case['kind'] == 'train':
            continue
        ours = evaluation_episodes(
            groups,
            case['num_shots'],
            case['num_queries'],
            case['num_episodes'],
        )
        assert [[*e.support, e.query] for e in ours] == case['pairs'].tolist()


def test_metric(dataset, fixture):
    for case in fixture['evaluation']:
        metric = METRICS.build(dict(type='EpisodePCK'))
        metric.dataset_meta = dataset.metainfo
        episodes = evaluation_episodes(
            dataset.category_instances(),
            case['num_shots'],
            case['num_queries'],
            case['num_episodes'],
        )
        for episode, predicted in zip(episodes, case['predictions']):
            sample = dataset[episode]['data_samples'].to_dict()
            count = sample['num_keypoints']
            sample['pred_instances'] = dict(
                keypoints=predicted[None, :count].numpy()
            )
            metric.process({}, [sample])
        scores = [r['scores']['PCK@0.2'] for r in metric.results]
        np.testing.assert_allclose(scores, case['pck02_per_pair'], atol=1e-9)
        counted = [r['num_counted'] for r in metric.results]
        assert counted == case['counted'].sum(1).tolist()
        ours = metric.evaluate(len(episodes))
        for name, value in case['result'].items():
            assert ours[name] == pytest.approx(value, abs=1e-4), name
