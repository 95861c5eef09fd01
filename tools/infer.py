"""Find the keypoints of annotated pictures in your own pictures or videos.

    python tools/infer.py CONFIG CHECKPOINT INPUT --support FILE [...]

INPUT is an image, several images, a folder, a quoted glob, a video file, or
the number of a camera (Ctrl-C ends). The support is a file of labelled
keypoints: COCO or labelme .json, a folder of labelme files, DeepLabCut .csv
or .h5, Label Studio .json, data.yaml of a YOLO-pose data set, SLEAP .slp,
.nwb, a file written by --save-support; or it is clicked in a window
(--click IMAGE). Results go to --out-dir in the chosen --formats, with a
picture of each.
"""

from __future__ import annotations

import argparse
import os.path as osp
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmpose.structures import PoseDataSample

from mmcape.apis import (
    AnnotatedSupport,
    CapeInferencer,
    InputError,
    annotate,
    annotate_from,
)
from mmcape.apis.clicking import click_keypoints
from mmcape.apis.model_loading import load_config
from mmcape.apis.pictures import read_picture
from mmcape.apis.queries import Frames, Images, open_queries
from mmcape.formats import (
    LabelledPoses,
    read_poses,
    write_coco,
    write_deeplabcut,
    write_labelme,
    write_sleap,
)
from mmcape.formats.sleap import import_sleap_io
from mmcape.utils.command_line import add_config_options
from mmcape.utils.input_error import told_by_message

FORMATS = ('coco', 'labelme', 'deeplabcut', 'sleap')


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Options of the tool."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument('config', help='config file, or name of one')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument(
        'input', nargs='+', help='images, folder, glob, video or camera'
    )
    parser.add_argument('--device', help='by default a GPU if there is one')
    add_config_options(parser)

    support = parser.add_argument_group('support')
    source = support.add_mutually_exclusive_group(required=True)
    source.add_argument('--support', help='file of labelled keypoints')
    source.add_argument(
        '--click', metavar='IMAGE', help='image to click the keypoints in'
    )
    support.add_argument(
        '--category', help='name or id, if the file has several'
    )
    support.add_argument(
        '--shots',
        type=int,
        default=1,
        help='how many labelled instances of the file to use, those first\n'
        'that show the most keypoints (default: 1)',
    )
    support.add_argument(
        '--img-root', help='folder of the images that the file names'
    )
    support.add_argument(
        '--names', nargs='+', help='names of the keypoints to click'
    )
    support.add_argument(
        '--skeleton',
        nargs='+',
        metavar='I-J',
        help='clicked keypoints to connect, counted from 0',
    )
    support.add_argument(
        '--save-support', metavar='FILE.npz', help='keep the support'
    )

    search = parser.add_argument_group('search')
    search.add_argument(
        '--boxes',
        help="COCO file with the objects' boxes, or x1,y1,x2,y2 for all\n"
        'images (default: whole images)',
    )
    search.add_argument(
        '--follow',
        action=argparse.BooleanOptionalAction,
        help='search each frame around the last pose (default: in videos\n'
        'without --boxes)',
    )
    search.add_argument(
        '--looks',
        type=int,
        default=1,
        help='how often to search an image, each time closer around what was\n'
        'found; 2 help much where there are no --boxes (default: 1).\n'
        'Where boxes follow, only the first frame',
    )
    search.add_argument(
        '--batch-size',
        type=int,
        default=8,
        help='images searched at once (default: 8)',
    )

    output = parser.add_argument_group('output')
    output.add_argument(
        '--out-dir',
        type=Path,
        default=Path('results'),
        help='folder of all results (default: results)',
    )
    output.add_argument(
        '--formats',
        nargs='+',
        choices=FORMATS,
        default=['coco'],
        help='files to write (default: coco)',
    )
    output.add_argument(
        '--threshold',
        type=float,
        default=0.0,
        help='leave keypoints below this score out of the files',
    )
    output.add_argument(
        '--kpt-thr',
        type=float,
        default=0.3,
        help='draw, and follow, keypoints from this score on',
    )
    output.add_argument(
        '--no-pictures', action='store_true', help='write files only'
    )
    output.add_argument(
        '--show', action='store_true', help='show pictures in a window'
    )
    return parser.parse_args(arguments)


def make_support(args: argparse.Namespace) -> AnnotatedSupport:
    """The support that the options name.

    Raises:
        InputError: If it cannot be used.
    """
    if args.click is not None:
        return _click(args)
    if args.support.endswith('.npz'):
        return AnnotatedSupport.load(args.support)
    labelled = read_poses(args.support, args.category, args.img_root)
    support = annotate_from(labelled, args.shots)
    print(
        f'support: {args.shots} of {len(labelled.poses)} labelled instances '
        f'of {labelled.category!r}, {len(labelled.names)} keypoints'
    )
    return support


def _click(args: argparse.Namespace) -> AnnotatedSupport:
    try:
        skeleton = [
            (int(start), int(end))
            for start, end in (e.split('-') for e in args.skeleton or ())
        ]
    except ValueError as error:
        raise InputError(
            f'--skeleton takes pairs as 0-1, not {args.skeleton}'
        ) from error
    image = read_picture(args.click)
    points = click_keypoints(image, args.names, skeleton)
    return annotate(args.click, points, skeleton=skeleton, names=args.names)


def make_boxes(given: str | None) -> Any:
    """Boxes as the inferencer takes them.

    Raises:
        InputError: If they are neither a file nor four numbers.
    """
    if given is None or osp.isfile(given):
        return given
    try:
        x1, y1, x2, y2 = map(float, given.split(','))
    except ValueError as error:
        raise InputError(
            f'--boxes {given} is neither a file nor x1,y1,x2,y2'
        ) from error
    return [x1, y1, x2, y2]


def check_formats(formats: Sequence[str], queries: Images | Frames) -> None:
    """Whether the results of these pictures can be written.

    Raises:
        InputError: If a format cannot hold them, or its package is missing.
    """
    if isinstance(queries, Frames) and 'labelme' in formats:
        raise InputError(
            'labelme opens images, not videos: choose --formats coco, '
            'deeplabcut or sleap, or take the video apart first'
        )
    if 'sleap' in formats:
        import_sleap_io('--formats sleap')
        if isinstance(queries, Frames) and queries.is_live:
            raise InputError('SLEAP opens files, no camera: record a video')


def write_results(
    found: LabelledPoses, out_dir: Path, formats: Sequence[str]
) -> None:
    """Write all poses in each format, and say where."""
    if 'coco' in formats:
        path = out_dir / 'keypoints.json'
        folders = [osp.dirname(osp.abspath(p.image)) for p in found.poses]
        root = osp.commonpath(folders) if folders else None
        write_coco(path, found, img_root=root)
        print(f'COCO keypoints: {path}')
    if 'deeplabcut' in formats:
        path = out_dir / 'keypoints.csv'
        write_deeplabcut(path, found)
        print(f'DeepLabCut: {path}')
    if 'labelme' in formats:
        write_labelme(out_dir / 'labelme', found)
        print(f'labelme: {out_dir / "labelme"}')
    if 'sleap' in formats:
        path = out_dir / 'keypoints.slp'
        write_sleap(path, found)
        print(f'SLEAP: {path}')


class ProgressLine:
    """One line on a terminal that tells how far the work is.

    Args:
        total: Number of images, if it is known.
    """

    def __init__(self, total: int | None) -> None:
        self.total = total
        self.start = time.monotonic()

    def show(self, done: int) -> None:
        """Renew the line, where there is a terminal."""
        if sys.stderr.isatty():
            print(f'\r{self.text(done)}', end='', file=sys.stderr, flush=True)

    def end(self, done: int) -> None:
        """Leave the line for good, terminal or not."""
        start = '\r' if sys.stderr.isatty() else ''
        print(f'{start}{self.text(done)}', file=sys.stderr)

    def text(self, done: int) -> str:
        """E.g. '12/200 images, 3.4 a second'."""
        rate = done / max(time.monotonic() - self.start, 1e-9)
        of_all = '' if self.total is None else f'/{self.total}'
        return f'{done}{of_all} images, {rate:.1f} a second'


def infer(args: argparse.Namespace) -> None:
    """Do what the options say.

    Raises:
        InputError: If something given cannot be used.
    """
    inputs = args.input if len(args.input) > 1 else args.input[0]
    boxes = make_boxes(args.boxes)
    queries = open_queries(inputs)
    check_formats(args.formats, queries)
    total = queries.length if isinstance(queries, Frames) else len(queries)
    del queries

    support = make_support(args)
    if args.save_support is not None:
        support.save(args.save_support)
        print(f'support kept: {args.save_support}')
    cfg = load_config(args.config)
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    inferencer = CapeInferencer(cfg, args.checkpoint, args.device)
    inferencer.use_support(support)

    samples: list[PoseDataSample] = []
    progress = ProgressLine(total)
    results = inferencer(
        inputs,
        boxes=boxes,
        batch_size=args.batch_size,
        out_dir=None if args.no_pictures else args.out_dir,
        show=args.show,
        kpt_thr=args.kpt_thr,
        looks=args.looks,
        follow_box=args.follow,
    )
    try:
        for result in results:
            samples += result['predictions']
            progress.show(len(samples))
    except KeyboardInterrupt:
        results.close()  # type: ignore[attr-defined]
    progress.end(len(samples))

    found = inferencer.as_poses(samples).sure(args.threshold)
    write_results(found, args.out_dir, args.formats)
    if not args.no_pictures:
        print(f'pictures: {args.out_dir / "visualizations"}')
    if inferencer.failures:
        print(f'{len(inferencer.failures)} images could not be used:')
        for problem in inferencer.failures.values():
            print(f'  {problem}')


def main() -> None:
    """Run the tool; bad input ends it with one message."""
    with told_by_message():
        infer(parse_args())


if __name__ == '__main__':
    main()
