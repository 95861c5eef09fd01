from __future__ import annotations

import torch

from mmcape.engine import Bfloat16OptimWrapper


def test_computes_in_bfloat16_and_learns_in_float32():
    layer = torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    wrapper = Bfloat16OptimWrapper(optimizer=optimizer)
    before = layer.weight.detach().clone()
    with wrapper.optim_context(layer):
        output = layer(torch.ones(3, 4))
    assert output.dtype == torch.bfloat16
    wrapper.update_params(output.float().sum())
    assert layer.weight.dtype == torch.float32
    torch.testing.assert_close(layer.weight, before - 0.3)
    assert layer(torch.ones(3, 4)).dtype == torch.float32


def test_checkpoint_has_no_scaler():
    layer = torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    wrapper = Bfloat16OptimWrapper(optimizer=optimizer)
    assert 'loss_scaler' not in wrapper.state_dict()
