"""The commands of docs/inference.md work as they stand."""

from __future__ import annotations

import json
import re
import runpy
import shlex
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmpose.registry import MODELS

from mmcape.apis.model_loading import load_config

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / 'docs/inference.md').read_text()
MODEL = re.search(r'MODEL="(.*) (.*)"', PAGE)


def blocks(language):
    return re.findall(rf'```{language}\n(.*?)```', PAGE, re.DOTALL)


@pytest.fixture(scope='module')
def place(puppets_dir, tmp_path_factory):
    """Files by the names that the page gives them."""
    folder = tmp_path_factory.mktemp('page')
    config, checkpoint = MODEL.groups()
    torch.manual_seed(0)
    model = MODELS.build(load_config(config).model)
    torch.save(dict(state_dict=model.state_dict()), folder / 'random.pth')

    path = puppets_dir / 'annotations/puppets_test.json'
    name = json.loads(path.read_text())['categories'][0]['name']
    images = puppets_dir / 'images' / name
    (folder / 'folder').symlink_to(images)
    image = cv2.imread(str(sorted(images.iterdir())[0]))
    image = cv2.resize(image, (400, 300))
    cv2.imwrite(str(folder / 'mouse.jpg'), image)
    codec = cv2.VideoWriter.fourcc(*'mp4v')
    size = (400, 300)
    video = cv2.VideoWriter(str(folder / 'clip.mp4'), codec, 10.0, size)
    for _ in range(3):
        video.write(np.ascontiguousarray(image))
    video.release()

    names = {
        '$MODEL': f'{config} {checkpoint}',
        checkpoint: str(folder / 'random.pth'),
        'work_dirs/demo/puppets': str(puppets_dir),
        'quadruped_08': name,
    }
    return folder, names


def on_this_computer(text, names):
    for ours, theirs in names.items():
        text = text.replace(ours, theirs)
    return text


@pytest.fixture
def in_place(place, monkeypatch):
    folder, names = place
    monkeypatch.chdir(folder)
    return names


def test_commands(in_place, monkeypatch, capsys):
    commands = [
        shlex.split(on_this_computer(block.replace('\\\n', ' '), in_place))
        for block in blocks('shell')
        if 'infer.py' in block
    ]
    assert len(commands) == 2
    for command in commands:
        assert command[:2] == ['python', 'tools/infer.py']
        monkeypatch.setattr(sys, 'argv', command[1:])
        runpy.run_path(str(ROOT / command[1]), run_name='__main__')
    assert 'labelme: results/labelme' in capsys.readouterr().out
    for name in ('keypoints.json', 'keypoints.csv', 'visualizations/clip.mp4'):
        assert Path('results', name).is_file()


def test_python(in_place):
    (code,) = blocks('python')
    known: dict = {}
    exec(on_this_computer(code, in_place), known)
    assert known['inferencer'].failures == {}
    assert known['sample'].pred_instances.keypoints.shape == (1, 3, 2)
    assert Path('mouse.npz').is_file()


def test_every_named_file_is_there():
    for name in re.findall(r'(?:docs|mmcape|tools)/[\w./-]+\.\w+', PAGE):
        assert (ROOT / name).is_file(), name
