"""Heads compared with recorded inputs and outputs of the published ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from mmpose.registry import MODELS
from torch import Tensor

from mmcape.models.heads import (
    CapeFormerHead,
    FewShotHead,
    PomNetHead,
    SupportEncoding,
)

from .published_names import (
    CAPEFORMER,
    POMNET,
    Rule,
    recognise,
    rename,
    rename_keys,
)

OUTPUT_TOLERANCE = 2e-5
"""Absolute."""
LOGIT_TOLERANCE = 1e-6
"""Of the largest logit; similarity maps have no unit, and float32 sums in
another order differ by this much (beside OUTPUT_TOLERANCE, the larger)."""
GRADIENT_TOLERANCE = 1e-4
"""Of the largest entry."""

Fixture = Mapping[str, Any]


class Difference(NamedTuple):
    """Largest difference of one output."""

    name: str
    value: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """False also for NaN."""
        return self.value <= self.tolerance


def compare(fixture: Fixture) -> dict[str, list[Difference]]:
    """Differences of every case of a fixture, whichever head it is of.

    Args:
        fixture: ``config``, ``state_dict`` and ``cases`` of published code.

    Raises:
        RuntimeError: If names or shapes of the weights do not fit.
        ValueError: If an output is of another shape than recorded.
    """
    fixture = _with_defaults(fixture)
    cases = fixture['cases']
    if not cases:
        raise ValueError('the fixture has no cases')
    if recognise(fixture['state_dict']) is POMNET:
        pomnet = build_pomnet_head(fixture)
        return {k: list(compare_pomnet(pomnet, v)) for k, v in cases.items()}
    head = build_capeformer_head(fixture)
    return {k: list(compare_capeformer(head, v)) for k, v in cases.items()}


def _with_defaults(fixture: Fixture) -> Fixture:
    """Sizes that a fixture need not name: those of the published model."""
    usual = dict(max_keypoints=100, image_size=256, heatmap_size=64, sigma=2)
    config = dict(dict(heads=8), **fixture['config'])
    return dict(usual, **dict(fixture, config=config))


def build_capeformer_head(fixture: Fixture) -> CapeFormerHead:
    """CapeFormer head at the fixture's size, holding its weights."""
    size = fixture['config']
    learned = any('support_embedding' in k for k in fixture['state_dict'])
    kind = 'LearnedKeypointIdentifier' if learned else 'SineKeypointIdentifier'
    shared = _transformer(size)
    return _load(
        fixture,
        CAPEFORMER.head,
        type='CapeFormerHead',
        identifier=dict(type=kind, length=fixture['max_keypoints']),
        encoder=dict(
            type='QuerySupportEncoder', num_layers=size['enc'], **shared
        ),
        proposal_generator=dict(
            type='ProposalGenerator', bottleneck_channels=size['dyn']
        ),
        decoder=dict(
            type='RefinementDecoder', num_layers=size['dec'], **shared
        ),
        heatmap_loss=dict(type='SimilarityHeatmapLoss', loss_weight=2.0),
        proposal_loss=dict(type='KeypointL1Loss'),
        refine_loss=dict(type='KeypointL1Loss'),
    )


def build_pomnet_head(fixture: Fixture) -> PomNetHead:
    """POMNet head at the fixture's size, holding its weights."""
    size, weights = fixture['config'], fixture['state_dict']
    deconvs = [
        name
        for name, value in weights.items()
        if name.startswith('deconv_layers.') and value.dim() == 4
    ]
    shared = _transformer(size)
    return _load(
        fixture,
        POMNET.head,
        type='PomNetHead',
        encoder=dict(type='QueryEncoder', num_layers=size['enc'], **shared),
        decoder=dict(type='DetrDecoder', num_layers=size['dec'], **shared),
        matcher=dict(
            type='HeatmapMatcher',
            deconv_channels=size['deconv'],
            num_deconvs=len(deconvs),
        ),
        heatmap_loss=dict(
            type='HeatmapMSELoss', divisor=fixture['max_keypoints']
        ),
    )


def _transformer(size: Mapping[str, int]) -> dict[str, int]:
    return dict(num_heads=size['heads'], feedforward_channels=size['ffn'])


def _load(fixture: Fixture, rules: Sequence[Rule], **head: Any) -> Any:
    """Build a head in evaluation mode with the fixture's weights."""
    size = fixture['config']
    codec = dict(
        type='SeparableGaussian',
        input_size=(fixture['image_size'],) * 2,
        heatmap_size=(fixture['heatmap_size'],) * 2,
        sigma=fixture['sigma'],
    )
    built = MODELS.build(
        dict(
            in_channels=size['in_ch'],
            embed_dims=size['embed'],
            codec=codec,
            **head,
        )
    )
    built.load_state_dict(rename_keys(fixture['state_dict'], rules))
    return built.eval()


def compare_capeformer(
    head: CapeFormerHead, case: Fixture
) -> Iterator[Difference]:
    """Run one case and yield the difference of each output."""
    support = _encode_support(head, case)
    valid = case['mask_support'][..., 0] > 0
    yield _mask(support, valid)

    output = head(case['query_feature'], support)
    for name, ours, published in (
        ('similarity', output.similarity, case['out_similarity_map']),
        ('expectation', output.expectation, case['out_expectation']),
        ('proposals', output.proposals, case['out_proposals']),
        *(
            (f'layer {i}', ours, published)
            for i, (ours, published) in enumerate(
                zip(output.layers, case['out_layers'])
            )
        ),
    ):
        yield _largest(name, ours[valid], published[valid])

    losses = _losses(head, output, support, case)
    names = dict(loss_heatmap='heatmap_loss', loss_proposal='proposal_loss')
    for name, loss in losses.items():
        recorded = case['out_loss'][names.get(name, f'l1_{name}')]
        yield _largest(name, loss, torch.tensor(recorded))
    yield from _gradients(head, losses, case, CAPEFORMER.head)


def compare_pomnet(head: PomNetHead, case: Fixture) -> Iterator[Difference]:
    """Run one case and yield the difference of each output."""
    support = _encode_support(head, case)
    valid = case['mask_support'][..., 0] > 0
    yield _mask(support, valid)

    output = head(case['query_feature'], support)
    heatmaps, recorded = output.heatmaps[valid], case['out_heatmap'][valid]
    yield _largest('heatmap', heatmaps, recorded)

    losses = _losses(head, output, support, case)
    recorded = torch.tensor(case['out_loss_padded100']['mse_loss'])
    difference = _largest('loss_heatmap', losses['loss_heatmap'], recorded)
    # divided by 100, it is so small that the absolute tolerance says little
    yield difference._replace(tolerance=OUTPUT_TOLERANCE * float(recorded))
    yield from _gradients(head, losses, case, POMNET.head)


def _encode_support(head: FewShotHead, case: Fixture) -> SupportEncoding:
    return head.encode_support(
        features=torch.stack(case['support_feature'], dim=1),
        keypoints=torch.stack(case['support_keypoints'], dim=1),
        visible=torch.stack(case['support_target_weight'], 1)[..., 0] > 0,
    )


def _losses(
    head: FewShotHead, output: Any, support: SupportEncoding, case: Fixture
) -> dict[str, Tensor]:
    losses = head.loss(
        output,
        support,
        keypoints=case['query_keypoints'],
        visible=case['query_target_weight'][..., 0] > 0,
    )
    return {k: v for k, v in losses.items() if k.startswith('loss')}


def _gradients(
    head: FewShotHead,
    losses: Mapping[str, Tensor],
    case: Fixture,
    rules: Sequence[Rule],
) -> Iterator[Difference]:
    """Differences of the gradients that the case holds, maybe none."""
    head.zero_grad()
    torch.stack(list(losses.values())).sum().backward()
    parameters = dict(head.named_parameters())
    for name, published in case.get('grad', {}).items():
        ours = parameters[rename(name, rules)].grad
        difference = _largest(f'gradient of {name}', ours, published)
        relative = difference.value / float(published.abs().max())
        yield difference._replace(value=relative, tolerance=GRADIENT_TOLERANCE)


def _mask(support: SupportEncoding, valid: Tensor) -> Difference:
    differing = (support.valid != valid).sum()
    return Difference('support mask', float(differing), 0.0)


def _largest(name: str, ours: Tensor, published: Tensor) -> Difference:
    if ours.shape != published.shape:
        raise ValueError(
            f'{name}: shape {tuple(ours.shape)}, the fixture has '
            f'{tuple(published.shape)}'
        )
    difference = float((ours.detach() - published).abs().max())
    largest = float(published.abs().max())
    return Difference(
        name, difference, max(OUTPUT_TOLERANCE, LOGIT_TOLERANCE * largest)
    )
