"""The README's snippets are true."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from mmengine.config import Config
from mmpose.registry import MODELS

from mmcape.testing import make_episode_batch

ROOT = Path(__file__).parents[1]
README = (ROOT / 'README.md').read_text()
CONFIGS = ROOT / 'configs/capeformer'


def snippet(containing):
    (code,) = (
        block
        for block in re.findall(r'```python\n(.*?)```', README, re.DOTALL)
        if containing in block
    )
    return code


def load(tmp_path, code):
    path = tmp_path / 'config.py'
    path.write_text(code.replace("'./", f"'{CONFIGS}/"))
    return Config.fromfile(str(path))


def test_another_backbone(tmp_path):
    base = "_base_ = './capeformer_r50_mp100-split1_1shot.py'\n"
    cfg = load(tmp_path, base + snippet('SwinTransformer'))
    model = MODELS.build(cfg.model).eval()
    inputs, _ = make_episode_batch(1, size=(256, 256))
    with torch.no_grad():
        output = model(inputs, None)
    assert output.similarity.shape[-2:] == (8, 8)


def test_own_data(tmp_path):
    cfg = load(tmp_path, snippet('data/mine'))
    for loader in ('train', 'val', 'test'):
        dataset = cfg[f'{loader}_dataloader'].dataset
        assert dataset.ann_file == f'{loader}.json'
        assert dataset.data_root == 'data/mine'
        assert dataset.split is None


def test_every_named_file_is_there():
    names = re.findall(r'(?:configs|docs|mmcape|tools)/[\w./-]+', README)
    assert len(names) > 20
    for name in names:
        if name.endswith(('.py', '.md', '.sh', '.jpg')):
            assert (ROOT / name).is_file(), name
