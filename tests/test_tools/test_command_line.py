from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from mmcape.utils.command_line import load_config

from .conftest import TOOLS

CONFIG = str(
    TOOLS.parent / 'configs/capeformer/capeformer_r50_mp100-split1_1shot.py'
)


def configure(monkeypatch, tool, *arguments):
    monkeypatch.setattr(sys, 'argv', ['tool', *map(str, arguments)])
    args = tool.parse_args()
    cfg = load_config(args)
    tool.apply_options(cfg, args)
    return cfg


def test_training_options(monkeypatch, load_tool):
    cfg = configure(
        monkeypatch,
        load_tool('train.py'),
        CONFIG,
        '--amp',
        '--auto-scale-lr',
        '--resume',
        '--show-dir',
        'pictures',
        '--figures',
        'walk',
        'attention',
        '--cfg-options',
        'optim_wrapper.optimizer.lr=0.5',
    )
    assert cfg.optim_wrapper.type == 'AmpOptimWrapper'
    assert cfg.optim_wrapper.loss_scale == 'dynamic'
    assert cfg.optim_wrapper.optimizer.lr == 0.5
    assert cfg.auto_scale_lr.enable
    assert cfg.resume
    assert cfg.load_from is None
    assert cfg.default_hooks.visualization.enable
    assert cfg.default_hooks.visualization.out_dir == 'pictures'
    assert cfg.default_hooks.visualization.figures == ['walk', 'attention']
    assert cfg.work_dir == 'work_dirs/capeformer_r50_mp100-split1_1shot'


def test_resume_from_a_file(monkeypatch, load_tool, tmp_path):
    path = tmp_path / 'a.pth'
    torch.save({}, path)
    cfg = configure(
        monkeypatch, load_tool('train.py'), CONFIG, '--resume', path
    )
    assert cfg.resume
    assert cfg.load_from == str(path)


def test_resume_from_what_is_no_checkpoint(monkeypatch, load_tool, capsys):
    with pytest.raises(SystemExit):
        configure(
            monkeypatch, load_tool('train.py'), CONFIG, '--resume', CONFIG
        )
    assert 'cannot be read as a checkpoint' in capsys.readouterr().err


def test_test_options(monkeypatch, load_tool, tmp_path):
    cfg = configure(
        monkeypatch,
        load_tool('test.py'),
        CONFIG,
        'none',
        '--out',
        tmp_path / 'new' / 'out.json',
        '--dump',
        'dump.pkl',
    )
    metric, dump = cfg.test_evaluator
    assert metric.result_file == str(tmp_path / 'new' / 'out.json')
    assert dump.out_file_path == 'dump.pkl'
    assert cfg.load_from is None


@pytest.mark.parametrize(
    ('arguments', 'complaint'),
    [
        (('missing.pth',), 'missing.pth cannot be read'),
        (('none', '--dump', 'dump.json'), 'must end with .pkl'),
    ],
)
def test_bad_options_are_refused(
    monkeypatch, load_tool, capsys, arguments, complaint
):
    with pytest.raises(SystemExit):
        configure(monkeypatch, load_tool('test.py'), CONFIG, *arguments)
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    'name',
    [
        f'{kind}_{task}.sh'
        for kind in ('dist', 'slurm')
        for task in ('train', 'test')
    ],
)
def test_scripts_say_what_is_missing(name):
    script = TOOLS / name
    subprocess.run(['bash', '-n', script], check=True)
    result = subprocess.run(
        ['bash', script], capture_output=True, text=True, check=False
    )
    assert result.returncode != 0
    assert 'config' in result.stderr or 'partition' in result.stderr


def test_slurm_command(tmp_path):
    fake = tmp_path / 'srun'
    fake.write_text('#!/bin/sh\necho "$@"\n')
    fake.chmod(0o755)
    result = subprocess.run(
        [
            'bash',
            TOOLS / 'slurm_train.sh',
            'gpu',
            'job',
            CONFIG,
            'out',
            '--amp',
        ],
        env={'PATH': f'{tmp_path}:/usr/bin:/bin', 'GPUS': '2'},
        capture_output=True,
        text=True,
        check=True,
    )
    for part in ('--partition=gpu', '--ntasks=2', '--work-dir=out', '--amp'):
        assert part in result.stdout
