from __future__ import annotations

import logging
from copy import deepcopy
from functools import partial

import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.model import BaseModel
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.optim.optimizer import amp_optimizer_wrapper
from torch import nn

from mmcape.engine import (
    Bfloat16OptimWrapper,
    FiniteLossHook,
    NonFiniteLossError,
)
from mmcape.engine.hooks import finite_loss_hook
from mmcape.structures import EpisodeDataSample


class Toy(BaseModel):
    """Two layers with BatchNorm; ``extra`` is added to the loss."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)
        )
        self.fails_together = False

    def forward(self, inputs, data_samples, mode):
        output = self.layers(torch.stack(inputs['points']))
        loss = output.float().square().mean()
        loss = loss + torch.stack(inputs['extra']).sum()
        if self.fails_together and self.training:
            loss = loss / 0
        return dict(loss=loss, acc_pck=torch.tensor(0.5))


class Run:
    """Steps of a training, with the hook in it."""

    def __init__(self, wrapper=OptimWrapper, **arguments):
        self.model = Toy()
        optimizer = torch.optim.AdamW(self.model.parameters(), lr=0.1)
        settings = dict(clip_grad=dict(max_norm=1.0))
        self.optim_wrapper = wrapper(
            optimizer=optimizer,
            accumulative_counts=arguments.pop('accumulate', 1),
            **settings,
        )
        self.message_hub = MessageHub('test')
        self.optim_wrapper.message_hub = self.message_hub
        self.logger = logging.getLogger('test')
        self.iter = self.epoch = 0
        self.hook = FiniteLossHook(**arguments)
        self.hook.before_train(self)

    def step(self, seed, **spoilt):
        batch = make_batch(seed, **spoilt)
        self.hook.before_train_iter(self, 0, batch)
        outputs = self.model.train_step(batch, self.optim_wrapper)
        self.hook.after_train_iter(self, 0, batch, outputs)
        self.iter += 1
        return outputs

    def state(self):
        return deepcopy(
            dict(
                self.model.state_dict(),
                **{
                    f'{key}.{name}': value
                    for key, values in enumerate(
                        self.optim_wrapper.optimizer.state.values()
                    )
                    for name, value in values.items()
                },
            )
        )


def make_batch(seed, kind='', row=1):
    rng = torch.Generator().manual_seed(seed)
    points = list(torch.randn(3, 3, generator=rng))
    extra = list(torch.zeros(3))
    if kind == 'points':
        points[row][0] = torch.nan
    elif kind:  # gradients stay finite
        extra[row] = torch.tensor(float(kind))
    samples = [
        EpisodeDataSample(
            metainfo=dict(
                id=10 * seed + place,
                img_path=f'{place}.jpg',
                support_ids=(7,),
                support_img_paths=('s.jpg',),
            )
        )
        for place in range(3)
    ]
    inputs = dict(points=points, extra=extra)
    return dict(inputs=inputs, data_samples=samples)


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value), name


@pytest.fixture(params=['float32', 'bfloat16', 'scaler'])
def wrapper(request, monkeypatch):
    if request.param == 'float32':
        return OptimWrapper
    if request.param == 'bfloat16':
        return Bfloat16OptimWrapper
    # mmengine's own, made to run without a GPU
    monkeypatch.setattr(amp_optimizer_wrapper, 'is_cuda_available', bool)
    monkeypatch.setattr(
        amp_optimizer_wrapper, 'is_npu_available', lambda: True
    )
    monkeypatch.setattr(
        amp_optimizer_wrapper,
        'GradScaler',
        partial(torch.amp.GradScaler, 'cpu'),
    )
    return partial(AmpOptimWrapper, dtype='bfloat16')


@pytest.mark.parametrize('kind', ['points', 'nan', 'inf', '-inf'])
def test_skipped_step_leaves_no_trace(wrapper, kind):
    run, other = (Run(wrapper, on_nonfinite='skip') for _ in range(2))
    for one in (run, other):
        one.step(1)
    before = run.state()
    assert run.step(2, kind=kind) == {}
    assert_same(run.state(), before)
    outputs = run.step(3)
    assert {'loss', 'acc_pck'} <= outputs.keys()
    if not isinstance(wrapper, partial):  # a scaler lowers its scale
        other.step(3)
        assert_same(run.state(), other.state())
    norm = run.message_hub.get_scalar('train/grad_norm')
    assert norm.mean(3) > 0  # no number would be lost to the average


def test_accumulated_update_with_a_lost_batch_is_left_out():
    run, other = (
        Run(on_nonfinite='skip', accumulate=2, max_skips=1) for _ in range(2)
    )
    before = run.state()
    run.step(1)
    statistics = {n: v.clone() for n, v in run.model.named_buffers()}
    run.step(2, kind='nan')
    for name, value in run.model.named_buffers():
        assert torch.equal(value, statistics[name]), name
    for name, value in run.model.named_parameters():
        assert torch.equal(value, before[name]), name

    # the update after it is whole again
    other.model.load_state_dict(run.model.state_dict())
    for one in (run, other):
        one.step(3)
        one.step(4)
    assert_same(run.state(), other.state())


def test_stop_names_the_offender_and_keeps_the_weights():
    run = Run()
    run.step(1)
    before = run.state()
    with pytest.raises(NonFiniteLossError) as stopped:
        run.step(4, kind='points', row=2)
    message = str(stopped.value)
    assert 'the loss of iteration 2 (epoch 1) is not finite' in message
    assert 'annotation 42 of 2.jpg with support 7 of s.jpg' in message
    assert 'annotation 40' not in message
    assert_same(run.state(), before)
    assert run.model.training


def test_batch_that_fails_only_together_is_named_whole():
    run = Run()
    run.model.fails_together = True
    with pytest.raises(NonFiniteLossError, match='no episode on its own') as e:
        run.step(4)
    assert [f'annotation {i} of' in str(e.value) for i in (40, 41, 42)] == [
        True
    ] * 3


def test_ruined_weights_are_told_from_ruined_samples():
    run = Run()
    run.model.layers[0].weight.data[0, 0] = torch.nan
    with pytest.raises(NonFiniteLossError, match='weights are not finite'):
        run.step(1)


def test_skips_have_a_limit_and_a_report(caplog):
    run = Run(on_nonfinite='skip', max_skips=2)
    run.step(1, kind='nan')
    run.step(2)
    run.step(3, kind='nan')
    assert caplog.text.count('This step is left out') == 2
    run.hook.after_train(run)
    assert '2 steps were left out' in caplog.text
    assert caplog.text.count('the loss of iteration 3') == 2

    # what a checkpoint brings back counts
    resumed = Run(on_nonfinite='skip', max_skips=2)
    resumed.message_hub.load_state_dict(run.message_hub.state_dict())
    with pytest.raises(NonFiniteLossError, match='number 3 of the run') as e:
        resumed.step(5, kind='nan')
    assert 'annotation 11 of 1.jpg' in str(e.value)
    assert 'annotation 51 of 1.jpg' in str(e.value)


def test_rank_without_a_fault_skips_with_the_others(monkeypatch, caplog):
    run = Run(on_nonfinite='skip')
    run.step(1)
    before = run.state()
    monkeypatch.setattr(
        finite_loss_hook, 'all_reduce', lambda flag, op: flag.fill_(1.0)
    )
    monkeypatch.setattr(
        finite_loss_hook,
        'all_gather_object',
        lambda own: [own, ['annotation 5 of far.jpg']],
    )
    run.step(2)
    assert_same(run.state(), before)
    assert 'rank 1: annotation 5 of far.jpg' in caplog.text
    assert 'rank 0' not in caplog.text


def test_unknown_policy_is_refused():
    with pytest.raises(ValueError, match="'stop' or 'skip', got 'warn'"):
        FiniteLossHook(on_nonfinite='warn')
