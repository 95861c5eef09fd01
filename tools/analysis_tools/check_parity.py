"""Compare a head with recorded inputs and outputs of the published one.

A fixture is a file of plain tensors: `config` (sizes), `state_dict` under the
published names and `cases` with inputs and expected outputs. The head is built
at the fixture's size, with keypoints padded to the batch's own count.

    python tools/analysis_tools/check_parity.py FIXTURE [FIXTURE ...]

Prints the largest difference of every output and exits with 1 when one is
beyond tolerance, with 2 when a file is no fixture.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from mmpose.registry import MODELS
from torch import Tensor

import mmcape  # noqa: F401  (registers the modules)
from mmcape.models.heads import CapeFormerHead, SupportEncoding
from mmcape.utils.checkpoint_files import CheckpointError, read_checkpoint
from mmcape.utils.published_names import CAPEFORMER_HEAD, rename, rename_keys

OUTPUT_TOLERANCE = 2e-5
"""Absolute."""
LOGIT_TOLERANCE = 1e-6
"""Of the largest logit: similarity maps have no unit, and float32 sums in
another order differ by this much (beside OUTPUT_TOLERANCE, the larger)."""
GRADIENT_TOLERANCE = 1e-4
"""Of the largest entry."""


class Difference(NamedTuple):
    """Largest difference of one output."""

    name: str
    value: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """False also for NaN."""
        return self.value <= self.tolerance


def build_capeformer_head(fixture: dict[str, Any]) -> CapeFormerHead:
    """Head at the fixture's size, holding its weights.

    Raises:
        RuntimeError: If names or shapes of the weights do not fit.
    """
    size = fixture['config']
    learned = any('support_embedding' in k for k in fixture['state_dict'])
    kind = 'LearnedKeypointIdentifier' if learned else 'SineKeypointIdentifier'
    transformer = dict(
        num_heads=size['heads'], feedforward_channels=size['ffn']
    )
    head = MODELS.build(
        dict(
            type='CapeFormerHead',
            in_channels=size['in_ch'],
            embed_dims=size['embed'],
            codec=dict(
                type='SeparableGaussian',
                input_size=(fixture['image_size'],) * 2,
                heatmap_size=(fixture['heatmap_size'],) * 2,
                sigma=fixture['sigma'],
            ),
            identifier=dict(type=kind, length=fixture['max_keypoints']),
            encoder=dict(
                type='QuerySupportEncoder',
                num_layers=size['enc'],
                **transformer,
            ),
            proposal_generator=dict(
                type='ProposalGenerator', bottleneck_channels=size['dyn']
            ),
            decoder=dict(
                type='RefinementDecoder', num_layers=size['dec'], **transformer
            ),
            heatmap_loss=dict(type='SimilarityHeatmapLoss', loss_weight=2.0),
            proposal_loss=dict(type='KeypointL1Loss'),
            refine_loss=dict(type='KeypointL1Loss'),
        )
    )
    weights = rename_keys(fixture['state_dict'], CAPEFORMER_HEAD)
    head.load_state_dict(weights)
    return head.eval()


def compare_capeformer(
    head: CapeFormerHead, case: dict[str, Any]
) -> Iterator[Difference]:
    """Run one case and yield the difference of each output."""
    support = head.encode_support(
        features=torch.stack(case['support_feature'], dim=1),
        keypoints=torch.stack(case['support_keypoints'], dim=1),
        visible=torch.stack(case['support_target_weight'], 1)[..., 0] > 0,
    )
    valid = case['mask_support'][..., 0] > 0
    yield Difference(
        'support mask', float((support.valid != valid).sum()), 0.0
    )

    output = head(case['query_feature'], support)
    for name, ours, published in (
        ('similarity', output.similarity, case['out_similarity_map']),
        ('expectation', output.expectation, case['out_expectation']),
        ('proposals', output.proposals, case['out_proposals']),
        *(
            (f'layer {i}', ours, published)
            for i, (ours, published) in enumerate(
                zip(output.layers, case['out_layers'], strict=True)
            )
        ),
    ):
        yield _largest(name, ours[valid], published[valid])

    yield from _compare_losses(head, case, output, support)


def _compare_losses(
    head: CapeFormerHead,
    case: dict[str, Any],
    output: Any,
    support: SupportEncoding,
) -> Iterator[Difference]:
    losses = head.loss(
        output,
        support,
        keypoints=case['query_keypoints'],
        visible=case['query_target_weight'][..., 0] > 0,
    )
    losses = {k: v for k, v in losses.items() if k.startswith('loss')}
    names = {
        'loss_heatmap': 'heatmap_loss',
        'loss_proposal': 'proposal_loss',
    }
    for name, loss in losses.items():
        published = names.get(name, f'l1_{name}')
        yield _largest(name, loss, torch.tensor(case['out_loss'][published]))

    head.zero_grad()
    torch.stack(list(losses.values())).sum().backward()
    parameters = dict(head.named_parameters())
    for name, published in case['grad'].items():
        ours = parameters[rename(name, CAPEFORMER_HEAD)].grad
        difference = _largest(f'gradient of {name}', ours, published)
        relative = difference.value / float(published.abs().max())
        yield difference._replace(value=relative, tolerance=GRADIENT_TOLERANCE)


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


def check(path: str) -> dict[str, list[Difference]]:
    """Differences of every case in a fixture file.

    Raises:
        CheckpointError: If the file is no fixture.
    """
    fixture = read_checkpoint(path)
    missing = {'config', 'state_dict', 'cases'} - set(fixture)
    if missing:
        raise CheckpointError(
            f'{path} is no fixture of a head: it lacks {sorted(missing)}'
        )
    head = build_capeformer_head(fixture)
    return {
        name: list(compare_capeformer(head, case))
        for name, case in fixture['cases'].items()
    }


def main() -> int:
    """Print a table for every fixture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument('fixtures', nargs='+', metavar='FIXTURE')
    failures = 0
    for path in parser.parse_args().fixtures:
        try:
            results = check(path)
        except CheckpointError as error:
            parser.error(str(error))
        for case, differences in results.items():
            print(f'{path}: {case}')
            for d in differences:
                verdict = 'ok' if d.passed else 'BEYOND TOLERANCE'
                print(f'  {d.name:56s} {d.value:9.2e} {verdict}')
                failures += not d.passed
    print('parity holds' if not failures else f'{failures} beyond tolerance')
    return int(failures > 0)


if __name__ == '__main__':
    sys.exit(main())
