from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.registry import init_default_scope

import mmcape  # noqa: F401  (registers the modules)
from mmcape.datasets.puppets import generate

SHARED = Path(__file__).resolve().parents[2] / 'shared'


@pytest.fixture(scope='session', autouse=True)
def default_scope() -> None:
    """What a Runner does: names are looked up in mmpose's registries."""
    init_default_scope('mmpose')


@pytest.fixture(scope='session')
def parity_dir() -> Path:
    """Reference outputs of the published models, not part of the project."""
    folder = SHARED / 'parity'
    if not folder.is_dir():
        pytest.skip(f'no reference outputs at {folder}')
    return folder


@pytest.fixture(scope='session')
def realdata_dir() -> Path:
    """A few real annotated images, not part of the project."""
    folder = SHARED / 'realdata'
    if not folder.is_dir():
        pytest.skip(f'no real images at {folder}')
    return folder


@pytest.fixture(scope='session')
def puppets_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A very small Puppets benchmark."""
    folder = tmp_path_factory.mktemp('puppets')
    generate(folder, categories=(4, 2, 3), instances=(6, 6, 8))
    return folder
