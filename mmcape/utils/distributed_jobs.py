"""Start and end of distributed jobs, on machines without a GPU too."""

from __future__ import annotations

import os
from datetime import timedelta

import torch
from mmengine.config import Config
from torch import distributed


def use_gloo_without_gpu(cfg: Config) -> None:
    """Start the process group on gloo if a distributed job has no GPU.

    mmengine's launcher selects a CUDA device before anything else and pins
    the model to it, so on a CPU the group must be there already and the
    model's wrapper must be told of no device.
    """
    if cfg.launcher != 'pytorch' or torch.cuda.is_available():
        return
    if not distributed.is_initialized():
        seconds = cfg.get('env_cfg', {}).get('dist_cfg', {}).get('timeout')
        timeout = None if seconds is None else timedelta(seconds=seconds)
        distributed.init_process_group('gloo', timeout=timeout)
    cfg.model_wrapper_cfg = dict(
        dict(type='MMDistributedDataParallel', broadcast_buffers=False),
        **cfg.get('model_wrapper_cfg', {}),
        device_ids=None,
    )


def is_first_process() -> bool:
    """Whether this is the process that speaks for a job, known at once.

    mmengine can tell only when the process group is there.
    """
    rank = os.environ.get('RANK') or os.environ.get('SLURM_PROCID')
    return rank in (None, '0')


def leave_process_group(wait: bool = True) -> None:
    """End a distributed job in order.

    gloo's threads abort a process that exits while they still run.

    Args:
        wait: Whether to wait till all ranks are done. They may never be if
            one has failed.
    """
    if distributed.is_initialized():
        if wait:
            distributed.barrier()
        distributed.destroy_process_group()
