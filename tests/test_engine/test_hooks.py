from __future__ import annotations

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from mmcape.engine import ChannelsLastHook, CheckpointFitHook, StepSeedHook
from mmcape.utils.checkpoint_origin import origin_of


def draw(**state):
    runner = SimpleNamespace(**dict(dict(seed=0, iter=3, rank=0), **state))
    StepSeedHook().before_train_iter(runner, batch_idx=0)
    others = random.random(), np.random.random()  # noqa: NPY002
    return [*torch.rand(4).tolist(), *others]


def test_steps_are_a_function_of_seed_step_and_rank():
    assert draw() == draw()
    for other in (dict(seed=1), dict(iter=4), dict(rank=1)):
        assert not set(draw(**other)) & set(draw())


def load(checkpoint, tmp_path, **state):
    model = nn.Linear(2, 3)
    runner = SimpleNamespace(
        model=model,
        seed=0,
        work_dir=str(tmp_path),
        _train_loop={},
        _resume=False,
        _load_from='given.pth',
        cfg={},
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


def test_another_number_of_shots_is_said(tmp_path):
    """A checkpoint of five shots is a checkpoint of one."""
    said = []
    cfg = 'train_dataloader = dict(sampler=dict(num_shots=5))'
    checkpoint = dict(
        meta=dict(experiment_name='five_20240229_120000', cfg=cfg),
        state_dict=nn.Linear(2, 3).state_dict(),
    )
    for shots in (5, 1):
        load(
            checkpoint,
            tmp_path,
            cfg=dict(train_dataloader=dict(sampler=dict(num_shots=shots))),
            logger=SimpleNamespace(info=said.append),
        )
    (message,) = said
    assert 'trained with 5 support images' in message
    assert 'no weight depends on it' in message


def test_config_in_a_checkpoint_is_read_not_run(tmp_path):
    """Calls in it are not made, and what is no data is left out."""
    mark = tmp_path / 'executed'
    cfg = f'model = dict(type=open({str(mark)!r}, "w"), head=dict(type="H"))'
    origin = origin_of(dict(meta=dict(experiment_name='name', cfg=cfg)))
    assert str(origin) == 'name (H)'
    assert not mark.exists()
    for broken in ('model = (', '(' * 10000, None, 'model = 1'):
        meta = dict(experiment_name='name', cfg=broken)
        assert str(origin_of(dict(meta=meta))) == 'name'
    assert origin_of(dict(meta=[])) is None


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


def test_distributed_gradients_are_those_of_the_model():
    """From the first step on, though the wrapper came before the layout."""
    distributed.init_process_group(
        'gloo', store=distributed.HashStore(), rank=0, world_size=1
    )
    try:
        model, plain = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3)
        plain.load_state_dict(model.state_dict())
        runner = SimpleNamespace(
            model=DistributedDataParallel(model),
            cfg={},
            wrap_model=lambda cfg, model: DistributedDataParallel(model),
        )
        ChannelsLastHook().before_run(runner)
        images = torch.randn(2, 3, 8, 8)
        for one in (runner.model, plain):
            one(images).square().sum().backward()
        torch.testing.assert_close(model.weight.grad, plain.weight.grad)
    finally:
        distributed.destroy_process_group()
