from __future__ import annotations

import dataclasses
import importlib.util
import os
import re
import signal
import socket
import sys
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest

from mmcape.apis import InputError
from mmcape.webapp.uploads import Limits

CONFIG = 'capeformer_tiny_puppets_1shot'
ROOT = Path(__file__).parents[2]


@pytest.fixture
def tool(load_tool):
    return load_tool('web.py')


def test_defaults_bind_to_loopback_and_limit_uploads(tool):
    args = tool.parse_args([])
    assert (args.host, args.port) == ('127.0.0.1', None)
    assert tool.make_limits(args) == Limits()


def test_options_reach_the_limits(tool):
    args = tool.parse_args(['--max-upload-mb', '2.5', '--max-frames', '7'])
    limits = tool.make_limits(args)
    assert (limits.upload_mb, limits.frames) == (2.5, 7)
    assert limits.queries == Limits().queries
    with pytest.raises(InputError, match='--max-session-mb must be more'):
        tool.make_limits(tool.parse_args(['--max-session-mb', '0']))


def test_its_page_names_limits_and_files(tool):
    page = (ROOT / 'docs/web.md').read_text()
    limits = {
        name.replace('-', '_'): float(value)
        for name, value in re.findall(r'`--max-([\w-]+)` \| (\d+)', page)
    }
    assert limits == dataclasses.asdict(Limits())
    named = re.findall(r'(?:mmcape|tools)/[\w./-]+\.\w+', page)
    assert len(named) > 5
    for name in named:
        assert (ROOT / name).is_file(), name


def test_without_arguments_the_model_of_the_demo(tool, tmp_path, monkeypatch):
    monkeypatch.setattr(tool, '__file__', str(tmp_path / 'tools/web.py'))
    with pytest.raises(InputError, match='epoch_15.pth is missing: run `make'):
        tool.load_model(tool.parse_args([]))
    asked = []
    monkeypatch.setattr(
        tool, 'CapeInferencer', lambda *model: asked.append(model[1:])
    )
    checkpoint = tmp_path / 'work_dirs/demo/capeformer/epoch_15.pth'
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    tool.load_model(tool.parse_args(['--device', 'cpu']))
    assert asked == [(str(checkpoint), 'cpu')]


@pytest.mark.parametrize(
    ('options', 'complaint'),
    [
        ((CONFIG,), 'give a checkpoint beside the config'),
        ((CONFIG, 'missing.pth'), 'missing.pth cannot be read'),
        ((CONFIG, 'x.pth', '--looks', '0'), '--looks must be at least 1'),
    ],
)
def test_bad_options_end_with_one_message(
    tool, monkeypatch, options, complaint
):
    pretend_gradio(monkeypatch, there=True)
    monkeypatch.setattr(sys, 'argv', ['web', *options])
    with pytest.raises(SystemExit, match=f'error: .*{complaint}'):
        tool.main()


def test_without_gradio_it_says_what_to_install(tool, monkeypatch):
    pretend_gradio(monkeypatch, there=False)
    monkeypatch.setattr(sys, 'argv', ['web'])
    with pytest.raises(SystemExit, match='requirements/web.txt'):
        tool.main()


def pretend_gradio(monkeypatch, there):
    spec = object() if there else None
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: spec)


@pytest.fixture
def as_before_training(tool, monkeypatch):
    """Every checkpoint stands for the weights of before training."""
    load = tool.CapeInferencer
    monkeypatch.setattr(
        tool, 'CapeInferencer', lambda cfg, _, device: load(cfg, None, device)
    )
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


@pytest.mark.usefixtures('as_before_training')
def test_a_taken_port_is_named(tool):
    pytest.importorskip('gradio', reason='needs requirements/web.txt')
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        options = [CONFIG, 'none.pth', '--device', 'cpu', '--port', str(port)]
        with pytest.raises(InputError, match=f'127.0.0.1, port {port}: is'):
            tool.serve(tool.parse_args(options))


@pytest.mark.usefixtures('as_before_training')
def test_it_serves_until_it_is_interrupted(tool, monkeypatch, capsys):
    pytest.importorskip('gradio', reason='needs requirements/web.txt')
    pages = []

    class Interrupted:
        def wait(self):
            address = capsys.readouterr().out.split()[4]
            with urllib.request.urlopen(address) as answer:
                pages.append((address, answer.read().decode()))
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(9)

    events = SimpleNamespace(Event=Interrupted)
    monkeypatch.setattr(tool, 'threading', events)
    tool.serve(tool.parse_args([CONFIG, 'none.pth', '--device', 'cpu']))
    ((address, page),) = pages
    assert address.startswith('http://127.0.0.1:')
    assert '"title":"mmcape"' in page
    with pytest.raises(OSError, match='refused|closed'):
        urllib.request.urlopen(address)
