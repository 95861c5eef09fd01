from __future__ import annotations

import os
import subprocess
import sys

import pytest
from torch.utils.data import DataLoader, Dataset

from mmcape.datasets import UnreadableImageError
from mmcape.utils import ranks
from mmcape.utils.clear_errors import ClearErrors
from mmcape.utils.input_error import InputError
from mmcape.utils.ranks import Ranks


def message_of(error, capsys, work_dir=None):
    with pytest.raises(SystemExit) as ended, ClearErrors(work_dir):
        raise error
    assert ended.value.code == 1
    return capsys.readouterr().err


def test_input_errors_are_one_message(capsys, tmp_path):
    message = message_of(InputError('a.json has no b'), capsys)
    assert message == '\nerror: a.json has no b\n'
    message = message_of(InputError('a'), capsys, str(tmp_path))
    assert message == '\nerror: a\nThere is no checkpoint yet: start again\n'
    (tmp_path / 'last_checkpoint').write_text('work/epoch_4.pth')
    assert (
        'The last checkpoint is work/epoch_4.pth: the same command with '
        '--resume goes on from it'
    ) in message_of(InputError('a'), capsys, str(tmp_path))


def test_error_that_no_one_knows_keeps_its_traceback(capsys):
    with pytest.raises(KeyError), ClearErrors():
        raise KeyError('b')
    assert not capsys.readouterr().err


class Broken(Dataset):
    def __len__(self):
        return 1

    def __getitem__(self, index):
        raise UnreadableImageError('a.jpg is broken. Restore it', 'a.jpg')


def test_error_from_a_worker_has_no_traceback(capsys):
    with pytest.raises(UnreadableImageError) as raised:
        next(iter(DataLoader(Broken(), num_workers=1)))
    assert 'Original Traceback' in str(raised.value)
    message = message_of(raised.value, capsys)
    assert message == '\nerror: a.jpg is broken. Restore it\n'


@pytest.mark.parametrize(
    ('text', 'remedy'),
    [
        ('DataLoader worker (pid(s) 7) exited unexpectedly', 'out of memory'),
        (
            'DataLoader worker (pid 7) is killed by signal: Bus error. ',
            'Shared memory is full: enlarge /dev/shm',
        ),
    ],
)
def test_dead_worker(text, remedy, capsys):
    try:
        try:
            raise OSError
        except OSError as cause:
            raise RuntimeError(text) from cause
    except RuntimeError as error:
        message = message_of(error, capsys)
    assert f'a process that loads images has died: {text.strip()}' in message
    assert remedy in message


def test_who_is_gone(monkeypatch):
    dead = subprocess.Popen([sys.executable, '-c', ''])
    places = [(ranks.socket.gethostname(), os.getpid())] * 2
    monkeypatch.setattr(ranks, 'all_gather_object', lambda own: places)
    job = Ranks()
    assert job.who_is_gone(0.0) == 'all processes live, so one of them hangs'
    places[1] = (job.host, dead.pid)
    # it is not reaped: a process of this number is still listed
    assert job.who_is_gone(30.0) == (
        f'rank 1 (process {dead.pid} on {job.host}) has ended'
    )
    dead.wait()
    assert job.gone() == [1]
    places[1] = ('far', 5)
    assert job.who_is_gone(0.0) == (
        f'all ranks on {job.host} live, so it is one on far'
    )
