"""What the command lines of several tools have in common."""

from __future__ import annotations

import argparse
import os
import os.path as osp

from mmengine.config import Config, DictAction

from mmcape.visualization import FIGURES

from .checkpoint_files import CheckpointError, read_checkpoint
from .distributed_jobs import use_gloo_without_gpu


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """Add the option that overrides settings of the config."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='settings that override the config, as key=value, e.g. '
        "model.backbone.init_cfg=None or key='[a,b]'",
    )


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that mmpose users know from training and test."""
    parser.add_argument(
        '--work-dir', help='folder for logs, checkpoints and results'
    )
    add_config_options(parser)
    parser.add_argument(
        '--show-dir', help='folder for pictures of predicted episodes'
    )
    parser.add_argument(
        '--show', action='store_true', help='show these pictures in a window'
    )
    parser.add_argument(
        '--figures',
        nargs='+',
        choices=list(FIGURES),
        default=['result'],
        help='what to draw, as the paper does (default: result)',
    )
    parser.add_argument(
        '--interval',
        type=int,
        default=50,
        help='every how many episodes a picture is drawn',
    )
    parser.add_argument(
        '--wait-time',
        type=float,
        default=1.0,
        help='seconds that a window stays',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='how the processes of a distributed job are started',
    )
    parser.add_argument(
        '--local_rank',
        '--local-rank',
        type=int,
        default=0,
        help='set by torch.distributed.launch, as torchrun sets LOCAL_RANK',
    )


def load_config(args: argparse.Namespace) -> Config:
    """Read ``args.config`` and apply the common options.

    The work folder is ``--work-dir``, else the config's, else named after
    the config file.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg = Config.fromfile(args.config)
    cfg.launcher = args.launcher

    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        name = osp.splitext(osp.basename(args.config))[0]
        cfg.work_dir = osp.join('work_dirs', name)

    if args.show or args.show_dir is not None:
        if 'visualization' not in cfg.default_hooks:
            raise ValueError(
                f'{args.config} has no default_hooks.visualization: add '
                "visualization=dict(type='EpisodeVisualizationHook')"
            )
        cfg.default_hooks.visualization.update(
            enable=True,
            show=args.show,
            wait_time=args.wait_time,
            out_dir=args.show_dir,
            interval=args.interval,
            figures=args.figures,
        )

    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    use_gloo_without_gpu(cfg)
    return cfg


def refuse_unreadable(parser: argparse.ArgumentParser, path: str) -> None:
    """End the tool with one line if a checkpoint file cannot be read."""
    if '://' in path:
        return
    try:
        read_checkpoint(path)
    except CheckpointError as error:
        parser.error(str(error))


def store_results(
    cfg: Config, evaluator: str, path: str, on_failed_save: str = 'stop'
) -> None:
    """Let an evaluator's PCK write its report, with the hashes of the test.

    Args:
        cfg: The config; the evaluator becomes a list.
        evaluator: 'val_evaluator' or 'test_evaluator'.
        path: The file.
        on_failed_save: As in :class:`~mmcape.evaluation.EpisodePCK`.
    """
    metrics = cfg[evaluator]
    if not isinstance(metrics, (list, tuple)):
        metrics = [metrics]
    os.makedirs(osp.dirname(osp.abspath(path)), exist_ok=True)
    for metric in metrics:
        if metric['type'] == 'EpisodePCK':
            metric.update(result_file=path, on_failed_save=on_failed_save)
    cfg[evaluator] = list(metrics)
