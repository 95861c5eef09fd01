"""The commands and configs of docs/getting_started.md work as they stand."""

from __future__ import annotations

import json

import pytest
import torch
from mmengine.config import Config
from mmpose.registry import HOOKS, MODELS, OPTIM_WRAPPERS

INSTALLS = ('make', 'pip', 'source')
PUPPETS = {'train': (4, 6), 'val': (2, 6), 'test': (3, 8)}


@pytest.fixture
def start(page):
    widths = {'model.head.in_channels': 32, 'model.head.embed_dims': 32}
    return page('getting_started.md', **widths)


def test_commands(start):
    draw, train, look, test, five_shots, train_on_two = (
        command for command in start.commands() if command[0] not in INSTALLS
    )
    for split, (categories, instances) in PUPPETS.items():
        draw += [f'--{split}-categories', str(categories)]
        draw += [f'--{split}-instances', str(instances)]
    draw += ['--workers', '1']
    test[test.index('--interval') + 1] = '4'

    start.run(draw)
    for command in (train, look, test):
        start.run(start.shrunk(command))
    pictures = list((start.folder / 'pictures').glob('*.jpg'))
    assert len(pictures) == 3  # of 3 x 2 x 2 episodes
    report = start.folder / 'work_dirs/capeformer_tiny_puppets_1shot'
    one = json.loads((report / 'test_results.json').read_text())
    start.run(start.shrunk(five_shots))
    five = json.loads((report / 'test_results.json').read_text())
    assert one['episodes_sha256'] != five['episodes_sha256']

    start.run([*start.shrunk(train_on_two), 'work_dir=work_dirs/two'])
    for name in ('capeformer_tiny_puppets_1shot', 'look', 'two'):
        run = start.folder / 'work_dirs' / name
        assert (run / 'epoch_1.pth').is_file(), name
        assert (run / 'best_PCK@0.2_epoch_1.pth').is_file(), name


@pytest.fixture
def configs(start, tmp_path):
    """The page's two configs; those of mmcape are not looked up by name."""
    found = []
    for code in start.blocks('python'):
        path = tmp_path / f'config{len(found)}.py'
        path.write_text(code.replace('mmcape::', f'{start.folder}/configs/'))
        found.append(Config.fromfile(str(path)))
    return found


def test_parts_in_a_config_of_mmpose(configs):
    cfg, _ = configs
    assert cfg.model.type == 'TopdownPoseEstimator'
    (hook,) = map(HOOKS.build, cfg.custom_hooks)
    assert type(hook).__module__.startswith('mmcape.')
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    built = dict(type=cfg.optim_wrapper.type, optimizer=optimizer)
    wrapper = OPTIM_WRAPPERS.build(built)
    assert type(wrapper).__module__.startswith('mmcape.')


def test_a_config_of_mmcape_with_another_backbone(configs):
    _, cfg = configs
    assert cfg.custom_imports.imports == ['mmcape']
    model = MODELS.build(cfg.model).eval()
    with torch.no_grad():
        (features,) = model.backbone(torch.zeros(1, 3, 256, 256))
        assert model.head.query_proj(features).shape == (1, 256, 8, 8)
