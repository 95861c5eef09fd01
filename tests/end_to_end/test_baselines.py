"""What adapts in a test goes through the same loops."""

from __future__ import annotations

import json

import pytest
import torch

OPTIONS = {
    'model.backbone.stem_channels': 8,
    'model.backbone.base_channels': 8,
    'model.head.in_channels': 32,
    'model.test_steps': 2,
    'train_cfg.max_epochs': 1,
    'train_cfg.val_interval': 1,
    'train_dataloader.batch_size': 4,
    'train_dataloader.sampler.pairs_per_category': 2,
    'val_dataloader.sampler.num_queries': 2,
    'val_dataloader.sampler.num_episodes': 2,
    'test_dataloader.sampler.num_queries': 3,
    'test_dataloader.sampler.num_episodes': 2,
    'default_hooks.checkpoint.interval': 1,
}


@pytest.mark.parametrize('method', ['maml', 'finetune'])
def test_trains_and_tests_in_two_processes(
    method, tools, puppets_dir, tmp_path
):
    """DDP sees the parameters that the inner loop starts from."""
    options = dict(OPTIONS)
    for loader in ('train', 'val', 'test'):
        options[f'{loader}_dataloader.dataset.data_root'] = puppets_dir
        options[f'{loader}_dataloader.num_workers'] = 0
        options[f'{loader}_dataloader.persistent_workers'] = False
    runner = type(tools)(puppets_dir)
    runner.options = options
    config = f'configs/{method}/{method}_tiny_puppets_1shot.py'
    runner.run('tools/dist_train.sh', config, 2, '--work-dir', tmp_path)

    checkpoint = tmp_path / 'epoch_1.pth'
    before = torch.load(checkpoint, weights_only=True)['state_dict']
    assert all(value.isfinite().all() for value in before.values())
    reports = []
    for batch_size in (1, 5):
        runner.options['test_dataloader.batch_size'] = batch_size
        folder = tmp_path / f'batch{batch_size}'
        runner.run('tools/test.py', config, checkpoint, '--work-dir', folder)
        text = (folder / 'test_results.json').read_text()
        reports.append(json.loads(text)['metrics'])
    assert reports[0]['PCK@0.2'] > 0
    for name, value in reports[0].items():
        assert reports[1][name] == pytest.approx(value, abs=1e-3), name
