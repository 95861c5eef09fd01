from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest
from mmengine.fileio import get_file_backend

from mmcape.utils.atomic_files import SaveError, write_atomically


def test_content_replaces_what_was_there(tmp_path):
    path = tmp_path / 'file'
    for content in (b'first', b'second'):
        backend = get_file_backend(
            str(path), backend_args=dict(backend='atomic')
        )
        backend.put(content, path)
        assert path.read_bytes() == content
    assert os.listdir(tmp_path) == ['file']


def test_content_is_on_the_disk_before_its_name(tmp_path, monkeypatch):
    """A power cut between the two leaves the file as it was."""
    calls = []
    for name in ('fsync', 'replace'):
        function = getattr(os, name)
        monkeypatch.setattr(
            os,
            name,
            lambda *args, name=name, function=function: (
                calls.append(name),
                function(*args),
            ),
        )
    write_atomically(tmp_path / 'file', b'content')
    assert calls == ['fsync', 'replace', 'fsync']  # the folder comes last


@pytest.fixture
def small_disk(tmp_path):
    """A disk of one MiB."""
    if os.geteuid() != 0:
        pytest.skip('mounting takes root')
    command = ['mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', tmp_path]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip('this system mounts nothing')
    yield tmp_path
    subprocess.run(['umount', tmp_path], check=True)


def test_full_disk(small_disk):
    path = small_disk / 'weights.pth'
    write_atomically(path, b'x' * 700_000)
    with pytest.raises(
        SaveError,
        match='cannot save .*weights.pth: No space left on device. It needs '
        '1.91 MiB, 0.33 MiB are free there; what was saved before is whole',
    ):
        write_atomically(path, b'y' * 2_000_000)
    assert path.read_bytes() == b'x' * 700_000
    assert os.listdir(small_disk) == ['weights.pth'], 'room is given back'


def test_any_refusal_is_named(tmp_path, monkeypatch):
    def refuse(*args):
        raise OSError(errno.EDQUOT, 'Disk quota exceeded')

    path = tmp_path / 'file'
    path.write_bytes(b'before')
    monkeypatch.setattr(os, 'fsync', refuse)
    with pytest.raises(SaveError, match=f'{path}: Disk quota exceeded'):
        write_atomically(path, b'after')
    assert path.read_bytes() == b'before'
    assert not Path(f'{path}.partial').exists()
