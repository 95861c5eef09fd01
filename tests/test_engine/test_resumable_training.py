"""What tests with the tools do not reach; see end_to_end/faults."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from mmcape.engine import ResumableCheckpointHook, ResumableTrainLoop
from mmcape.engine.hooks.rank_states import gather_rank_states, load_rank_state
from mmcape.utils.input_error import InputError


def make_loop(**options):
    runner = SimpleNamespace(visualizer=SimpleNamespace())
    loader = DataLoader(list(range(8)), batch_size=2)
    return ResumableTrainLoop(runner, loader, max_epochs=2, **options)


def progress(**other):
    return dict(
        dict(step=3, steps_per_epoch=4, validation_pending=False), **other
    )


def test_an_epoch_of_other_steps_is_refused():
    loop = make_loop()
    loop.load_progress(progress())
    assert loop.progress() == progress()
    with pytest.raises(InputError, match='step 3 of 8 of an epoch, but here'):
        loop.load_progress(progress(steps_per_epoch=8))
    loop.load_progress(progress(step=0, steps_per_epoch=8))  # a whole epoch


def test_a_sampler_that_cannot_skip_is_named():
    loop = make_loop()
    loop.runner.call_hook = lambda name: None
    loop.runner.model = nn.Linear(1, 1)
    loop.load_progress(progress())
    with pytest.raises(InputError, match='SequentialSampler has no `skip`'):
        loop.run_epoch()


def test_iterations_are_for_another_loop():
    with pytest.raises(InputError, match='IterBasedTrainLoop'):
        make_loop(by_epoch=False)


def test_unknown_policy_is_refused():
    with pytest.raises(ValueError, match="'stop' or 'continue', got 'wait'"):
        ResumableCheckpointHook(on_failed_save='wait')


def test_accumulated_gradients_are_kept():
    def make_model():
        return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))

    model, other = make_model(), make_model()
    assert gather_rank_states(model) == []
    model(torch.randn(4, 2)).square().sum().backward()
    (state,) = gather_rank_states(model)
    load_rank_state(other, state)
    for found, expected in zip(other.parameters(), model.parameters()):
        assert torch.equal(found.grad, expected.grad)
    assert torch.equal(other[1].running_mean, model[1].running_mean)
    model.zero_grad()
    assert gather_rank_states(model) == []
