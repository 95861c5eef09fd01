"""Converts own annotations into the format of MP-100, split by category.

Typical use:
  to_mp100.py coco mine.json --images photos --out data/mine
  to_mp100.py labelme FOLDER --category beetle --no-split --out data/mine
  to_mp100.py deeplabcut PROJECT [PROJECT ...] --out data/mine
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mmcape.datasets.conversion.from_coco import read_coco
from mmcape.datasets.conversion.from_deeplabcut import read_deeplabcut
from mmcape.datasets.conversion.from_labelme import read_labelme
from mmcape.datasets.conversion.own_data import (
    ConversionError,
    OwnData,
    merge,
)
from mmcape.datasets.conversion.split import split_categories
from mmcape.datasets.conversion.write import conversion_lines, write
from mmcape.datasets.preparation.placing import PLACINGS


def parse_args() -> argparse.Namespace:
    """Returns the command line options."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest='format', required=True)
    coco = commands.add_parser(
        'coco', help='a COCO keypoint file with one or more categories'
    )
    coco.add_argument(
        'inputs', type=Path, nargs=1, metavar='FILE', help='COCO keypoint file'
    )
    coco.add_argument(
        '--images',
        type=Path,
        required=True,
        metavar='FOLDER',
        help='what names of images are relative to',
    )
    labelme = commands.add_parser(
        'labelme',
        help='folders of labelme files: points with a group_id, category by '
        'a rectangle or polygon of the same group_id',
    )
    labelme.add_argument(
        'inputs',
        type=Path,
        nargs='+',
        metavar='FOLDER',
        help='folder of labelme files',
    )
    labelme.add_argument(
        '--keypoints',
        nargs='+',
        metavar='NAME',
        help='keypoints in the order wanted; others are refused',
    )
    deeplabcut = commands.add_parser(
        'deeplabcut',
        help='DeepLabCut projects (labeled-data/*/CollectedData_*)',
    )
    deeplabcut.add_argument(
        'inputs',
        type=Path,
        nargs='+',
        metavar='PROJECT',
        help='folder of a project',
    )
    for command in (labelme, deeplabcut):
        command.add_argument(
            '--category', help='name of the category where nothing tells it'
        )
    for command in (coco, labelme, deeplabcut):
        add_output(command)
    return parser.parse_args()


def add_output(parser: argparse.ArgumentParser) -> None:
    """Adds the options that say what is written."""
    parser.add_argument(
        '--out',
        type=Path,
        required=True,
        metavar='FOLDER',
        help='gets train.json, val.json, test.json and images/',
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='seed of the split (default: 0)'
    )
    parser.add_argument(
        '--val', type=int, metavar='N', help='categories to validate on'
    )
    parser.add_argument(
        '--test', type=int, metavar='N', help='categories to test on'
    )
    parser.add_argument(
        '--no-split',
        action='store_true',
        help='write one file, all.json, instead',
    )
    parser.add_argument(
        '--box-margin',
        type=float,
        default=0.15,
        metavar='PART',
        help='margin of boxes drawn around keypoints (default: 0.15)',
    )
    parser.add_argument(
        '--how',
        choices=PLACINGS,
        default='link',
        help='how to put an image in place (default: link)',
    )


def read(args: argparse.Namespace) -> OwnData:
    """Reads the inputs."""
    parts = []
    for path in args.inputs:
        if args.format == 'coco':
            part = read_coco(path, args.images)
        elif not path.is_dir():
            raise ConversionError(f'{path} is no folder')
        elif args.format == 'labelme':
            part = read_labelme(path, args.category, args.keypoints)
        else:
            part = read_deeplabcut(path, args.category)
        parts.append((path.resolve().name, part))
    return merge(parts)


def main() -> None:
    """Runs the command line tool."""
    args = parse_args()
    try:
        data = read(args)
        if args.no_split:
            subsets = dict(all=sorted(data.categories))
        else:
            subsets = split_categories(
                data.categories, args.seed, args.val, args.test
            )
        info = dict(
            description=f'converted from {args.format}',
            seed=None if args.no_split else args.seed,
        )
        files = write(
            data,
            args.out,
            subsets,
            info=info,
            box_margin=args.box_margin,
            how=args.how,
        )
    except (OSError, ValueError) as error:
        sys.stderr.write(f'error: {error}\n')
        sys.exit(2)
    for line in conversion_lines(data, subsets):
        print(line)
    for path in files.values():
        print(path)


if __name__ == '__main__':
    main()
