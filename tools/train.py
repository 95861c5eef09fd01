"""Train a model.

    python tools/train.py CONFIG [--work-dir DIR] [--resume] [--amp] ...

Several GPUs: tools/dist_train.sh. A Slurm cluster: tools/slurm_train.sh.
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
from mmcape.utils.distributed_jobs import (
    is_first_process,
    leave_process_group,
)
from mmcape.utils.resume_points import find_resume_point

AMP_WRAPPERS = {
    'float16': dict(type='AmpOptimWrapper', loss_scale='dynamic'),
    'bfloat16': dict(type='Bfloat16OptimWrapper'),
}


def parse_args() -> argparse.Namespace:
    """Options that mmpose users know."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='resume from this checkpoint, or without a value from the newest '
        'one in the work folder that can be read',
    )
    parser.add_argument(
        '--amp', action='store_true', help='automatic mixed precision'
    )
    parser.add_argument(
        '--amp-dtype',
        choices=list(AMP_WRAPPERS),
        default='float16',
        help='type of --amp; float16 needs a GPU (default: %(default)s)',
    )
    parser.add_argument(
        '--no-validate',
        action='store_true',
        help='do not evaluate during training',
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate with the total batch size',
    )
    add_common_arguments(parser)
    args = parser.parse_args()
    if args.resume not in (None, 'auto'):
        refuse_unreadable(parser, args.resume)
    return args


def apply_options(cfg: Config, args: argparse.Namespace) -> None:
    """Write the options of training into the config."""
    if args.no_validate or cfg.get('val_evaluator') is None:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
        cfg.default_hooks.checkpoint.save_best = None
    else:
        path = osp.join(cfg.work_dir, 'val_results.json')
        policy = cfg.default_hooks.checkpoint.get('on_failed_save', 'stop')
        store_results(cfg, 'val_evaluator', path, policy)
    if args.amp:
        kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
        wrapper = AMP_WRAPPERS[args.amp_dtype]
        if kind not in ('OptimWrapper', wrapper['type']):
            raise ValueError(f'--amp does not work with optim_wrapper {kind}')
        cfg.optim_wrapper = dict(wrapper, **cfg.optim_wrapper)
        cfg.optim_wrapper.type = wrapper['type']
    if args.auto_scale_lr:
        cfg.auto_scale_lr.enable = True
    if args.resume is not None:
        cfg.resume = True
        cfg.load_from = None if args.resume == 'auto' else args.resume
    if cfg.get('resume') and cfg.get('load_from') is None:
        cfg.load_from = find_resume_point(cfg.work_dir, say)


def say(line: str) -> None:
    """Print at once, once a job."""
    if is_first_process():
        print(line, flush=True)


def main() -> None:
    """Train as the config says."""
    args = parse_args()
    cfg = load_config(args)
    with ClearErrors(cfg.work_dir) as errors:
        apply_options(cfg, args)
        runner = Runner.from_cfg(cfg)
        errors.watch_ranks()
        runner.train()
        leave_process_group()


if __name__ == '__main__':
    main()
