"""A config and a checkpoint -> a model that is ready to predict."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner.checkpoint import CheckpointLoader
from mmpose.registry import MODELS

from mmcape.utils.checkpoint_files import CheckpointError
from mmcape.utils.checkpoint_fit import describe_misfit, weights_of
from mmcape.utils.input_error import InputError

_PACKAGE = Path(__file__).resolve().parents[1]
_CONFIG_ROOTS = (_PACKAGE / '.mim' / 'configs', _PACKAGE.parent / 'configs')
"""In an installed copy, and in the repository."""


def load_config(model: str | Path | Config) -> Config:
    """Config of a file, or of one of the project's own by its name.

    Args:
        model: A config, its path, or a name without folder and suffix, e.g.
            'capeformer_r50_mp100-split1_1shot'.

    Raises:
        InputError: If there is no such file or name.
    """
    if isinstance(model, Config):
        return model
    path = Path(model)
    if path.suffix == '.py' and not path.is_file():
        raise InputError(f'config file {path} is missing')
    return Config.fromfile(path if path.is_file() else _named(str(model)))


def _named(name: str) -> Path:
    known = {
        path.stem: path
        for root in reversed(_CONFIG_ROOTS)
        for path in root.glob('[!_]*/*.py')
    }
    if name not in known:
        close = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
        raise InputError(
            f'{name!r} is neither a config file nor the name of one of '
            f'mmcape; the nearest are: {", ".join(close) or "none"}'
        )
    return known[name]


def build_model(
    cfg: Config, weights: str | Path | None, device: str | torch.device
) -> Any:
    """Build a config's model with the weights of a checkpoint.

    Args:
        cfg: The config.
        weights: File or URL. None keeps the initial weights, those of a
            config with a pre-trained backbone included.
        device: Where the model lives.

    Raises:
        InputError: If the checkpoint cannot be read or is another model's,
            or the model does not encode supports.
    """
    init_default_scope(cfg.get('default_scope', 'mmpose'))
    model_cfg = cfg.model.copy()
    if weights is not None:
        for part in ('backbone', 'support_backbone'):
            if model_cfg.get(part) is not None:
                model_cfg[part] = dict(model_cfg[part], init_cfg=None)
    model = MODELS.build(model_cfg)
    if not hasattr(model, 'encode_support'):
        raise InputError(
            f'{type(model).__name__} answers without looking at a picture: '
            'take the config of a model that matches, e.g. of '
            'configs/capeformer'
        )

    if weights is None:
        model.init_weights()
    else:
        try:
            checkpoint = CheckpointLoader.load_checkpoint(str(weights), 'cpu')
        except CheckpointError as error:
            raise InputError(str(error)) from error
        complaint = describe_misfit(model.state_dict(), checkpoint)
        if complaint is not None:
            raise InputError(f'{weights} {complaint}')
        model.load_state_dict(weights_of(checkpoint))
    return model.to(device).eval()
