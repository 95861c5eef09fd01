"""What setup.cfg cannot express: requirement files and ``mmcape/.mim``.

Old setuptools read no requirement files. In ``mmcape/.mim``, mim and mmengine
look for the configs, the tools and the model index.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.develop import develop

ROOT = Path(__file__).resolve().parent
MIM_FOLDER = Path('mmcape', '.mim')
MIM_CONTENT = ('configs', 'tools', 'model-index.yml')


EXTRAS = {
    'mim': 'mminstall',
    'backbones': 'backbones',
    'mmlab': 'mmlab',
    'hdf5': 'hdf5',
    'formats': 'formats',
    'export': 'export',
    'web': 'web',
    'tests': 'tests',
    'docs': 'docs',
}


def requirements(name: str) -> list[str]:
    """Reads one file of the requirements folder, without its comments."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    return [line for line in lines if line and not line.startswith('#')]


def copy_mim_content(target: Path) -> None:
    """Copies the content into ``target``, which is emptied before."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in MIM_CONTENT:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns('__pycache__', '*.pyc')
            shutil.copytree(source, target / name, ignore=ignored)
        else:
            shutil.copy2(source, target / name)


def link_mim_content(target: Path) -> None:
    """Links the content into ``target``, so that edits are seen at once."""
    target.mkdir(exist_ok=True)
    for name in MIM_CONTENT:
        link = target / name
        if not link.is_symlink():
            link.symlink_to(os.path.relpath(ROOT / name, target))


class BuildWithMim(build_py):
    """Adds the folder to a wheel, or links it for an editable install."""

    def run(self) -> None:
        """Builds the package."""
        super().run()
        if getattr(self, 'editable_mode', False):
            link_mim_content(ROOT / MIM_FOLDER)
        else:
            copy_mim_content(Path(self.build_lib) / MIM_FOLDER)


class DevelopWithMim(develop):
    """Links the folder where an old pip installs without a wheel."""

    def run(self) -> None:
        """Installs in development mode."""
        link_mim_content(ROOT / MIM_FOLDER)
        super().run()


setup(
    install_requires=requirements('runtime'),
    extras_require={
        extra: requirements(name) for extra, name in EXTRAS.items()
    },
    cmdclass={'build_py': BuildWithMim, 'develop': DevelopWithMim},
)
