"""Test a model.

    python tools/test.py CONFIG CHECKPOINT [--out FILE] [--dump FILE] ...

Several GPUs: tools/dist_test.sh. A Slurm cluster: tools/slurm_test.sh.
"""

from __future__ import annotations

import argparse
import os.path as osp

import mmengine
from mmengine.config import Config
from mmengine.runner import Runner

from mmcape.utils.checkpoint_files import CheckpointError, read_checkpoint
from mmcape.utils.command_line import add_common_arguments, load_config


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
    add_common_arguments(parser)
    args = parser.parse_args()
    if args.dump is not None and not args.dump.endswith(('.pkl', '.pickle')):
        parser.error('--dump must end with .pkl or .pickle')
    if args.checkpoint == 'none':
        args.checkpoint = None
    elif '://' not in args.checkpoint:
        try:
            read_checkpoint(args.checkpoint)
        except CheckpointError as error:
            parser.error(str(error))
    return args


def apply_options(cfg: Config, args: argparse.Namespace) -> None:
    """Write the options of testing into the config."""
    cfg.load_from = args.checkpoint
    evaluators = cfg.test_evaluator
    if not isinstance(evaluators, (list, tuple)):
        evaluators = [evaluators]
    result_file = args.out or osp.join(cfg.work_dir, 'test_results.json')
    for evaluator in evaluators:
        if evaluator['type'] == 'EpisodePCK':
            mmengine.mkdir_or_exist(osp.dirname(osp.abspath(result_file)))
            evaluator['result_file'] = result_file
    if args.dump is not None:
        evaluators = [
            *evaluators,
            dict(type='DumpResults', out_file_path=args.dump),
        ]
    cfg.test_evaluator = evaluators


def main() -> None:
    """Test as the config says."""
    args = parse_args()
    cfg = load_config(args)
    apply_options(cfg, args)
    Runner.from_cfg(cfg).test()


if __name__ == '__main__':
    main()
