"""Test a model.

    python tools/test.py CONFIG CHECKPOINT [--out FILE] [--dump FILE] ...

Several GPUs: tools/dist_test.sh. A Slurm cluster: tools/slurm_test.sh.
"""

from __future__ import annotations

import argparse
import os.path as osp

from mmengine.config import Config
from mmengine.runner import Runner

from mmcape.utils.clear_errors import ClearErrors
from mmcape.utils.command_line import (
    add_common_arguments,
    load_config,
    refuse_unreadable,
    store_results,
)
from mmcape.utils.distributed_jobs import leave_process_group


def parse_args() -> argparse.Namespace:
    """Options that mmpose users know."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument(
        'checkpoint',
        help="checkpoint file, or 'none' for a model without weights",
    )
    parser.add_argument(
        '--out',
        help='JSON file for the metrics, the table per category and the '
        'hashes of the episodes (default: test_results.json in the work '
        'folder)',
    )
    parser.add_argument(
        '--dump', help='.pkl file for all predictions, for offline evaluation'
    )
    parser.add_argument(
        '--amp',
        action='store_true',
        help='mixed precision: float16 on a GPU, bfloat16 on a CPU',
    )
    add_common_arguments(parser)
    args = parser.parse_args()
    if args.dump is not None and not args.dump.endswith(('.pkl', '.pickle')):
        parser.error('--dump must end with .pkl or .pickle')
    if args.checkpoint == 'none':
        args.checkpoint = None
    else:
        refuse_unreadable(parser, args.checkpoint)
    return args


def apply_options(cfg: Config, args: argparse.Namespace) -> None:
    """Write the options of testing into the config."""
    cfg.load_from = args.checkpoint
    cfg.test_cfg.fp16 = args.amp or cfg.test_cfg.get('fp16', False)
    default = osp.join(cfg.work_dir, 'test_results.json')
    store_results(cfg, 'test_evaluator', args.out or default)
    if args.dump is not None:
        cfg.test_evaluator = [
            *cfg.test_evaluator,
            dict(type='DumpResults', out_file_path=args.dump),
        ]


def main() -> None:
    """Test as the config says."""
    args = parse_args()
    cfg = load_config(args)
    apply_options(cfg, args)
    with ClearErrors() as errors:
        runner = Runner.from_cfg(cfg)
        errors.watch_ranks()
        runner.test()
        leave_process_group()


if __name__ == '__main__':
    main()
