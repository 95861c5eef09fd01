"""Which config a checkpoint was written by, as its metadata tells."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TIMESTAMP = re.compile(r'_\d{8}_\d{6}$')


@dataclass(frozen=True)
class Origin:
    """What is known of the run that wrote a checkpoint."""

    config: str
    """Name of the config file, or of the experiment."""
    method: str | None
    """Type of the head, by which methods differ; else that of the model."""
    backbone: str | None
    """Type of the backbone, and its depth if it has one."""
    num_shots: int | None
    """Support images of an episode in training."""

    def __str__(self) -> str:
        parts = [part for part in (self.method, self.backbone) if part]
        return f'{self.config} ({", ".join(parts)})' if parts else self.config


def origin_of(checkpoint: Mapping[str, Any]) -> Origin | None:
    """Origin of a checkpoint that mmengine wrote; None if it says nothing.

    The config in it is read as data, not run as mmengine would.
    """
    meta = checkpoint.get('meta')
    if not isinstance(meta, Mapping):
        return None
    name, cfg = meta.get('experiment_name'), _settings(meta.get('cfg'))
    if not isinstance(name, str):
        return None
    backbone = _entry(cfg, 'model', 'backbone', 'type')
    depth = _entry(cfg, 'model', 'backbone', 'depth')
    if isinstance(backbone, str) and depth:
        backbone = f'{backbone}-{depth}'
    method = _entry(cfg, 'model', 'head', 'type') or _entry(
        cfg, 'model', 'type'
    )
    shots = _entry(cfg, 'train_dataloader', 'sampler', 'num_shots')
    return Origin(
        config=_TIMESTAMP.sub('', name),
        method=method if isinstance(method, str) else None,
        backbone=backbone if isinstance(backbone, str) else None,
        num_shots=shots if isinstance(shots, int) else None,
    )


def _entry(settings: Any, *path: str) -> Any:
    for key in path:
        settings = settings.get(key) if isinstance(settings, dict) else None
    return settings


def _settings(text: Any) -> dict[str, Any]:
    """The assignments of a config's text, as far as they are plain data."""
    if not isinstance(text, str):
        return {}
    try:
        statements = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    return {
        statement.targets[0].id: _plain(statement.value)
        for statement in statements
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
    }


def _plain(node: ast.expr) -> Any:
    """Value of nested ``dict(...)`` calls; None for other calls."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return {
            keyword.arg: _plain(keyword.value)
            for keyword in node.keywords
            if keyword.arg is not None
        }
    if isinstance(node, ast.Dict):
        return {
            key.value: _plain(value)
            for key, value in zip(node.keys, node.values)
            if isinstance(key, ast.Constant)
        }
    return node.value if isinstance(node, ast.Constant) else None
