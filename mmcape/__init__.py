"""Category-agnostic pose estimation for MMPose 1.x.

Importing the package fills mmpose's registries, so
``custom_imports = dict(imports=['mmcape'])`` in a config is all it takes.
"""

from __future__ import annotations

from .compat import prepare_openmmlab

prepare_openmmlab()  # before anything of mmpose is imported

from . import (  # noqa: E402
    codecs,
    datasets,
    engine,
    evaluation,
    models,
    structures,
    visualization,
)
from .version import __version__  # noqa: E402

__all__ = [
    '__version__',
    'codecs',
    'datasets',
    'engine',
    'evaluation',
    'models',
    'structures',
    'visualization',
]
