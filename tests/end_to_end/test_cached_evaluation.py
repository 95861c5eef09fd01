"""The cached loops find what mmengine's plain loops find."""

from __future__ import annotations

import copy
import pickle
import re

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from .conftest import ROOT

METHODS = ('capeformer', 'pomnet', 'protonet', 'maml', 'finetune')


@pytest.fixture
def evaluate(puppets_dir, tmp_path):
    """Tests a small random model; its predictions, metrics and log.

    Its weights must come out as they went in, whatever adapts to supports.
    """

    def run(method='capeformer', num_shots=1, **options):
        name = f'configs/{method}/{method}_tiny_puppets_1shot.py'
        cfg = Config.fromfile(ROOT / name)
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        cfg.merge_from_dict(
            {
                'work_dir': str(folder),
                # loggers are shared by name, and names end with the second
                'experiment_name': f'{tmp_path.name}-{folder.name}',
                'model.backbone.stem_channels': 8,
                'model.backbone.base_channels': 8,
                'test_dataloader.num_workers': 0,
                'test_dataloader.persistent_workers': False,
                'test_dataloader.batch_size': 7,
                'test_dataloader.dataset.data_root': str(puppets_dir),
                'test_dataloader.sampler.num_shots': num_shots,
                'test_dataloader.sampler.num_queries': 3,
                'test_dataloader.sampler.num_episodes': 4,
            }
        )
        if 'in_channels' in cfg.model.head:
            cfg.model.head.in_channels = 32
        if method == 'pomnet':
            cfg.model.support_backbone.update(cfg.model.backbone)
        cfg.merge_from_dict(options)
        dump = folder / 'dump.pkl'
        cfg.test_evaluator = [
            cfg.test_evaluator,
            dict(type='DumpResults', out_file_path=str(dump)),
        ]
        for name in ('train', 'val'):
            cfg[f'{name}_dataloader'] = cfg[f'{name}_cfg'] = None
        cfg.val_evaluator = cfg.optim_wrapper = cfg.param_scheduler = None
        runner = Runner.from_cfg(cfg)
        before = copy.deepcopy(runner.model.state_dict())
        metrics = runner.test()
        after = runner.model.state_dict()
        assert after.keys() == before.keys()
        for name, value in before.items():
            assert torch.equal(after[name], value), name
        predictions = {
            sample['episode_index']: sample['pred_instances']
            for sample in pickle.loads(dump.read_bytes())
        }
        log = next(folder.glob('*/*.log')).read_text()
        return predictions, metrics, log

    return run


def kibibytes(log):
    return int(re.search(r'of (\d+) KiB', log).group(1))


def assert_equal(found, expected, atol):
    assert found.keys() == expected.keys()
    for index, instances in expected.items():
        for name in ('keypoints', 'keypoint_scores'):
            np.testing.assert_allclose(
                found[index][name], instances[name], rtol=0, atol=atol
            )


@pytest.mark.parametrize('num_shots', [1, 5])
@pytest.mark.parametrize('method', METHODS)
def test_equals_the_plain_loop(method, num_shots, evaluate):
    plain, expected, _ = evaluate(
        method, num_shots, **{'test_cfg.type': 'TestLoop'}
    )
    cached, metrics, log = evaluate(method, num_shots)
    assert len(cached) == 3 * 4 * 3
    assert_equal(cached, plain, atol=2e-3)  # 1e-5 of 200 pixels
    assert metrics == pytest.approx(expected, abs=1e-5)
    assert '24 instances to encode for 36 pairs' in log


def test_memory_limit_costs_encodings_and_changes_nothing(evaluate):
    expected, _, _ = evaluate(num_shots=2)
    options = {
        'test_cfg.memory_limit': 1e-9,
        'test_cfg.pairs_per_batch': 3,
    }
    found, _, log = evaluate(num_shots=2, **options)
    assert_equal(found, expected, atol=2e-3)
    line = next(line for line in log.splitlines() if 'to encode' in line)
    assert int(line.split(' instances to encode')[0].split()[-1]) > 24
    assert 'at most 5 of' in line  # two shots and three queries


def test_mixed_precision(evaluate):
    expected, _, log = evaluate()
    found, _, half_log = evaluate(**{'test_cfg.fp16': True})
    distances = np.concatenate(
        [
            np.abs(found[i]['keypoints'] - expected[i]['keypoints']).ravel()
            for i in expected
        ]
    )
    assert 1e-4 < np.median(distances) < 1
    assert kibibytes(half_log) < 0.6 * kibibytes(log)


def test_a_pipeline_with_augmentation_is_refused(evaluate):
    cfg = Config.fromfile(
        ROOT / 'configs/capeformer/capeformer_tiny_puppets_1shot.py'
    )
    with pytest.raises(ValueError, match="test_cfg=dict.type='TestLoop'"):
        evaluate(**{'test_dataloader.dataset.pipeline': cfg.train_pipeline})


def test_shots_of_several_keypoint_counts_are_padded():
    from mmcape.engine.loops.cached_instances import stack_codes

    codes = [dict(shot=torch.ones(k, 2)) for k in (3, 5)]
    batch = stack_codes(codes)['shot']
    assert batch.shape == (2, 5, 2)
    assert batch[0, 3:].abs().sum() == 0
