"""Parameters, FLOPs, speed and memory of models, side by side.

    python tools/analysis_tools/measure_efficiency.py CONFIG [CONFIG ...]
        [--keypoints 100] [--repeats 10] [--out FILE]

One query with one support image, batch size 1, random weights and images.
FLOPs are 2 per multiply-add, counted in full (attention and matrix products
included, unlike the figures in the papers). Each model is measured in a
process of its own, one after the other.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import time
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from mmcape.benchmark.timing import peak_memory
from mmcape.testing import make_episode_batch


def measure(config: str, keypoints: int, repeats: int) -> dict[str, Any]:
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
    memory = peak_memory() - before

    # fused kernels are not counted, their decomposition is
    counter = FlopCounterMode(display=False)
    with counter, sdpa_kernel(SDPBackend.MATH):
        predict()
    return dict(
        name=Path(config).stem,
        device=device,
        parameters_m=sum(p.numel() for p in model.parameters()) / 1e6,
        gflops=counter.get_total_flops() / 1e9,
        fps=1 / statistics.median(seconds),
        peak_memory_mib=memory,
    )


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown table of the figures."""
    lines = [
        '| | parameters (M) | GFLOPs | queries/s | peak memory (MiB) |',
        '|---|---|---|---|---|',
    ]
    lines += [
        f'| {r["name"]} | {r["parameters_m"]:.2f} | {r["gflops"]:.2f} | '
        f'{r["fps"]:.2f} | {r["peak_memory_mib"]:.0f} |'
        for r in rows
    ]
    return '\n'.join(lines)


def main() -> None:
    """Measure every config, one after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        'configs', nargs='+', metavar='CONFIG', help='config file'
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

    rows = []
    spawn = multiprocessing.get_context('spawn')
    for config in args.configs:
        with spawn.Pool(1) as pool:
            job = (config, args.keypoints, args.repeats)
            rows.append(pool.apply(measure, job))
        print(f'{config} done', flush=True)
    print(table(rows))
    if args.out is not None:
        args.out.with_suffix('.json').write_text(json.dumps(rows, indent=2))
        args.out.with_suffix('.md').write_text(table(rows) + '\n')


if __name__ == '__main__':
    main()
