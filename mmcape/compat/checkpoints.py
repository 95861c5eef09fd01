"""Lets torch load mmengine's checkpoints with ``weights_only`` kept on.

From version 2.6 on torch unpickles only what is on a list. mmengine stores
more than that beside the weights: histories of logged values, numpy numbers
and arrays, and a schedule. Those are added, and no function by which a file
could run code. numpy does not check the arguments of a crafted file as well
as torch does, though: the list is no reason to load a stranger's checkpoint.

A torch below 2.4 takes no additions; there :mod:`.listed_pickles` reads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler

_STORED_METHODS = {
    HistoryBuffer: ('current', 'max', 'mean', 'min'),
    OneCycleParamScheduler: ('_annealing_cos', '_annealing_linear'),
}
"""The methods that mmengine pickles, by their class."""

_NUMPY_CORES = ('numpy.core.multiarray', 'numpy._core.multiarray')
"""Where numpy 1 and numpy 2 keep their helpers, as written in pickles."""


def allow_mmengine_checkpoints() -> None:
    """Adds what mmengine stores to torch's list of safe globals.

    Does nothing on a torch that has no such list.
    """
    if has_list():
        torch.serialization.add_safe_globals(_SAFE_GLOBALS)


def has_list() -> bool:
    """Whether this torch has a list that can be added to."""
    return hasattr(torch.serialization, 'add_safe_globals')


def _stored_method(owner: type, name: str) -> Callable[..., Any]:
    """Looks up a method as a pickle does, but only those that are stored.

    A pickle names a method by ``getattr``, which unrestricted would reach any
    function of the process.
    """
    if name not in _STORED_METHODS.get(owner, ()):
        raise AttributeError(f'no checkpoint stores {owner!r}.{name}')
    return getattr(owner, name)


def _alias(
    function: Callable[..., Any], module: str, name: str
) -> Callable[..., Any]:
    """Wraps a function so that torch lists it as ``module.name``."""

    def wrapped(*args: Any) -> Any:
        return function(*args)

    wrapped.__module__ = module
    wrapped.__name__ = wrapped.__qualname__ = name
    return wrapped


def _safe_globals() -> list[Any]:
    """Everything beyond tensors that mmengine's checkpoints refer to."""
    array_helper: Any = np.zeros(1).__reduce__()[0]
    number_helper: Any = np.float64(0).__reduce__()[0]
    return [
        *_STORED_METHODS,
        _alias(_stored_method, 'builtins', 'getattr'),
        *(_alias(array_helper, core, '_reconstruct') for core in _NUMPY_CORES),
        *(_alias(number_helper, core, 'scalar') for core in _NUMPY_CORES),
        np.ndarray,
        np.dtype,
        *{type(np.dtype(code)) for code in '?bBhHiIlLqQefdU'},
    ]


_SAFE_GLOBALS = _safe_globals()


def names_of_safe_globals() -> dict[tuple[str, str], Any]:
    """What is added, by module and name as written in pickles."""
    return {(one.__module__, one.__name__): one for one in _SAFE_GLOBALS}
