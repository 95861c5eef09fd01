"""Reads checkpoints that hold only what is listed, with a torch below 2.4.

That torch's ``weights_only`` refuses what mmengine writes, and 1.13 forgets
the ``pickle_module`` that ``torch.load`` is given. So this module stands in
for ``pickle`` in the functions below ``torch.load``.
"""

from __future__ import annotations

import io
import os
import pickle
import sys
from typing import Any

from torch import _weights_only_unpickler, serialization

from .checkpoints import names_of_safe_globals


def _encode(text: str, encoding: str) -> bytes:
    """Bytes, as protocol 2 writes those of a numpy number."""
    if encoding != 'latin1':
        raise pickle.UnpicklingError(f'no checkpoint encodes in {encoding!r}')
    return text.encode(encoding)


def _listed() -> dict[tuple[str, str], Any]:
    of_torch = _weights_only_unpickler._get_allowed_globals()
    return {
        **{tuple(name.rsplit('.', 1)): one for name, one in of_torch.items()},
        **names_of_safe_globals(),
        ('_codecs', 'encode'): _encode,
    }


_LISTED = _listed()
_NEW_NAMES = {'__builtin__': 'builtins'}
"""Protocol 2 has the names of Python 2."""


class Unpickler(pickle.Unpickler):
    """Refuses every class and function that is not on the list."""

    def find_class(self, module: str, name: str) -> Any:
        """Look up what a pickle names.

        Raises:
            pickle.UnpicklingError: If it is not on the list.
        """
        module = _NEW_NAMES.get(module, module)
        if (module, name) not in _LISTED:
            raise pickle.UnpicklingError(
                f'{module}.{name} is neither a tensor nor plain data'
            )
        return _LISTED[module, name]


def load(file: Any, **options: Any) -> Any:
    """As ``pickle.load``."""
    return Unpickler(file, **options).load()


def loads(content: bytes, **options: Any) -> Any:
    """As ``pickle.loads``."""
    return load(io.BytesIO(content), **options)


def load_checkpoint(path: str | os.PathLike[str], map_location: Any) -> Any:
    """Content of a file, in both formats of torch.

    Raises:
        pickle.UnpicklingError: If something in it is not on the list.
    """
    torch: Any = serialization
    options: dict[str, Any] = dict(
        map_location=map_location,
        pickle_module=sys.modules[__name__],
        encoding='utf-8',
    )
    with open(path, 'rb') as file:
        if not torch._is_zipfile(file):
            return torch._legacy_load(file, **options)
        with torch._open_zipfile_reader(file) as archive:
            return torch._load(archive, **options)
