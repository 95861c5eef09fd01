"""Checks at import time what the package metadata cannot require.

Requiring ``mmcv`` by name would replace an installed ``mmcv-lite`` and the
other way round; requiring ``mmpose`` would build its dependency ``chumpy``,
which fails with current build tools.
"""

from __future__ import annotations

from importlib import import_module

_ACCEPTED = {
    'mmcv': ('2.0.0', '3.0.0', 'mmcv-lite'),
    'mmengine': ('0.10.0', '1.0.0', 'mmengine'),
    'mmpose': ('1.3.0', '2.0.0', '--no-deps mmpose'),
}
"""Module to its oldest version, first version too new, and pip arguments."""


def check_host_versions() -> None:
    """Checks mmcv, mmengine and mmpose.

    Raises:
        ImportError: If one is missing or has a version out of range.
    """
    for module, (oldest, too_new, pip_arguments) in _ACCEPTED.items():
        wanted = f'mmcape needs {module}>={oldest},<{too_new}'
        try:
            version = import_module(module).__version__
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
            raise ImportError(
                f'{wanted}; try: pip install {pip_arguments}', name=module
            ) from error
        if not _release(oldest) <= _release(version) < _release(too_new):
            raise ImportError(f'{wanted}, found {version}', name=module)


def _release(version: str) -> tuple[int, ...]:
    """First two numbers of a version; both bounds above end in zero."""
    return tuple(int(part) for part in version.split('.')[:2])
