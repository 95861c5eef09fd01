"""What the tools make of a file that is not a checkpoint of the model."""

from __future__ import annotations

import contextlib
import http.server
import os
import pickle
import re
import sys
import threading

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import CheckpointLoader
from mmpose.registry import MODELS

from mmcape.apis import AnnotatedSupport, CapeInferencer, InputError
from mmcape.utils.checkpoint_files import CheckpointError, read_checkpoint

from .conftest import TOOLS

CONFIGS = TOOLS.parent / 'configs'
CONFIG = CONFIGS / 'capeformer/capeformer_tiny_puppets_1shot.py'
SMALL = {
    'model.backbone.stem_channels': 8,
    'model.backbone.base_channels': 8,
    'model.head.in_channels': 32,
    'model.head.embed_dims': 32,
    'val_dataloader.sampler.num_queries': 2,
    'val_dataloader.sampler.num_episodes': 1,
    'test_dataloader.sampler.num_queries': 2,
    'test_dataloader.sampler.num_episodes': 1,
}


@pytest.fixture
def refused(capsys):
    """Expects a tool to end with one message; gives it as a list of one."""

    @contextlib.contextmanager
    def refused(pattern=''):
        told = []
        with pytest.raises(SystemExit):
            yield told
        told += capsys.readouterr().err.split('error: ')[1:]
        assert len(told) == 1
        assert re.search(pattern, told[0])

    return refused


@pytest.fixture
def run(load_tool, monkeypatch, puppets_dir, tmp_path):
    """Run a tool in this process on the small model and data."""

    def run(tool, *arguments, options=(), config=CONFIG):
        settings = {**SMALL, **dict(options)}
        for loader in ('train', 'val', 'test'):
            settings[f'{loader}_dataloader.dataset.data_root'] = puppets_dir
            settings[f'{loader}_dataloader.num_workers'] = 0
            settings[f'{loader}_dataloader.persistent_workers'] = False
        command = [tool, config, *arguments, '--work-dir', tmp_path / 'work']
        command += [
            '--cfg-options',
            *(f'{k}={v}' for k, v in settings.items()),
        ]
        monkeypatch.setattr(sys, 'argv', list(map(str, command)))
        load_tool(tool).main()

    return run


def small_config():
    cfg = Config.fromfile(CONFIG)
    cfg.merge_from_dict(SMALL)
    return cfg


def checkpoint_of(cfg, name='capeformer_tiny_puppets_1shot'):
    return dict(
        meta=dict(
            experiment_name=f'{name}_20240229_120000',
            cfg=cfg.pretty_text,
            seed=0,
            epoch=1,
            iter=8,
        ),
        state_dict=MODELS.build(cfg.model).state_dict(),
    )


class Call:
    """Pickles as a call of a function."""

    def __init__(self, function, *args):
        self.call = (function, args)

    def __reduce__(self):
        return self.call


@pytest.fixture
def mark(tmp_path):
    """File that exists once a payload has run."""
    return tmp_path / 'executed'


@pytest.fixture(params=['zip', 'legacy', 'pickle'])
def payload(request, mark, tmp_path):
    """A checkpoint whose loading makes the mark if code in it is run."""
    path = tmp_path / 'payload.pth'
    content = dict(meta=dict(), state_dict=Call(os.system, f'touch {mark}'))
    if request.param == 'zip':
        torch.save(content, path)
    elif request.param == 'legacy':
        content['optimizer'] = Call(exec, f'open({str(mark)!r}, "w")')
        torch.save(content, path, _use_new_zipfile_serialization=False)
    else:
        path.write_bytes(pickle.dumps(content))
    return path


def convert(load_tool, monkeypatch, *arguments):
    monkeypatch.setattr(sys, 'argv', ['tool', *map(str, arguments)])
    load_tool('model_converters/published_to_mmcape.py').main()


def infer(load_tool, monkeypatch, *arguments):
    monkeypatch.setattr(sys, 'argv', ['tool', *map(str, arguments)])
    load_tool('infer.py').main()


WAYS_IN = {
    'test.py': lambda run, path: run('test.py', path),
    'train.py --resume FILE': lambda run, path: run(
        'train.py', '--resume', path
    ),
    'load_from': lambda run, path: run(
        'train.py', options={'load_from': path}
    ),
    'init_cfg': lambda run, path: run(
        'train.py',
        options={
            'model.backbone.init_cfg._delete_': True,
            'model.backbone.init_cfg.type': 'Pretrained',
            'model.backbone.init_cfg.checkpoint': path,
        },
    ),
}


@pytest.mark.parametrize('way', WAYS_IN)
def test_code_is_not_run(way, run, payload, mark):
    with pytest.raises((SystemExit, CheckpointError)):
        WAYS_IN[way](run, payload)
    assert not mark.exists()


def test_the_payload_is_one(payload, mark):
    """Loaded as mmengine would on an older torch, it runs."""
    with contextlib.suppress(RuntimeError):  # after it has run
        torch.load(payload, weights_only=False)
    assert mark.exists()


def test_code_is_not_run_by_automatic_resuming(
    run, refused, payload, mark, tmp_path
):
    (tmp_path / 'work').mkdir()
    (tmp_path / 'work' / 'last_checkpoint').write_text(str(payload))
    with refused('payload.pth cannot be read'):
        run('train.py', '--resume')
    assert not mark.exists()


def test_config_in_a_checkpoint_is_not_run(run, mark, tmp_path):
    """Resuming, mmengine runs the text in this place."""
    path = tmp_path / 'payload.pth'
    content = checkpoint_of(small_config())
    content['meta']['config'] = f'open({str(mark)!r}, "w")'
    nothing = dict(log_scalars={}, runtime_info={}, resumed_keys={})
    content.update(optimizer={}, message_hub=nothing)
    torch.save(content, path)
    with pytest.raises(KeyError, match='param_groups'):
        run('train.py', '--resume', path)
    assert not mark.exists()


def test_code_is_not_run_by_inference(payload, mark):
    with pytest.raises(InputError, match='payload.pth cannot be read'):
        CapeInferencer(small_config(), payload)
    assert not mark.exists()


def test_code_is_not_run_by_the_converter(
    load_tool, monkeypatch, payload, mark, tmp_path
):
    with pytest.raises(SystemExit, match='payload.pth'):
        convert(load_tool, monkeypatch, payload, tmp_path / 'out.pth')
    assert not mark.exists()
    assert not (tmp_path / 'out.pth').exists()


@pytest.fixture
def address(payload, monkeypatch, tmp_path):
    """An address of the payload, and a folder for what is downloaded."""
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'hub'))
    content = payload.read_bytes()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header('Content-Length', str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(('127.0.0.1', 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f'http://127.0.0.1:{server.server_port}/payload.pth'
        server.shutdown()


def test_code_behind_an_address_is_not_run(address, mark):
    """The download of torch itself loads anything, whatever its version."""
    with pytest.raises(CheckpointError, match='hub/checkpoints/payload.pth'):
        CheckpointLoader.load_checkpoint(address, 'cpu')
    assert not mark.exists()


def test_address_of_no_file():
    with pytest.raises(CheckpointError, match='address of no file'):
        CheckpointLoader.load_checkpoint('http://localhost/', 'cpu')


@pytest.mark.parametrize('where', ['meta', 'keypoints', 'image_0'])
def test_code_in_a_support_file_is_not_run(
    load_tool, monkeypatch, where, mark, tmp_path
):
    code = np.array([Call(os.system, f'touch {mark}')], object)
    arrays = dict(
        meta=np.array('{}'),
        keypoints=np.zeros((1, 3, 2)),
        visible=np.ones((1, 3), bool),
        boxes=np.zeros((1, 4)),
        image_0=np.zeros(8, np.uint8),
    )
    arrays[where] = code
    path = tmp_path / 'support.npz'
    np.savez(path, **arrays)
    with pytest.raises(InputError, match='support.npz is no support file'):
        AnnotatedSupport.load(path)
    image = tmp_path / 'query.png'
    image.write_bytes(b'')
    with pytest.raises(SystemExit, match='support.npz is no support file'):
        infer(
            load_tool,
            monkeypatch,
            *(CONFIG, 'missing.pth', image, '--support', path),
        )
    assert not mark.exists()


def write_broken(kind, path):
    """Put what is no checkpoint at a path."""
    if kind == 'missing':
        return
    if kind == 'folder':
        path.mkdir()
    elif kind == 'empty':
        path.write_bytes(b'')
    elif kind == 'truncated':
        torch.save(checkpoint_of(small_config()), path)
        path.write_bytes(path.read_bytes()[:20000])
    elif kind == 'html':
        path.write_text('\n<!DOCTYPE html>\n<html>Sign in</html>')
    elif kind == 'safetensors':
        header = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
        length = len(header).to_bytes(8, 'little')
        path.write_bytes(length + header + b'\0\0\0\0')
    elif kind == 'tensor':
        torch.save(torch.zeros(2), path)
    else:
        path.write_text('import this')


BROKEN = {
    'missing': 'No such file',
    'folder': 'Is a directory',
    'empty': 'is empty',
    'truncated': 'damaged',
    'html': 'is a web page',
    'safetensors': 'is a safetensors file',
    'tensor': 'holds no weights by name but a Tensor',
    'text': 'cannot be read as a checkpoint of plain tensors',
}


@pytest.mark.parametrize('kind', BROKEN)
def test_broken_file_is_named(kind, run, refused, tmp_path):
    path = tmp_path / 'broken.pth'
    write_broken(kind, path)
    for tool, arguments in (
        ('test.py', (path,)),
        ('train.py', ('--resume', path)),
    ):
        with refused(BROKEN[kind]) as told:
            run(tool, *arguments)
        assert told[0].startswith(str(path))
    with refused(BROKEN[kind]):
        run('train.py', options={'load_from': path})
    with pytest.raises(InputError, match=BROKEN[kind]):
        CapeInferencer(small_config(), path)


@pytest.mark.parametrize('legacy', [False, True], ids=['zip', 'legacy'])
def test_damage_is_the_only_error(legacy, tmp_path):
    """Flipped, cut and doubled bytes, in both formats of torch."""
    path = tmp_path / 'damaged.pth'
    content = dict(
        meta=dict(seed=np.int64(0)), state_dict=dict(w=torch.eye(2))
    )
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    sound = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        broken = bytearray(sound)
        for place in rng.integers(0, len(sound), rng.integers(1, 8)):
            broken[place] = rng.integers(0, 256)
        if rng.random() < 0.3:
            del broken[rng.integers(0, len(broken)) :]
        path.write_bytes(bytes(broken))
        with contextlib.suppress(CheckpointError):
            read_checkpoint(path)
            refused -= 1
        refused += 1
    assert refused > 60


def other_checkpoint(kind):
    cfg, name = small_config(), 'capeformer_tiny_puppets_1shot'
    if kind == 'method':
        name = 'pomnet_tiny_puppets_1shot'
        cfg = Config.fromfile(CONFIGS / f'pomnet/{name}.py')
    elif kind == 'width':
        cfg.model.head.embed_dims = 64
    elif kind == 'backbone':
        cfg.model.backbone.depth = 34
    return checkpoint_of(cfg, name)


OTHERS = {
    'method': ('is missing', 'pomnet_tiny_puppets_1shot (PomNetHead, '),
    'width': (
        'has shape (64, 32), not (32, 32)',
        '_1shot (CapeFormerHead, ResNet-18)',
    ),
    'backbone': ('backbone.layer1.2.conv1.weight is left over', 'ResNet-34)'),
}


@pytest.mark.parametrize('kind', OTHERS)
def test_checkpoint_of_another_model(kind, run, refused, tmp_path):
    path = tmp_path / 'other.pth'
    torch.save(other_checkpoint(kind), path)
    what, origin = OTHERS[kind]
    for tool, arguments in (
        ('test.py', (path,)),
        ('train.py', ('--resume', path)),
    ):
        with refused() as told:
            run(tool, *arguments)
        (message,) = told
        assert message.startswith(f'{path} is not a checkpoint of this config')
        assert what in message
        assert 'It was written by ' in message
        assert origin in message
    with pytest.raises(InputError, match='not a checkpoint of this config'):
        CapeInferencer(small_config(), path)


@pytest.mark.parametrize('kind', ['method', 'width'])
def test_training_does_not_start_from_another_model(
    kind, run, refused, tmp_path
):
    path = tmp_path / 'other.pth'
    torch.save(other_checkpoint(kind), path)
    with refused(r'has \d+ of \d+ weights'):
        run('train.py', options={'load_from': path})


def test_weights_alone_are_not_resumed(run, refused, tmp_path):
    path = tmp_path / 'weights.pth'
    torch.save(checkpoint_of(small_config()), path)
    with refused('no optimizer, message_hub to'):
        run('train.py', '--resume', path)


@pytest.mark.parametrize(
    ('given', 'complaint'),
    [
        ('whole model', r"begin with 'backbone\.conv1.*init_cfg\.prefix"),
        ('other width', r'has shape \(16, 3, 7, 7\), not \(8, 3, 7, 7\)'),
    ],
)
def test_backbone_does_not_start_from_other_weights(
    given, complaint, run, refused, tmp_path
):
    cfg = small_config()
    if given == 'other width':
        cfg.model.backbone.update(stem_channels=16, base_channels=16)
        cfg.model.head.in_channels = 64
    weights = checkpoint_of(cfg)['state_dict']
    if given == 'other width':
        weights = {
            name[len('backbone.') :]: value
            for name, value in weights.items()
            if name.startswith('backbone.')
        }
    path = tmp_path / 'backbone.pth'
    torch.save(weights, path)
    options = {
        'model.backbone.init_cfg._delete_': True,
        'model.backbone.init_cfg.type': 'Pretrained',
        'model.backbone.init_cfg.checkpoint': path,
    }
    with refused(f'(?s){complaint}'):
        run('train.py', options=options)


def test_backbone_starts_from_the_part_of_a_model(tmp_path):
    cfg = small_config()
    torch.manual_seed(1)
    checkpoint = checkpoint_of(cfg)
    path = tmp_path / 'model.pth'
    torch.save(checkpoint, path)
    cfg.model.backbone.init_cfg = dict(
        type='Pretrained', checkpoint=str(path), prefix='backbone.'
    )
    torch.manual_seed(2)
    model = MODELS.build(cfg.model)
    model.init_weights()
    name = 'layer1.0.conv1.weight'
    expected = checkpoint['state_dict'][f'backbone.{name}']
    assert torch.equal(model.backbone.state_dict()[name], expected)
