from __future__ import annotations

import pytest
import torch

from mmcape.utils.checkpoint_files import CheckpointError
from mmcape.utils.resume_points import find_resume_point


@pytest.fixture
def folder(tmp_path):
    """Checkpoints saved one after the other, the newest one first named."""
    for saved_at, (name, epoch, step) in enumerate(
        [('epoch_1', 1, 4), ('step_6', 1, 6), ('epoch_2', 2, 8)]
    ):
        meta = dict(epoch=epoch, iter=step, saved_at=saved_at)
        content = dict(meta=meta, state_dict=dict(w=torch.arange(9999.0)))
        torch.save(content, tmp_path / f'{name}.pth')
    (tmp_path / 'best_PCK_epoch_2.pth').write_bytes(b'not looked at')
    (tmp_path / 'epoch_3.pth.partial').write_bytes(b'not looked at')
    (tmp_path / 'last_checkpoint').write_text(f'{tmp_path}/epoch_1.pth')
    return tmp_path


@pytest.fixture
def find(folder):
    def find():
        said = []
        return find_resume_point(str(folder), said.append), said

    return find


def test_the_newest_is_found_whatever_the_pointer_says(find, folder):
    expected = f'{folder}/epoch_2.pth'
    assert find() == (
        expected,
        [f'resuming from {expected}, saved after 8 steps and 2 whole epochs'],
    )


def half(content):
    return content[: len(content) // 2]


def zeros(content):
    middle = len(content) // 2
    return content[:middle] + bytes(512) + content[middle + 512 :]


@pytest.mark.parametrize(
    ('damage', 'complaint'),
    [
        (half, 'cannot be read as a checkpoint'),
        (lambda content: b'', 'is empty'),
        (zeros, 'is damaged: the checksum of epoch_2/data/0 is wrong'),
    ],
    ids=['half', 'empty', 'zeros'],
)
def test_broken_ones_are_named_and_left_out(find, folder, damage, complaint):
    path = folder / 'epoch_2.pth'
    path.write_bytes(damage(path.read_bytes()))
    found, (broken, chosen) = find()
    assert found == f'{folder}/step_6.pth'
    assert broken.startswith(f'left out: {path} {complaint}')
    assert chosen.startswith(f'resuming from {found}')


def test_a_run_that_went_back_is_newer(find, folder):
    """Of two branches of a run the one that was trained last counts."""
    meta = dict(epoch=1, iter=5, saved_at=9)
    torch.save(dict(meta=meta, state_dict={}), folder / 'step_5.pth')
    assert find()[0] == f'{folder}/step_5.pth'


def test_all_broken(find, folder):
    for path in folder.glob('*_?.pth'):
        path.write_bytes(b'broken')
    with pytest.raises(CheckpointError, match='no checkpoint that can be'):
        find()


def test_none(tmp_path):
    for folder in (tmp_path, tmp_path / 'not there'):
        assert find_resume_point(str(folder), print) is None
    (tmp_path / 'last_checkpoint').write_text('')
    assert find_resume_point(str(tmp_path), print) is None
    remote = 's3://bucket/epoch_4.pth'
    (tmp_path / 'last_checkpoint').write_text(remote)
    assert find_resume_point(str(tmp_path), print) == remote
