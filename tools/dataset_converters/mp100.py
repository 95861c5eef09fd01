"""Prepares MP-100: plans downloads, builds the images, checks, counts.

Typical use:
  mp100.py plan  --root RAW                 what to download, what is there
  mp100.py build --root RAW --data-root data/mp100
  mp100.py check --data-root data/mp100 --report check.json
  mp100.py stats --data-root data/mp100 --out stats.md --plot stats.png
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from mmcape.datasets import AnnotationError
from mmcape.datasets.preparation.annotation_files import (
    AnnotationFile,
    find_annotation_files,
    read_annotation_files,
)
from mmcape.datasets.preparation.build import build, summary
from mmcape.datasets.preparation.check import KINDS, check, check_lines
from mmcape.datasets.preparation.marker import MARKER, partial_build_lines
from mmcape.datasets.preparation.placing import PLACINGS, write_json
from mmcape.datasets.preparation.plan import plan, plan_lines
from mmcape.datasets.preparation.source_folders import locate_sources
from mmcape.datasets.preparation.sources import source_keys
from mmcape.datasets.preparation.statistics import (
    plot_statistics,
    statistics,
    statistics_lines,
)


def parse_args() -> argparse.Namespace:
    """Returns the command line options."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest='command', required=True)
    add_plan(commands)
    add_build(commands)
    add_check(commands)
    add_stats(commands)
    return parser.parse_args()


def add_plan(commands: argparse._SubParsersAction) -> None:
    """Adds the sub-command `plan`."""
    parser = commands.add_parser(
        'plan', help='list the sources: where to get them, where they go'
    )
    add_sources(parser)
    parser.add_argument(
        '--json', action='store_true', help='print JSON, not Markdown'
    )
    parser.set_defaults(run=run_plan)


def add_build(commands: argparse._SubParsersAction) -> None:
    """Adds the sub-command `build`."""
    parser = commands.add_parser(
        'build',
        help='find every annotated image in the sources and put it in place; '
        'can be run again and goes on',
        description='Exit status: 0 if all images are there, 1 if the build '
        'is partial, 2 if it was not possible.',
    )
    add_sources(parser)
    add_annotations(parser)
    parser.add_argument(
        '--how',
        choices=PLACINGS,
        default='link',
        help='how to put an image in place (default: link)',
    )
    parser.add_argument(
        '--rebuild',
        action='store_true',
        help='find and place images anew that are in place',
    )
    parser.set_defaults(run=run_build)


def add_check(commands: argparse._SubParsersAction) -> None:
    """Adds the sub-command `check`."""
    parser = commands.add_parser(
        'check',
        help='check every annotation against every image',
        description='Exit status: 0 if nothing was found, 1 if something '
        'was, 2 if the check was not possible.',
    )
    add_annotations(parser)
    parser.add_argument(
        '--images',
        type=Path,
        metavar='FOLDER',
        help='what names of images are relative to '
        '(default: DATA_ROOT/images)',
    )
    parser.add_argument(
        '--report', type=Path, metavar='FILE', help='write all findings here'
    )
    parser.add_argument(
        '--ignore',
        nargs='+',
        choices=sorted(KINDS),
        default=[],
        metavar='KIND',
        help='report these, but do not let the exit status tell: '
        + '; '.join(f'{kind} ({what})' for kind, what in KINDS.items()),
    )
    parser.add_argument(
        '--tolerance',
        type=float,
        default=1.0,
        metavar='PIXELS',
        help='how far a box or keypoint may lie outside (default: 1)',
    )
    parser.add_argument(
        '--workers', type=int, default=2, help='threads that decode images'
    )
    parser.set_defaults(run=run_check)


def add_stats(commands: argparse._SubParsersAction) -> None:
    """Adds the sub-command `stats`."""
    parser = commands.add_parser(
        'stats', help='count instances, keypoints and sizes by category'
    )
    add_annotations(parser)
    parser.add_argument(
        '--out', type=Path, metavar='FILE', help='write the tables here'
    )
    parser.add_argument(
        '--plot', type=Path, metavar='FILE', help='write a figure here'
    )
    parser.set_defaults(run=run_stats)


def add_sources(parser: argparse.ArgumentParser) -> None:
    """Adds the options that name the sources."""
    parser.add_argument(
        '--root',
        type=Path,
        metavar='ROOT',
        help='folder of the sources, each in a folder named as in the plan',
    )
    parser.add_argument(
        '--source',
        action='append',
        default=[],
        metavar='KEY=FOLDER',
        help='folder of one source, may be repeated; keys are '
        + ', '.join(source_keys()),
    )


def add_annotations(parser: argparse.ArgumentParser) -> None:
    """Adds the options that name the data set."""
    parser.add_argument(
        '--data-root',
        type=Path,
        default=Path('data/mp100'),
        help='the data set: annotations/*.json, '
        'cross_category_annotations/*.json and images/ (default: data/mp100)',
    )
    parser.add_argument(
        '--annotations',
        type=Path,
        nargs='+',
        metavar='FILE',
        help='use these annotation files instead',
    )


def annotation_files(args: argparse.Namespace) -> list[AnnotationFile]:
    """Reads the annotation files that the options name."""
    return read_annotation_files(
        args.annotations or find_annotation_files(args.data_root)
    )


def run_plan(args: argparse.Namespace) -> int:
    """Prints the plan."""
    folders = locate_sources(args.root, args.source)
    if args.json:
        print(json.dumps(plan(folders), indent=1))
    else:
        print_lines(plan_lines(folders))
    return 0


def run_build(args: argparse.Namespace) -> int:
    """Builds what can be built, and says what cannot."""
    report = build(
        args.data_root,
        annotation_files(args),
        locate_sources(args.root, args.source),
        how=args.how,
        rebuild=args.rebuild,
        progress=show_progress,
    )
    print_lines(summary(report))
    print_lines(partial_build_lines(report.marker))
    print(f'all of it: {args.data_root / MARKER}')
    return 0 if report.complete else 1


def run_check(args: argparse.Namespace) -> int:
    """Checks the data set."""
    report = check(
        args.images or args.data_root / 'images',
        annotation_files(args),
        tolerance=args.tolerance,
        num_workers=args.workers,
        progress=show_progress,
    )
    print_lines(check_lines(report))
    if args.report is not None:
        write_json(report, args.report)
        print(f'all findings: {args.report}')
    counts = report['counts']
    return int(any(counts[kind] for kind in KINDS if kind not in args.ignore))


def run_stats(args: argparse.Namespace) -> int:
    """Counts what the annotation files have."""
    rows = statistics(annotation_files(args))
    if not rows:
        raise AnnotationError('the annotation files have no instance')
    if args.plot is not None:
        plot_statistics(rows, args.plot)
        print(f'figure: {args.plot}')
    if args.out is None:
        print_lines(statistics_lines(rows))
    else:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text('\n'.join(statistics_lines(rows)) + '\n')
        print(f'tables: {args.out}')
    return 0


def print_lines(lines: Iterable[str]) -> None:
    """Prints lines."""
    for line in lines:
        print(line)


def show_progress(what: str, done: int, total: int) -> None:
    """Rewrites the progress line on the terminal."""
    if done % 50 and done != total:
        return
    end = '\n' if done == total else ''
    sys.stderr.write(f'\rmp100: {done}/{total} images {what}{end}')
    sys.stderr.flush()


def main() -> None:
    """Runs the command line tool."""
    args = parse_args()
    try:
        status = args.run(args)
    except (OSError, ValueError) as error:
        sys.stderr.write(f'error: {error}\n')
        status = 2
    sys.exit(status)


if __name__ == '__main__':
    main()
