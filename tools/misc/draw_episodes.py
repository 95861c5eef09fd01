"""Draw the paper's Figs. 5 to 7 for chosen episodes, or for own pictures.

    python tools/misc/draw_episodes.py CONFIG CHECKPOINT --out-dir DIR
        [--figures result walk attention similarity]
        [--episodes 0 150 300] [--keypoints nose 3]
    python tools/misc/draw_episodes.py CONFIG CHECKPOINT --out-dir DIR
        --support FILE --query IMAGE [...] [--box 10,20,300,200]

Episodes are those of the config's test, by their numbers; without --episodes
the first one of each category. A support of one's own is any file that
tools/infer.py takes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmcape.apis import CapeInferencer, read_support
from mmcape.apis.episode_sets import open_episodes
from mmcape.apis.model_loading import build_model
from mmcape.apis.test_set import add_test_set_arguments, load_with_test_set
from mmcape.utils.input_error import InputError, told_by_message
from mmcape.visualization import (
    FIGURES,
    EpisodeVisualizer,
    Explanation,
    explain,
)
from mmcape.visualization.marks import PANEL

Found = tuple[str, Explanation, dict[str, Any]]
"""Name of an episode, what was found, and its category."""


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Options of the tool."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add_test_set_arguments(parser)
    parser.add_argument('--device', default='cpu', help='e.g. cuda:0')
    parser.add_argument(
        '--out-dir', type=Path, required=True, help='folder for pictures'
    )
    parser.add_argument(
        '--figures',
        nargs='+',
        choices=list(FIGURES),
        default=list(FIGURES),
        help='what to draw (default: all)',
    )
    parser.add_argument(
        '--keypoints',
        nargs='+',
        help='numbers (from 0) or names of those to look at closely\n'
        '(default: some)',
    )
    parser.add_argument(
        '--panel', type=int, default=PANEL, help='side of a panel in pixels'
    )
    parser.add_argument(
        '--shots',
        type=int,
        help="support images (default: the config's, or 1 of one's own)",
    )
    parser.add_argument(
        '--episodes', type=int, nargs='+', help='numbers of test episodes'
    )
    own = parser.add_argument_group("one's own pictures")
    own.add_argument('--support', help='file of labelled keypoints')
    own.add_argument('--query', nargs='+', help='images to look in')
    own.add_argument(
        '--box', help='x1,y1,x2,y2 in all of them (default: whole images)'
    )
    own.add_argument('--category', help='if the file has several')
    own.add_argument('--img-root', help='folder of the images it names')
    args = parser.parse_args(arguments)
    if (args.support is None) != (args.query is None):
        parser.error('--support and --query go together')
    if args.support is not None and args.episodes is not None:
        parser.error('give --episodes, or --support and --query')
    return args


def test_episodes(cfg: Config, args: argparse.Namespace) -> Iterator[Found]:
    """Chosen episodes of the config's test.

    Raises:
        InputError: If there is no such episode.
    """
    if args.shots is not None:
        cfg.test_dataloader.sampler.num_shots = args.shots
    model = build_model(cfg, args.checkpoint, args.device)
    dataset, episodes = open_episodes(cfg, 'test')
    chosen = args.episodes
    if chosen is None:
        first = {e.category_id: e.index for e in reversed(episodes)}
        chosen = sorted(first.values())
    for number in chosen:
        if not 0 <= number < len(episodes):
            raise InputError(
                f'there is no episode {number}: the test has '
                f'{len(episodes)}, counted from 0'
            )
        episode = episodes[number]
        category = dataset.metainfo['categories'][episode.category_id]
        name = f'{number:06d}_{category["name"]}'
        yield name, explain(model, dataset[episode]), category


def own_pictures(cfg: Config, args: argparse.Namespace) -> Iterator[Found]:
    """One episode for each image.

    Raises:
        InputError: If something given cannot be used.
    """
    try:
        box = args.box and [float(value) for value in args.box.split(',')]
    except ValueError as error:
        raise InputError(f'--box {args.box} is not x1,y1,x2,y2') from error
    support = read_support(
        args.support, args.category, args.img_root, args.shots or 1
    )
    inferencer = CapeInferencer(cfg, args.checkpoint, args.device)
    inferencer.use_support(support)
    category = dict(keypoint_names=support.names, skeleton=support.skeleton)
    for image in args.query:
        yield Path(image).stem, inferencer.explain(image, box), category


def draw(args: argparse.Namespace) -> None:
    """Draw what the options say.

    Raises:
        InputError: If something given cannot be used.
    """
    cfg = load_with_test_set(args)
    visualizer = EpisodeVisualizer(panel=args.panel)
    episodes = test_episodes if args.support is None else own_pictures
    count = 0
    for name, found, category in episodes(cfg, args):
        visualizer.add_episode(
            name,
            found,
            figures=args.figures,
            category=category,
            keypoints=args.keypoints,
            out_dir=str(args.out_dir),
        )
        count += 1
    print(f'{count} episodes, {len(args.figures)} figures: {args.out_dir}')


def main() -> None:
    """Run the tool; bad input ends it with one message."""
    with told_by_message():
        draw(parse_args())


if __name__ == '__main__':
    main()
