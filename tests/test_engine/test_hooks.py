from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from mmcape.engine import ChannelsLastHook, CheckpointFitHook, StepSeedHook


def draw(**state):
    runner = SimpleNamespace(**dict(dict(seed=0, iter=3, rank=0), **state))
    StepSeedHook().before_train_iter(runner, batch_idx=0)
    return torch.rand(4).tolist()


def test_steps_are_a_function_of_seed_step_and_rank():
    assert draw() == draw()
    for other in (dict(seed=1), dict(iter=4), dict(rank=1)):
        assert draw(**other) != draw()


def load(checkpoint, tmp_path, **state):
    model = nn.Linear(2, 3)
    runner = SimpleNamespace(
        model=model,
        seed=0,
        work_dir=str(tmp_path),
        _train_loop={},
        _resume=False,
        _load_from='given.pth',
    )
    vars(runner).update(state)
    CheckpointFitHook().after_load_checkpoint(runner, checkpoint)


def test_checkpoint_that_fits(tmp_path):
    load(dict(state_dict=nn.Linear(2, 3).state_dict()), tmp_path)


@pytest.mark.parametrize(
    ('other', 'complaint'),
    [
        (nn.Linear(2, 4), r'weight has shape \(4, 2\), not \(3, 2\)'),
        (nn.Linear(2, 3, bias=False), 'bias is missing'),
        (nn.Sequential(nn.Linear(2, 3)), '0.weight is left over'),
    ],
)
def test_checkpoint_of_another_model(other, complaint, tmp_path):
    with pytest.raises(ValueError, match=f'(?s)given.pth.*{complaint}'):
        load(dict(state_dict=other.state_dict()), tmp_path)


def test_automatic_resume_names_the_file_it_found(tmp_path):
    (tmp_path / 'last_checkpoint').write_text('work/epoch_4.pth')
    with pytest.raises(ValueError, match='work/epoch_4.pth'):
        load(
            dict(state_dict=nn.Linear(2, 4).state_dict()),
            tmp_path,
            _load_from=None,
            _resume=True,
        )


def test_convolutions_are_stored_channels_last():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 3))
    images = torch.randn(2, 3, 8, 8)
    expected = model(images)
    ChannelsLastHook().before_run(SimpleNamespace(model=model))
    weight = model[0].weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert not weight.is_contiguous()
    found = model(images)
    assert found.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found, expected)
