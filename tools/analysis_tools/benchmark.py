"""Measure what evaluation and training cost, beside the published way.

    python tools/analysis_tools/benchmark.py [CONFIG] [--parts PART ...]

Times are taken in turns in one run. The published way is computed on the same
weights: one pair at a time, padded to 100 keypoints, features upsampled to
pool a few points, attention weights materialised (mmcape/benchmark).
`evaluation` adds up a full test of MP-100 from measured parts; `whole` runs
all of a test on the embedded benchmark both ways.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS, MODELS

from mmcape.benchmark import growth, parts
from mmcape.benchmark.loading import enlarge, loader
from mmcape.benchmark.timing import Comparison, peak_memory
from mmcape.benchmark.whole_test import whole_test

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / 'configs/capeformer/capeformer_r50_mp100-split1_1shot.py'
SMALL = ROOT / 'configs/capeformer/capeformer_tiny_puppets_1shot.py'
PARTS = (
    'pooling',
    'backbone',
    'head',
    'interactive',
    'evaluation',
    'training',
    'loader',
    'whole',
    'growth',
)


def hardware() -> str:
    """The device, in words."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    name = platform.processor() or platform.machine()
    for line in _lines(Path('/proc/cpuinfo')):
        if line.startswith('model name'):
            name = line.split(':')[1].strip()
            break
    return f'{name}, {torch.get_num_threads()} threads'


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def build_model(config: str) -> Any:
    """A config's model with random weights, ready to evaluate."""
    cfg = Config.fromfile(config)
    if 'backbone' in cfg.model:
        cfg.model.backbone.init_cfg = None
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    model = MODELS.build(cfg.model).eval().to(device)
    return model.to(memory_format=torch.channels_last)


def load_training_set(
    config: str, data_root: Path, cache: str | None = None
) -> Any:
    """The embedded benchmark in a config's own pipeline.

    Args:
        config: Path of the config.
        data_root: Where the benchmark lies.
        cache: Folder for decoded images, or None to decode each time.
    """
    pipeline = Config.fromfile(config).train_dataloader.dataset.pipeline
    if cache is not None:
        load = pipeline[0].transforms[0]
        load.cache = dict(folder=cache, limit=1.0)
    small = Config.fromfile(str(SMALL)).train_dataloader.dataset
    small.update(data_root=str(data_root), pipeline=pipeline)
    return DATASETS.build(small)


def compare_loaders(
    args: argparse.Namespace, codec: Any
) -> Iterator[Comparison]:
    """The loader on small and on large images, and with these decoded."""
    small = load_training_set(args.config, args.data_root)
    yield loader(small, small, codec, 'images as drawn, about 220 pixels')
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, 'large')
        enlarge(args.data_root, root, factor=2.5, count=8)
        large = load_training_set(args.config, root)
        cached = load_training_set(args.config, root, f'{folder}/cache')
        yield loader(large, large, codec, 'about 550 pixels')
        yield loader(large, cached, codec, 'about 550 pixels, cached')


def compare(
    part: str, setting: parts.Setting, args: argparse.Namespace
) -> Iterator[Comparison]:
    """The rows of one part."""
    if part == 'evaluation':
        for shots in (1, 5):
            yield parts.evaluation(setting, shots, args.instances, args.pairs)
    elif part == 'training':
        yield parts.training_step(setting, args.batch)
    elif part == 'loader':
        yield from compare_loaders(args, setting.model.head.codec)
    else:
        yield getattr(parts, part)(setting)


def compare_whole(
    args: argparse.Namespace, report: dict[str, Any]
) -> Iterator[Comparison]:
    """All of a small test both ways; how their metrics differ goes aside."""
    cfg = Config.fromfile(str(SMALL))
    cfg.test_dataloader.dataset.data_root = str(args.data_root)
    for shots in (1, 5):
        row, difference = whole_test(cfg, shots, str(args.out))
        report[f'metric_difference_{shots}shot'] = difference
        yield row


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Everything that was asked for."""
    setting = parts.Setting(
        build_model(args.config), args.keypoints, args.repeats, args.bfloat16
    )
    report: dict[str, Any] = dict(
        hardware=hardware(),
        torch=torch.__version__,
        config=Path(args.config).stem,
        keypoints=args.keypoints,
        bfloat16=args.bfloat16,
        rows=[],
    )
    for part in args.parts:
        if part == 'growth':
            report['growth'] = growth.measure_growth(setting)
            growth.plot(report['growth'], args.out / 'growth.png')
            continue
        rows = (
            compare_whole(args, report)
            if part == 'whole'
            else compare(part, setting, args)
        )
        for row in rows:
            print(line(row), flush=True)
            report['rows'].append(dict(vars(row), ratio=row.ratio))
    report['peak_memory_mib'] = peak_memory()
    return report


def line(row: Comparison) -> str:
    """A row of the Markdown table."""
    return (
        f'| {row.part} | {row.setting} | {_time(row.plain)} | '
        f'{_time(row.ours)} | {row.ratio:.2f} |'
    )


def _time(seconds: float) -> str:
    if seconds < 1:
        return f'{1e3 * seconds:.2f} ms'
    return f'{seconds:.1f} s' if seconds < 120 else f'{seconds / 60:.1f} min'


def parse_args() -> argparse.Namespace:
    """Options of the tool."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        'config',
        nargs='?',
        default=str(CONFIG),
        help=f'config file (default: {CONFIG.name})',
    )
    parser.add_argument(
        '--parts',
        nargs='+',
        choices=PARTS,
        default=list(PARTS),
        help='what to measure (default: all)',
    )
    parser.add_argument(
        '--keypoints', type=int, default=20, help='K of an episode'
    )
    parser.add_argument(
        '--repeats', type=int, default=7, help='how often each time is taken'
    )
    parser.add_argument(
        '--batch', type=int, default=16, help='batch size of training'
    )
    parser.add_argument(
        '--instances', type=int, default=4000, help='instances of a full test'
    )
    parser.add_argument(
        '--pairs', type=int, default=60000, help='pairs of a full test'
    )
    parser.add_argument(
        '--bfloat16', action='store_true', help='our way under autocast'
    )
    parser.add_argument(
        '--data-root',
        type=Path,
        default=ROOT / 'data/puppets',
        help='folder of Puppets',
    )
    parser.add_argument(
        '--out',
        type=Path,
        default=ROOT / 'work_dirs/benchmark',
        help='folder of figures and plots',
    )
    return parser.parse_args()


def main() -> None:
    """Measure, print a table, write benchmark.json."""
    args = parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    init_default_scope('mmpose')
    print(f'{hardware()}\n\n| part | of | published way | ours | ratio |')
    print('|---|---|---|---|---|')
    report = measure(args)
    path = args.out / 'benchmark.json'
    path.write_text(json.dumps(report, indent=2))
    print(f'\n{path}')


if __name__ == '__main__':
    main()
