from __future__ import annotations

import torch


def weights(path):
    return torch.load(path, weights_only=True)['state_dict']


def test_training_writes_what_users_expect(trained):
    names = {path.name for path in trained.iterdir()}
    assert {'epoch_3.pth', 'last_checkpoint'} <= names
    assert any(name.startswith('best_PCK@0.2_epoch_') for name in names)
    log = next(trained.glob('*/*.log')).read_text()
    for expected in ('eta:', 'loss_heatmap', 'acc_pck', 'episodes sha256'):
        assert expected in log


def test_two_processes_train_on_gloo(tools, tmp_path):
    output = tools.run(
        'tools/dist_train.sh',
        tools.config,
        2,
        '--work-dir',
        tmp_path,
        '--auto-scale-lr',
        options={'train_cfg.max_epochs': 1, 'train_cfg.val_interval': 1},
    )
    assert 'Epoch(train) [1][4/4]' in output  # half of the 8 steps each
    assert 'Scaling the original LR by 0.25' in output
    assert (tmp_path / 'epoch_1.pth').exists()


def test_no_validation_and_curves_for_tensorboard(tools, tmp_path):
    output = tools.run(
        'tools/train.py',
        tools.config,
        '--work-dir',
        tmp_path,
        '--no-validate',
        options={
            'train_cfg.max_epochs': 1,
            'visualizer.vis_backends.0.type': 'TensorboardVisBackend',
        },
    )
    assert 'Epoch(val)' not in output
    assert list(tmp_path.rglob('events.out.tfevents.*'))


def test_mixed_precision_without_a_gpu(tools, tmp_path):
    tools.run(
        'tools/train.py',
        tools.config,
        '--work-dir',
        tmp_path,
        '--amp',
        '--amp-dtype',
        'bfloat16',
        options={'train_cfg.max_epochs': 1, 'train_cfg.val_interval': 1},
    )
    trained = weights(tmp_path / 'epoch_1.pth')
    for name, value in trained.items():
        assert value.isfinite().all(), name
        assert value.dtype != torch.bfloat16, name
