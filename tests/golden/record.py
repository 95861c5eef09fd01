"""Records what CapeFormer's head computes, in the format of parity fixtures.

    python tests/golden/record.py

The recording keeps the published behaviour tested where the published
outputs are not at hand. Record only while `tests/parity` passes against them.
"""

from __future__ import annotations

from pathlib import Path

import torch

from mmcape.utils.parity import build_capeformer_head
from mmcape.utils.published_names import CAPEFORMER, rename

TARGET = Path(__file__).with_name('capeformer_head.pt')
SIZE = dict(embed=16, in_ch=8, heads=2, enc=2, dec=2, ffn=16, dyn=8)
GRADIENTS = (
    'transformer.decoder.ref_point_head.layers.1.weight',
    'transformer.proposal_generator.dynamic_proj.2.weight',
    'input_proj.weight',
)


def published_shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the published head at this size."""
    embed, ffn = SIZE['embed'], SIZE['ffn']
    shapes: dict[str, tuple[int, ...]] = {}

    def linear(name: str, out: int, inputs: int) -> None:
        shapes[f'{name}.weight'] = (out, inputs)
        shapes[f'{name}.bias'] = (out,)

    def layer(name: str, norms: int) -> None:
        shapes[f'{name}.self_attn.in_proj_weight'] = (3 * embed, embed)
        shapes[f'{name}.self_attn.in_proj_bias'] = (3 * embed,)
        linear(f'{name}.self_attn.out_proj', embed, embed)
        linear(f'{name}.linear1', ffn, embed)
        linear(f'{name}.linear2', embed, ffn)
        for i in range(1, norms + 1):
            shapes[f'{name}.norm{i}.weight'] = (embed,)
            shapes[f'{name}.norm{i}.bias'] = (embed,)

    for i in range(SIZE['enc']):
        layer(f'transformer.encoder.layers.{i}', norms=2)
    for i in range(SIZE['dec']):
        name = f'transformer.decoder.layers.{i}'
        layer(name, norms=3)
        cross = f'{name}.multihead_attn'
        shapes[f'{cross}.q_proj_weight'] = (2 * embed, 2 * embed)
        shapes[f'{cross}.k_proj_weight'] = (2 * embed, 2 * embed)
        shapes[f'{cross}.v_proj_weight'] = (2 * embed, embed)
        shapes[f'{cross}.in_proj_bias'] = (6 * embed,)
        linear(f'{cross}.out_proj', 2 * embed, 2 * embed)
        linear(f'{name}.choker', embed, 2 * embed)
        for j in range(4):
            out = 2 if j == 3 else embed
            linear(f'kpt_branch.{i}.mlp.{2 * j}', out, embed)
    shapes['transformer.decoder.norm.weight'] = (embed,)
    shapes['transformer.decoder.norm.bias'] = (embed,)
    for i in range(2):
        linear(f'transformer.decoder.ref_point_head.layers.{i}', embed, embed)
    generator = 'transformer.proposal_generator'
    linear(f'{generator}.support_proj', embed, embed)
    linear(f'{generator}.query_proj', embed, embed)
    linear(f'{generator}.dynamic_proj.0', SIZE['dyn'], embed)
    linear(f'{generator}.dynamic_proj.2', embed, SIZE['dyn'])
    linear('query_proj', embed, SIZE['in_ch'])
    linear('input_proj', embed, SIZE['in_ch'])
    shapes['input_proj.weight'] += (1, 1)
    return shapes


def record_case(head, shots: int) -> dict:
    """Random inputs and what the head makes of them."""
    batch, count = 2, 6
    visible = torch.rand(shots, batch, count, 1) > 0.1
    case = dict(
        support_keypoints=list(torch.rand(shots, batch, count, 2) * 256),
        support_target_weight=list(visible.float()),
        support_feature=list(torch.randn(shots, batch, SIZE['in_ch'], 8, 8)),
        query_feature=torch.randn(batch, SIZE['in_ch'], 8, 8),
        query_keypoints=torch.rand(batch, count, 2) * 256,
        query_target_weight=(torch.rand(batch, count, 1) > 0.1).float(),
        mask_support=visible.all(dim=0).float(),
    )
    support = head.encode_support(
        torch.stack(case['support_feature'], 1),
        torch.stack(case['support_keypoints'], 1),
        torch.stack(case['support_target_weight'], 1)[..., 0] > 0,
    )
    output = head(case['query_feature'], support)
    losses = head.loss(
        output,
        support,
        case['query_keypoints'],
        case['query_target_weight'][..., 0] > 0,
    )
    terms = [v for k, v in losses.items() if k.startswith('loss')]
    head.zero_grad()
    torch.stack(terms).sum().backward()
    parameters = dict(head.named_parameters())
    names = ['heatmap_loss', 'proposal_loss']
    names += [f'l1_loss_layer{i}' for i in range(SIZE['dec'])]
    return dict(
        case,
        out_similarity_map=output.similarity.detach(),
        out_expectation=output.expectation.detach(),
        out_proposals=output.proposals.detach(),
        out_layers=output.layers.detach(),
        out_loss={n: term.item() for n, term in zip(names, terms)},
        grad={
            name: parameters[rename(name, CAPEFORMER.head)].grad.clone()
            for name in GRADIENTS
        },
    )


def main() -> None:
    """Write the recording."""
    torch.manual_seed(0)
    fixture = dict(
        config=SIZE,
        state_dict={
            name: torch.randn(shape) * 0.3
            for name, shape in published_shapes().items()
        },
        cases=dict.fromkeys(['none']),
        max_keypoints=100,
        image_size=256,
        heatmap_size=64,
        sigma=2,
    )
    head = build_capeformer_head(fixture)
    fixture['cases'] = {
        f'{shots}shot': record_case(head, shots) for shots in (1, 2)
    }
    torch.save(fixture, TARGET)


if __name__ == '__main__':
    main()
