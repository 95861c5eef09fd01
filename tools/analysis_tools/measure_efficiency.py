"""Parameters, FLOPs, speed and memory of models, side by side.

    python tools/analysis_tools/measure_efficiency.py CONFIG [CONFIG ...]
        [--keypoints 100] [--repeats 10] [--out FILE]

One query with one support image, batch size 1, random weights and images.
FLOPs are 2 per multiply-add, counted in full (attention and matrix products
included, unlike the figures in the papers). Each model is measured in a
process of its own, one after the other; the files are written anew after each.
A config that fails is reported in its row and does not stop the others.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.utils import digit_version
from mmpose.registry import MODELS

from mmcape.benchmark.timing import peak_memory
from mmcape.testing import make_episode_batch
from mmcape.utils.atomic_files import write_atomically

MIN_TORCH = '2.3'
"""The first whose attention can be told which kernel to take."""
FIGURES = {
    'parameters_m': ('parameters (M)', '.2f'),
    'gflops': ('GFLOPs', '.2f'),
    'fps': ('queries/s', '.2f'),
    'peak_memory_mib': ('peak memory (MiB)', '.0f'),
}
"""What is measured: its heading and how a number is written."""

Row = dict[str, Any]
"""A config's name, its paper's figures, and its figures or the error."""


def measure(config: str, keypoints: int, repeats: int) -> Row:
    """Figures of one config's model on this device."""
    init_default_scope('mmpose')
    cfg = Config.fromfile(config)
    if 'backbone' in cfg.model:
        cfg.model.backbone.init_cfg = None
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    before = peak_memory()
    model = MODELS.build(cfg.model).eval().to(device)
    batch, samples = make_episode_batch(
        1, keypoints=keypoints, size=tuple(cfg.codec.input_size)
    )
    inputs: dict[str, Any] = dict(batch)
    inputs = {name: value.to(device) for name, value in inputs.items()}

    @torch.no_grad()
    def predict() -> None:
        model(inputs, samples, mode='predict')
        if device == 'cuda':
            torch.cuda.synchronize()

    predict()  # warm up
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        predict()
        seconds.append(time.perf_counter() - start)
    memory = peak_memory() - before  # counting FLOPs takes more
    return dict(
        device=device,
        parameters_m=sum(p.numel() for p in model.parameters()) / 1e6,
        gflops=count_flops(predict) / 1e9,
        fps=1 / statistics.median(seconds),
        peak_memory_mib=memory,
    )


def count_flops(call: Callable[[], object]) -> int:
    """FLOPs of a call, 2 per multiply-add."""
    # an older torch lacks these; main() says so
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    # fused kernels are not counted, their decomposition is
    counter = FlopCounterMode(display=False)
    with counter, sdpa_kernel(SDPBackend.MATH):
        call()
    return counter.get_total_flops()


def in_own_process(function: Callable[..., Row], *arguments: object) -> Row:
    """What a function returns, called in a fresh process that ends then.

    Raises:
        BrokenProcessPool: If the process dies.
        Exception: What the function raises.
    """
    spawn = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as pool:
        return pool.submit(function, *arguments).result()


def figures_or_error(config: str, keypoints: int, repeats: int) -> Row:
    """What there is to say about a config: its figures, or what went wrong."""
    try:
        return in_own_process(measure, config, keypoints, repeats)
    except BrokenProcessPool:
        return dict(error='its process died, perhaps for lack of memory')
    except Exception as error:
        traceback.print_exc()
        lines = traceback.format_exception_only(type(error), error)
        return dict(error=lines[-1].strip())


def markdown(title: str, rows: list[Row]) -> str:
    """Table of the figures, beside those of the paper where it has any."""
    compared = [
        key
        for key in FIGURES
        if any(row['paper'].get(key) is not None for row in rows)
    ]
    headings = []
    for key, (heading, _) in FIGURES.items():
        headings.append(heading)
        if key in compared:
            headings.append('paper (MP-100)')
    lines = [
        f'### {title}',
        '',
        f'| | {" | ".join(headings)} |',
        f'|{"---|" * (1 + len(headings))}',
    ]
    for row in rows:
        cells = list(_cells(row, compared))
        if 'error' in row:
            cells[0] = ' '.join(row['error'].split()).replace('|', r'\|')
        lines.append(f'| {row["name"]} | {" | ".join(cells)} |')
    return '\n'.join(lines) + '\n'


def _cells(row: Row, compared: list[str]) -> Iterator[str]:
    """A row's numbers; nothing for those that there are not."""
    for key, (_, form) in FIGURES.items():
        numbers = [row.get(key)]
        if key in compared:
            numbers.append(row['paper'].get(key))
        for number in numbers:
            yield '' if number is None else format(number, form)


def write(args: argparse.Namespace, rows: list[Row]) -> None:
    """Write both files, each whole."""
    report = dict(title=args.title, keypoints=args.keypoints, rows=rows)
    texts = {
        '.json': json.dumps(report, indent=2) + '\n',
        '.md': markdown(args.title, rows),
    }
    for suffix, text in texts.items():
        write_atomically(args.out.with_suffix(suffix), text.encode())


def parse_args() -> argparse.Namespace:
    """Options of the tool."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        'configs', nargs='+', metavar='CONFIG', help='config file'
    )
    parser.add_argument(
        '--names', nargs='+', metavar='NAME', help="by default the files'"
    )
    parser.add_argument(
        '--title', default='Efficiency', help='what the table is called'
    )
    parser.add_argument(
        '--paper',
        type=json.loads,
        default={},
        metavar='JSON',
        help='figures to show beside ours, such as `{"NAME": {"fps": 5}}`',
    )
    parser.add_argument(
        '--keypoints', type=int, default=100, help='keypoints of the pair'
    )
    parser.add_argument(
        '--repeats', type=int, default=10, help='how often each time is taken'
    )
    parser.add_argument(
        '--out', type=Path, help='write FILE.json and FILE.md', metavar='FILE'
    )
    args = parser.parse_args()
    args.names = args.names or [Path(one).stem for one in args.configs]
    if len(args.names) != len(args.configs):
        parser.error('--names takes as many names as there are configs')
    unknown = set(args.paper) - set(args.names)
    for figures in args.paper.values():
        unknown |= set(figures) - set(FIGURES)
    if unknown:
        parser.error(f'--paper has what no row has: {sorted(unknown)}')
    if digit_version(torch.__version__) < digit_version(MIN_TORCH):
        parser.error(
            f'needs torch {MIN_TORCH} or later to count attention, '
            f'this is {torch.__version__}'
        )
    return args


def main() -> int:
    """Measure every config, one after the other."""
    args = parse_args()
    if args.out is not None:
        args.out.parent.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    for name, config in zip(args.names, args.configs):
        place = f'[{len(rows) + 1}/{len(args.configs)}]'
        print(f'{place} {name}: {config}', flush=True)
        row = dict(name=name, config=config, paper=args.paper.get(name, {}))
        row.update(figures_or_error(config, args.keypoints, args.repeats))
        rows.append(row)
        print(f'  {row.get("error", "done")}', flush=True)
        if args.out is not None:
            write(args, rows)
    print(f'\n{markdown(args.title, rows)}')
    return int(any('error' in row for row in rows))


if __name__ == '__main__':
    sys.exit(main())
