"""Lets mmengine find mmcape's configs by ``mmcape::capeformer/...``."""

from __future__ import annotations

from mmengine.config.utils import MODULE2PACKAGE


def register_package() -> None:
    """Adds mmcape to the packages that may be named before ``::``.

    mmengine asks the installed distributions for the folder first. That is
    wrong for an editable install, whose distribution lies away from the code.
    No distribution has the name of a submodule, so mmengine looks for the
    module itself and takes its folder, which is right for every install.
    """
    MODULE2PACKAGE.setdefault('mmcape', 'mmcape.version')
