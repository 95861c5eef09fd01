"""Export a model's two steps to ONNX and compare them with torch.

    python tools/deployment/export_onnx.py CONFIG CHECKPOINT --out DIR
        [--cfg-options KEY=VALUE ...] [--time REPEATS]

DIR then holds support_encoder.onnx, query_matcher.onnx and export.json, which
describes them. onnxruntime runs both at several numbers of images, shots and
keypoints; if anything differs from torch by more than 1e-4 (keypoints:
of the crop's side), the tool ends with an error.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mmcape.apis.model_loading import build_model, load_config
from mmcape.export import (
    Difference,
    ExportedModel,
    export_model,
    require_export_packages,
    time_steps,
    verify,
)
from mmcape.utils.command_line import add_config_options
from mmcape.utils.input_error import InputError, told_by_message

TOLERANCE = 1e-4


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Options of the tool."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument('config', help='config file, or name of one')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument(
        '--out', type=Path, required=True, help='folder for the files'
    )
    add_config_options(parser)
    parser.add_argument(
        '--time',
        type=int,
        metavar='REPEATS',
        help='also time torch and onnxruntime, so many runs of each',
    )
    return parser.parse_args(arguments)


def describe_files(exported: ExportedModel) -> str:
    """One line a file, with its size."""
    paths = (
        exported.support_encoder,
        exported.query_matcher,
        exported.description,
    )
    return '\n'.join(
        f'{path}: {path.stat().st_size / 1e6:.1f} MB' for path in paths
    )


def report(differences: Iterable[Difference]) -> float:
    """Print a table; the greatest difference, NaN if one is."""
    print('\ndifference from torch (keypoints: of the side of the crop)')
    print('| batch | shots | keypoints | code | keypoints | scores |')
    print('|---' * 6 + '|')
    greatest = []
    for one in differences:
        numbers = (one.of_code, one.of_keypoints, one.of_scores)
        cells = ' | '.join(f'{number:.1e}' for number in numbers)
        print(f'| {one.batch} | {one.shots} | {one.keypoints} | {cells} |')
        greatest.append(one.greatest)
    return max(greatest, key=lambda number: (number != number, number))


def time_table(
    times: Mapping[tuple[str, int], tuple[float, float]],
) -> str:
    """Markdown table of medians in milliseconds."""
    lines = [
        '| step | batch | torch | onnxruntime | ratio |',
        '|---' * 5 + '|',
    ]
    for (step, batch), (torch_time, file_time) in times.items():
        lines.append(
            f'| {step} | {batch} | {1e3 * torch_time:.1f} ms | '
            f'{1e3 * file_time:.1f} ms | {torch_time / file_time:.2f} |'
        )
    return '\n'.join(lines)


def export(args: argparse.Namespace) -> None:
    """Do what the options say.

    Raises:
        InputError: If something given cannot be used, or the files do not do
            what the model does.
    """
    require_export_packages()
    cfg = load_config(args.config)
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    model = build_model(cfg, args.checkpoint, 'cpu')
    exported = export_model(model, cfg, args.out)
    print(describe_files(exported))

    greatest = report(verify(model, exported))
    print(f'greatest: {greatest:.1e}, allowed: {TOLERANCE:.0e}')
    if not greatest <= TOLERANCE:
        raise InputError(
            f'the files in {args.out} differ from {args.checkpoint} by '
            f'{greatest:.1e}, more than {TOLERANCE:.0e}: do not use them'
        )
    if args.time is not None:
        print()
        print(time_table(time_steps(model, exported, args.time)))


def main() -> None:
    """Run the tool; bad input ends it with one message."""
    with told_by_message():
        export(parse_args())


if __name__ == '__main__':
    main()
