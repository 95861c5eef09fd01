"""Imports mmpose and mmpretrain without the libraries they hardly use.

Some of their files import mmdet, mmcv's compiled operators or torchvision,
though only a few models and transforms use them, and these imports fail where
the library is missing or broken. While such a file is executed, and for its
own import statements alone, a failing import of that one library yields a
placeholder. Everybody else sees the library as it is: nothing is put into
``sys.modules``, and a library that can be imported is never replaced.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, NoReturn

_BORROWERS = {
    'mmpose.models.heads.hybrid_heads.rtmo_head': 'mmdet',
    'mmpose.models.heads.transformer_heads.edpose_head': 'mmcv.ops',
    'mmpose.models.heads.transformer_heads.transformers'
    '.deformable_detr_layers': 'mmcv.ops',
    'mmpose.visualization.simcc_vis': 'torchvision',
    'mmpretrain.datasets.transforms.formatting': 'torchvision',
    'mmpretrain.datasets.transforms.processing': 'torchvision',
    'mmpretrain.evaluation.metrics.visual_grounding_eval': 'torchvision',
    'mmpretrain.models.utils.box_utils': 'torchvision',
}
"""The files with such an import, and what they may be lent."""

_FRAGILE = {'mmdet', 'torchvision'}
"""Libraries that, built for other versions, raise any error on import."""

_REMEDY = {'mmcv.ops': ' (mmcv.ops comes with mmcv, not with mmcv-lite)'}


def install_import_finder() -> None:
    """Puts the finder before Python's own; later calls do nothing."""
    if not any(isinstance(f, _HostFinder) for f in sys.meta_path):
        sys.meta_path.insert(0, _HostFinder())


class _HostFinder(MetaPathFinder):
    """Finds the files above as Python does, but loads them with care."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Returns a spec for a borrower or a fragile library, else None."""
        if fullname not in _BORROWERS and fullname not in _FRAGILE:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return spec
        if fullname in _FRAGILE:
            spec.loader = _FragileLoader(spec.loader)
        else:
            spec.loader = _BorrowerLoader(spec.loader, _BORROWERS[fullname])
        return spec


class _FragileLoader(Loader):
    """Reports any error of a library's import as the library's absence.

    Callers that can do without the library expect only that.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Creates the module as Python would."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Executes the module."""
        _set_loader(module, self._loader)
        try:
            self._loader.exec_module(module)
        except Exception as error:
            raise ModuleNotFoundError(
                f'{module.__name__} is installed but cannot be imported '
                f'({type(error).__name__}: {error})',
                name=module.__name__,
            ) from error


class _BorrowerLoader(Loader):
    """Lends one library to a module while the module is executed."""

    def __init__(self, loader: Loader, library: str) -> None:
        self._loader = loader
        self._library = library

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Creates the module as Python would."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Executes the module with import statements of its own.

        An import statement calls the ``__import__`` of its module's builtins.
        The module's functions keep the dictionary given here, so the usual
        ``__import__`` is put back into it.
        """
        _set_loader(module, self._loader)
        own_builtins = dict(vars(builtins))
        own_builtins['__import__'] = _lending_import(self._library)
        module.__dict__['__builtins__'] = own_builtins
        try:
            self._loader.exec_module(module)
        finally:
            own_builtins['__import__'] = builtins.__import__
            module.__dict__['__builtins__'] = vars(builtins)


def _set_loader(module: ModuleType, loader: Loader) -> None:
    """Makes the module look as if Python's own loader had been used."""
    module.__loader__ = loader
    if module.__spec__ is not None:
        module.__spec__.loader = loader


def _lending_import(library: str) -> Callable[..., Any]:
    """Returns an ``__import__`` that lends ``library`` where it fails."""

    def lending_import(
        name: str,
        globals: dict[str, Any] | None = None,
        locals: dict[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        try:
            return builtins.__import__(name, globals, locals, fromlist, level)
        except Exception as error:
            if level or not f'{name}.'.startswith(f'{library}.'):
                raise
            bound_name = name if fromlist else name.partition('.')[0]
            reason = f'{error}{_REMEDY.get(library, "")}'
            return _placeholder(bound_name, reason)

    return lending_import


class _Placeholder(type):
    """Class of the classes that stand for a missing library's names.

    An import may take attributes of one, annotate with it and inherit from
    it; calling it, or a class derived from it, raises ImportError.
    """

    _lent_name: str
    _reason: str

    def __call__(cls, *_: Any, **__: Any) -> NoReturn:
        raise ImportError(f'{cls._lent_name} cannot be used: {cls._reason}')

    def __getattr__(cls, name: str) -> _Placeholder:
        if name.startswith('__'):
            raise AttributeError(name)
        return _placeholder(f'{cls._lent_name}.{name}', cls._reason)

    def __dir__(cls) -> list[str]:
        return []


def _placeholder(name: str, reason: str) -> _Placeholder:
    members = {'_lent_name': name, '_reason': reason}
    return _Placeholder(name.rpartition('.')[2], (), members)
