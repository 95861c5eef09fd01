"""The episodes of a config's loaders."""

from __future__ import annotations

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import DATA_SAMPLERS, DATASETS

from mmcape.datasets import MP100Dataset
from mmcape.structures import Episode
from mmcape.utils.input_error import InputError


def open_episodes(
    cfg: Config, subset: str, seed: int = 0
) -> tuple[MP100Dataset, list[Episode]]:
    """A data set, to be indexed by the episodes of its loader.

    Args:
        cfg: The config.
        subset: 'train', 'val' or 'test'.
        seed: Of the episodes of training.

    Raises:
        InputError: If the config has no such loader.
    """
    init_default_scope(cfg.get('default_scope', 'mmpose'))
    loader = cfg.get(f'{subset}_dataloader')
    if loader is None:
        raise InputError(f'{cfg.filename} has no {subset}_dataloader')
    dataset = DATASETS.build(loader.dataset)
    sampler = DATA_SAMPLERS.build(
        loader.sampler, default_args=dict(dataset=dataset, seed=seed)
    )
    return dataset, list(sampler)
