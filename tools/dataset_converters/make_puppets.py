"""Draws the Puppets data set: MP-100's format without a download."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2

from mmcape.datasets.puppets import (
    OtherPuppetsError,
    Variation,
    contact_sheet,
    generate,
)


def parse_args() -> argparse.Namespace:
    """Returns the command line options."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        '--out', type=Path, default=Path('data/puppets'), help='output folder'
    )
    parser.add_argument('--seed', type=int, default=0, help='random seed')
    parser.add_argument(
        '--workers', type=int, default=2, help='number of processes'
    )
    defaults = {'train': (70, 40), 'val': (10, 24), 'test': (20, 30)}
    for split, (categories, instances) in defaults.items():
        parser.add_argument(
            f'--{split}-categories',
            type=int,
            default=categories,
            metavar='N',
            help=f'number of {split} categories',
        )
        parser.add_argument(
            f'--{split}-instances',
            type=int,
            default=instances,
            metavar='N',
            help=f'images per {split} category',
        )
    parser.add_argument(
        '--rotation',
        type=float,
        default=Variation.rotation,
        metavar='DEGREES',
        help='largest turn of an instance, 180 for any direction',
    )
    parser.add_argument(
        '--hue',
        type=float,
        default=Variation.hue,
        metavar='DEGREES',
        help='largest change of each colour of an instance, 0 for none',
    )
    parser.add_argument(
        '--overwrite',
        action='store_true',
        help='replace puppets that were drawn with other options',
    )
    parser.add_argument(
        '--sheet',
        type=Path,
        metavar='FILE',
        help='only write a contact sheet of the seed to this image',
    )
    return parser.parse_args()


def main() -> None:
    """Runs the command line tool."""
    args = parse_args()
    variation = Variation(rotation=args.rotation, hue=args.hue)
    if args.sheet is not None:
        sheet = contact_sheet(args.seed, variation)
        if not cv2.imwrite(
            str(args.sheet), sheet, [cv2.IMWRITE_JPEG_QUALITY, 80]
        ):
            sys.exit(f'error: cannot write {args.sheet}')
        return
    try:
        files = generate(
            args.out,
            seed=args.seed,
            categories=(
                args.train_categories,
                args.val_categories,
                args.test_categories,
            ),
            instances=(
                args.train_instances,
                args.val_instances,
                args.test_instances,
            ),
            variation=variation,
            num_workers=args.workers,
            overwrite=args.overwrite,
            progress=show_progress,
        )
    except (OtherPuppetsError, ValueError) as error:
        sys.exit(f'error: {error}')
    for split, file in files.items():
        print(f'{split}: {file}')


def show_progress(done: int, total: int) -> None:
    """Rewrites the progress line on the terminal."""
    end = '\n' if done == total else ''
    sys.stderr.write(f'\rpuppets: {done}/{total} categories{end}')
    sys.stderr.flush()


if __name__ == '__main__':
    main()
