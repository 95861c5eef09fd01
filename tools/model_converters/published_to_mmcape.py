"""Convert a published checkpoint of CapeFormer or POMNet.

    python tools/model_converters/published_to_mmcape.py SOURCE TARGET
        [--config CONFIG]

The names in the file tell which of the two it is. Every parameter of the model
must be found in the file and the other way round; otherwise all that does not
fit is listed and nothing is written.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from torch import Tensor

import mmcape  # noqa: F401  (registers the modules)
from mmcape.utils.checkpoint_files import CheckpointError, read_checkpoint
from mmcape.utils.published_names import (
    PublishedModel,
    recognise,
    rename_model,
)


def default_config(model: PublishedModel) -> str:
    """Config of a published model at its size."""
    name = model.name.lower()
    configs = Path(__file__).parents[2] / 'configs'
    return str(configs / name / f'{name}_r50_mp100-split1_1shot.py')


def read_published(path: str) -> dict[str, Tensor]:
    """Weights of a published checkpoint.

    Raises:
        SystemExit: If the file is no such checkpoint.
    """
    try:
        content = read_checkpoint(path)
    except CheckpointError as error:
        sys.exit(str(error))
    weights = content.get('state_dict')
    if not isinstance(weights, dict) or not any(
        name.startswith('keypoint_head.') for name in weights
    ):
        sys.exit(
            f'{path} is not a published checkpoint: it has no `state_dict` '
            'with names that begin with "keypoint_head."'
        )
    return weights


def convert(
    model: PublishedModel,
    published: dict[str, Tensor],
    expected: dict[str, Tensor],
) -> tuple[dict[str, Tensor], list[str]]:
    """Rename weights and list everything that does not fit.

    Args:
        model: Which model it is.
        published: Weights under the published names.
        expected: Weights of our model.

    Returns:
        The renamed weights and one line a discrepancy.
    """
    converted: dict[str, Tensor] = {}
    complaints = []
    for name, value in published.items():
        ours = rename_model(name, model)
        if ours not in expected:
            complaints.append(f'no place for {name}')
        elif value.shape != expected[ours].shape:
            complaints.append(
                f'{name} has shape {tuple(value.shape)}, {ours} needs '
                f'{tuple(expected[ours].shape)}'
            )
        elif ours in converted and not torch.equal(converted[ours], value):
            complaints.append(
                f'{name} differs from the other copy of {ours}: this file '
                f'has two backbones, so it is not a {model.name}'
            )
        else:
            converted[ours] = value
    complaints += [
        f'nothing found for {name}' for name in expected.keys() - converted
    ]
    return converted, complaints


def build_model(config: str, published: dict[str, Tensor]) -> Any:
    """Model of a config, with the identifier that the weights have."""
    cfg = Config.fromfile(config)
    table = published.get('keypoint_head.support_embedding.weight')
    if table is not None:
        cfg.model.head.identifier = dict(
            type='LearnedKeypointIdentifier', length=len(table)
        )
    init_default_scope('mmpose')
    return MODELS.build(cfg.model)


def main() -> None:
    """Convert one file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument('source', help='published checkpoint')
    parser.add_argument('target', help='file to write')
    parser.add_argument(
        '--config',
        help='config of the same model (default: the published one, with '
        'ResNet-50)',
    )
    args = parser.parse_args()

    published = read_published(args.source)
    model = recognise(published)
    config = args.config or default_config(model)
    expected = build_model(config, published).state_dict()
    converted, complaints = convert(model, published, expected)
    if complaints:
        sys.exit(
            f'{args.source} does not fit {config}, nothing written:\n  '
            + '\n  '.join(complaints)
        )
    torch.save(
        dict(meta=dict(converted_from=args.source), state_dict=converted),
        args.target,
    )
    print(
        f'{model.name}: {len(published)} published names -> '
        f'{len(converted)} weights, all matched: {args.target}'
    )


if __name__ == '__main__':
    main()
