"""Makes the host libraries usable as they are installed.

Nothing here belongs to pose estimation, and mmcape needs none of it where
mmpose, mmcv with compiled operators, mmdet and torchvision are all sound.
"""

from __future__ import annotations

from .checkpoint_loaders import register_checkpoint_loaders
from .checkpoints import allow_mmengine_checkpoints
from .host_versions import check_host_versions
from .lent_imports import install_import_finder
from .package_lookup import register_package
from .torchvision_weights import register_torchvision_weights

__all__ = ['prepare_openmmlab']


def prepare_openmmlab() -> None:
    """Prepares the process for mmpose, mmpretrain and mmengine.

    It must run before ``mmpose.models`` is imported, and may run again.

    Raises:
        ImportError: If mmcv, mmengine or mmpose is missing or too old.
    """
    install_import_finder()
    check_host_versions()
    allow_mmengine_checkpoints()
    register_checkpoint_loaders()
    register_package()
    register_torchvision_weights()
