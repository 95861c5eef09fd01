"""Tests of mmcape.compat against the libraries that are installed."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.config.utils import MODULE2PACKAGE

from mmcape.compat import host_versions, lent_imports


def _missing(module: str) -> bool:
    """Whether Python, left alone, cannot import the module."""
    code = f'import {module}'
    run = subprocess.run([sys.executable, '-c', code], capture_output=True)
    return run.returncode != 0


@pytest.mark.parametrize('library', ['mmdet', 'mmcv.ops', 'torchvision'])
def test_host_libraries_import_without(library: str) -> None:
    importlib.import_module('mmpose.models')
    importlib.import_module('mmpose.visualization')
    importlib.import_module('mmpose.apis')
    if importlib.util.find_spec('mmpretrain'):
        importlib.import_module('mmpretrain.models')
        importlib.import_module('mmpretrain.datasets')
    if _missing(library):
        assert library not in sys.modules


def test_mmpretrain_sees_mmdet_as_it_is() -> None:
    pytest.importorskip('mmpretrain')
    layers = importlib.import_module(
        'mmpretrain.models.utils.res_layer_extra_norm'
    )
    assert (layers.ResLayerExtraNorm is None) == _missing('mmdet')


def test_missing_operator_is_named_when_a_model_needs_it() -> None:
    if not _missing('mmcv.ops'):
        pytest.skip('mmcv has its compiled operators')
    layers = importlib.import_module(
        'mmpose.models.heads.transformer_heads.transformers'
        '.deformable_detr_layers'
    )
    with pytest.raises(ImportError, match='comes with mmcv, not with mmcv-'):
        layers.MultiScaleDeformableAttention(embed_dims=8)


def test_registry_imports_mmpretrain_on_demand() -> None:
    pytest.importorskip('mmpretrain')
    code = (
        'import mmcape\n'
        'from mmpose.registry import MODELS\n'
        'MODELS.build(dict(type="mmpretrain.ResNet", depth=18))\n'
    )
    subprocess.run([sys.executable, '-c', code], check=True)


def test_every_borrower_exists() -> None:
    for name in lent_imports._BORROWERS:
        if importlib.util.find_spec(name.partition('.')[0]):
            assert importlib.util.find_spec(name), name


@pytest.mark.parametrize(
    ('version', 'accepted'),
    [('1.2.0', False), ('1.3.0', True), ('1.10.1rc2', True), ('2.0', False)],
)
def test_host_version_range(
    monkeypatch: pytest.MonkeyPatch, version: str, accepted: bool
) -> None:
    mmpose = importlib.import_module('mmpose')
    monkeypatch.setattr(mmpose, '__version__', version)
    if accepted:
        host_versions.check_host_versions()
    else:
        with pytest.raises(ImportError, match=f'found {version}'):
            host_versions.check_host_versions()


def test_missing_host_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'mmcv', None)
    with pytest.raises(ImportError, match='pip install mmcv-lite'):
        host_versions.check_host_versions()


def test_mmengine_finds_the_package_folder() -> None:
    pytest.importorskip('pkg_resources')
    from mmengine.utils import get_installed_path, is_installed

    package = MODULE2PACKAGE['mmcape']
    assert is_installed(package)
    folder = Path(importlib.import_module('mmcape').__path__[0])
    assert Path(get_installed_path(package)) == folder
