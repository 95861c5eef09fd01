"""Measure whether memory grows over many epochs.

    python tools/analysis_tools/measure_memory.py [CONFIG] [--epochs 200]
        [--workers 2] [--out work_dirs/memory]

Trains a config for many epochs with an evaluation after each, in persistent
workers, and notes the memory of the main process and of all workers (Linux
only). Writes memory.json and memory.png, after Ctrl-C as well. The default is
the small CapeFormer with few channels, so that an epoch takes a second.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import platform
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.runner import Runner

from mmcape.benchmark.memory import MemoryCourseHook, drift, plot
from mmcape.utils.command_line import add_config_options

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / 'configs/capeformer/capeformer_tiny_puppets_1shot.py'
SMALL = {
    'model.backbone.stem_channels': 8,
    'model.backbone.base_channels': 8,
    'model.head.in_channels': 32,
    'model.head.embed_dims': 32,
    'train_dataloader.sampler.pairs_per_category': 4,
    'val_dataloader.sampler.num_queries': 3,
    'val_dataloader.sampler.num_episodes': 4,
}
"""What makes an epoch of the default config short."""


def configure(args: argparse.Namespace) -> Config:
    """The config of a long run that keeps nothing."""
    cfg = Config.fromfile(args.config or CONFIG)
    if args.config is None:
        cfg.merge_from_dict(SMALL)
    cfg.work_dir = str(args.out)
    cfg.train_cfg.update(max_epochs=args.epochs, val_interval=1)
    cfg.default_hooks.checkpoint.update(
        interval=args.epochs + 1, save_last=False, save_best=None
    )
    for stage in ('train', 'val'):
        loader = cfg[f'{stage}_dataloader']
        loader.update(num_workers=args.workers, persistent_workers=True)
        if args.data_root is not None:
            loader.dataset.data_root = str(args.data_root)
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    return cfg


def table(rows: dict[str, dict[str, float]]) -> str:
    """Markdown table of the drift."""
    lines = [
        '| | RSS (MiB) | KiB/epoch | PSS (MiB) | KiB/epoch | USS (MiB) | '
        'KiB/epoch |',
        '|---|---|---|---|---|---|---|',
    ]
    for name, row in rows.items():
        cells = (
            f'{row[f"{measure}_mib"]:.1f} | '
            f'{row[f"{measure}_kib_per_epoch"]:+.1f}'
            for measure in ('rss', 'pss', 'uss')
        )
        lines.append(f'| {name} | {" | ".join(cells)} |')
    return '\n'.join(lines)


def parse_args() -> argparse.Namespace:
    """Options of the tool."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument('config', nargs='?', help='config file')
    parser.add_argument('--data-root', type=Path, help='by default as in it')
    parser.add_argument(
        '--epochs', type=int, default=200, help='each with an evaluation'
    )
    parser.add_argument('--workers', type=int, default=2, help='of a loader')
    parser.add_argument(
        '--start',
        type=int,
        help='epoch from which drift is fitted (default: a quarter of all)',
    )
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('work_dirs/memory'),
        help='folder for numbers and plot',
    )
    add_config_options(parser)
    return parser.parse_args()


def main() -> None:
    """Train, write the report and the figure."""
    args = parse_args()
    hook = MemoryCourseHook()
    runner = Runner.from_cfg(configure(args))
    runner.register_hook(hook, 'LOWEST')
    with contextlib.suppress(KeyboardInterrupt):  # what is noted will do
        runner.train()

    start = runner.epoch // 4 if args.start is None else args.start
    rows = drift(hook.course, start)
    report: dict[str, Any] = dict(
        torch=torch.__version__,
        python=platform.python_version(),
        config=Path(args.config or CONFIG).stem,
        epochs=runner.epoch,
        workers=args.workers,
        start=start,
        drift=rows,
        course=hook.course,
    )
    path = args.out / 'memory.json'
    path.write_text(json.dumps(report, indent=1))
    plot(hook.course, args.out / 'memory.png')
    print(f'{table(rows)}\n\n{path}')


if __name__ == '__main__':
    main()
