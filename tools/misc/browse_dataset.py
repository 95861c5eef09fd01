"""Look at the episodes that a config's loader gives, augmentation included.

    python tools/misc/browse_dataset.py CONFIG --out-dir DIR
        [--subset train] [--number 20] [--seed 0] [--show]

Each picture has the annotated boxes of an episode's supports and query, and
below them the crops that the model gets. The same seed gives the same
pictures; training with this seed meets these episodes in its first epoch.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from pathlib import Path

from mmcape.apis.episode_sets import open_episodes
from mmcape.apis.model_loading import load_config
from mmcape.utils.command_line import add_config_options
from mmcape.utils.input_error import InputError
from mmcape.visualization import (
    EpisodeVisualizer,
    Naming,
    draw_loaded,
    require_display,
    write_picture,
)
from mmcape.visualization.marks import PANEL


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Options of the tool."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument('config', help='config file, or name of one')
    parser.add_argument(
        '--subset',
        choices=['train', 'val', 'test'],
        default='train',
        help='whose loader',
    )
    parser.add_argument('--number', type=int, default=20, help='of episodes')
    parser.add_argument(
        '--seed', type=int, default=0, help='of episodes and augmentation'
    )
    parser.add_argument('--out-dir', type=Path, help='folder for pictures')
    parser.add_argument('--show', action='store_true', help='in windows')
    parser.add_argument(
        '--panel', type=int, default=PANEL, help='side of a panel in pixels'
    )
    add_config_options(parser)
    args = parser.parse_args(arguments)
    if args.out_dir is None and not args.show:
        parser.error('give --out-dir, or --show, or both')
    return args


def browse(args: argparse.Namespace) -> None:
    """Draw what the options say.

    Raises:
        InputError: If something given cannot be used.
    """
    if args.show:
        require_display()
    cfg = load_config(args.config)
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    dataset, episodes = open_episodes(cfg, args.subset, args.seed)
    bgr = cfg.model.data_preprocessor.get('bgr_to_rgb', True)
    window = EpisodeVisualizer() if args.show else None

    count = min(args.number, len(episodes))
    for episode in random.Random(args.seed).sample(episodes, count):
        category = dataset.metainfo['categories'][episode.category_id]
        naming = Naming.of(category, category['num_keypoints'])
        picture = draw_loaded(dataset[episode], naming, bgr, args.panel)
        name = f'{episode.index:06d}_{category["name"]}'
        if args.out_dir is not None:
            write_picture(args.out_dir / f'{name}.jpg', picture)
        if window is not None:
            window.show(picture, win_name=name)
    if args.out_dir is not None:
        print(f'{count} of {len(episodes)} episodes: {args.out_dir}')


def main() -> None:
    """Run the tool; bad input ends it with one message."""
    try:
        browse(parse_args())
    except (InputError, OSError, ValueError) as error:
        sys.exit(f'error: {error}')


if __name__ == '__main__':
    main()
