from __future__ import annotations

import pytest
import torch
from torch import nn

from mmcape.models.layers.attention_record import record_attention
from mmcape.models.layers.blocks import Attention
from mmcape.models.layers.decoder import DecoderLayer


@pytest.mark.parametrize('widths', [{}, dict(vdim=8), dict(kdim=24, vdim=8)])
@pytest.mark.parametrize('padded', [False, True])
@torch.no_grad()
def test_recomputed_weights_give_what_the_fused_kernel_gives(widths, padded):
    torch.manual_seed(0)
    attention = Attention(16, num_heads=4, **widths).eval()
    nn.init.normal_(attention.in_proj_bias)
    query = torch.randn(3, 5, 16)
    key = torch.randn(3, 7, widths.get('kdim', 16))
    value = torch.randn(3, 7, widths.get('vdim', 16))
    padding = torch.rand(3, 7) < 0.4 if padded else None
    weights = attention.weights(query, key, padding)
    assert weights.shape == (3, 4, 5, 7)
    torch.testing.assert_close(weights.sum(3), torch.ones(3, 4, 5))

    values = attention._heads(query, key, value)[2]
    gathered = (weights @ values).transpose(1, 2).flatten(2)
    torch.testing.assert_close(
        attention.out_proj(gathered), attention(query, key, value, padding)
    )
    if padded:
        assert not weights[padding[:, None, None].expand_as(weights)].any()


@torch.no_grad()
def test_record_keeps_every_attention_and_leaves_nothing_behind():
    torch.manual_seed(0)
    layer = DecoderLayer(16, 4, 32, 0.0, positioned=True).eval()
    inputs = (
        torch.randn(2, 5, 16),
        torch.randn(2, 5, 16),
        torch.zeros(2, 5, dtype=torch.bool),
        torch.randn(2, 9, 16),
        torch.randn(2, 9, 32),
    )
    expected = layer(*inputs)
    with record_attention(layer) as record:
        assert torch.equal(layer(*inputs), expected)
    shapes = {name: tuple(value.shape) for name, value in record.items()}
    assert shapes == {
        'self_attn.attention': (2, 4, 5, 5),
        'cross_attn': (2, 4, 5, 9),
    }
    record.clear()
    layer(*inputs)
    assert not record
    assert not any(part._forward_pre_hooks for part in layer.modules())
