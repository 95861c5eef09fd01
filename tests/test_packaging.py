"""Tests of what an installed mmcape contains and of the pinned tools."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONFIG = 'capeformer/capeformer_r50_mp100-split1_1shot.py'
PIP = [sys.executable, '-m', 'pip', '--disable-pip-version-check']

LOAD_CONFIG = """
import sys
from importlib.metadata import version
from pathlib import Path

import mmcape
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

site, name, child = sys.argv[1:]
assert site in mmcape.__file__, mmcape.__file__
assert mmcape.__version__ == version('mmcape')

config = get_config(f'mmcape::{name}')
assert site in config.filename, config.filename
Path(child).write_text(f"_base_ = 'mmcape::{name}'\\n")
inherited = Config.fromfile(child)
assert inherited.model.pop('_scope_') == 'mmcape'
assert inherited.model == config.model
init_default_scope(config.default_scope)
for model in (config.model, dict(inherited.model, _scope_='mmcape')):
    assert type(MODELS.build(model)).__module__.startswith('mmcape.')
"""


def run(*command: str | Path, cwd: Path, **environment: str) -> None:
    """Runs a command, showing its output only where it fails."""
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert result.returncode == 0, result.stdout


def relative_files(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob('*')
        if path.is_file() and '__pycache__' not in path.parts
    }


@pytest.fixture(scope='module')
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the build reads, for builds leave files behind."""
    source = tmp_path_factory.mktemp('source')
    ignored = shutil.ignore_patterns('__pycache__', '.mim')
    for folder in ('mmcape', 'configs', 'tools', 'requirements'):
        shutil.copytree(ROOT / folder, source / folder, ignore=ignored)
    for pattern in ('setup.*', '*.md', '*.in', '*.yml', 'LICENSE'):
        for path in ROOT.glob(pattern):
            shutil.copy2(path, source)
    return source


@pytest.fixture(scope='module')
def installed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the built wheel is installed, alone."""
    work = tmp_path_factory.mktemp('wheel')
    offline = ['--quiet', '--no-deps', '--no-index']
    build = ['--no-build-isolation', '--use-pep517', '--wheel-dir', str(work)]
    run(*PIP, 'wheel', *offline, *build, source, cwd=work)
    (wheel,) = work.glob('mmcape-*.whl')
    site = work / 'site'
    run(*PIP, 'install', *offline, '--target', site, wheel, cwd=work)
    return site


def test_wheel_holds_package_configs_and_tools(
    source: Path, installed: Path
) -> None:
    expected = {
        name
        for name in relative_files(source / 'mmcape')
        if '.py' in name or name.endswith(('.css', '.js'))
    }
    for folder in ('configs', 'tools'):
        for name in relative_files(source / folder):
            expected.add(f'.mim/{folder}/{name}')
    expected.add('.mim/model-index.yml')
    assert relative_files(installed / 'mmcape') == expected


def test_wheel_adds_one_package_and_its_license(installed: Path) -> None:
    top_level = {path.name for path in installed.iterdir()}
    (metadata,) = top_level - {'mmcape'}
    assert re.fullmatch(r'mmcape-[\d.]+\.dist-info', metadata)
    assert list((installed / metadata).rglob('LICENSE'))


def test_installed_copy_loads_its_configs(
    installed: Path, tmp_path: Path
) -> None:
    run(
        *(sys.executable, '-c', LOAD_CONFIG),
        *(installed, CONFIG, tmp_path / 'child.py'),
        cwd=tmp_path,
        PYTHONPATH=str(installed),
    )


def test_editable_install_links_instead_of_copying(
    source: Path, tmp_path: Path
) -> None:
    command = ('setup.py', '--quiet', 'editable_wheel', '-d', tmp_path)
    run(sys.executable, *command, cwd=source)
    linked = source / 'mmcape' / '.mim'
    for name in ('configs', 'tools', 'model-index.yml'):
        assert (linked / name).is_symlink()
        assert (linked / name).resolve() == (source / name).resolve()


def test_nothing_is_required_at_an_exact_version() -> None:
    for name in ('runtime', 'mminstall', 'backbones'):
        text = (ROOT / 'requirements' / f'{name}.txt').read_text()
        assert '==' not in text


def test_pre_commit_runs_the_pinned_tools() -> None:
    pins = (ROOT / 'requirements' / 'tests.txt').read_text().split()
    hooks = (ROOT / '.pre-commit-config.yaml').read_text()
    used = re.findall(r"'(\w+==[\d.]+)'", hooks)
    assert used
    assert set(used) <= set(pins)


def test_oldest_python_can_parse_every_file() -> None:
    cfg = (ROOT / 'setup.cfg').read_text()
    match = re.search(r'python_requires = >=3\.(\d+)', cfg)
    assert match is not None
    for folder in ('mmcape', 'tools', 'configs'):
        for path in (ROOT / folder).rglob('*.py'):
            minor = int(match[1])
            ast.parse(path.read_text(), str(path), feature_version=(3, minor))
