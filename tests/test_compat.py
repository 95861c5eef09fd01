"""Tests of the imports that mmcape.compat lends, on made-up libraries."""

from __future__ import annotations

import importlib
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from mmcape.compat import lent_imports, prepare_openmmlab

BORROWER = """
import lentlib
import lentlib.ops.boxes as boxes
from lentlib.ops import Mode, Thing
import bystander

default = Mode.NEAREST
listed = dir(lentlib.ops)

class Derived(Thing):
    pass

def use():
    return boxes.area(3)

def import_later():
    import lentlib
"""

BYSTANDER = """
try:
    import lentlib
except Exception as error:
    seen = type(error)
else:
    seen = lentlib
"""


class Sandbox:
    """A folder of modules, one of which may be lent ``lentlib``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write('borrower', BORROWER)
        self.write('bystander', BYSTANDER)

    def write(self, module: str, code: str) -> None:
        """Writes the module's file, with its packages."""
        path = self.folder.joinpath(*module.split('.'))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix('.py').write_text(code)
        importlib.invalidate_caches()

    def modules(self) -> set[str]:
        """Names of the imported modules that this test is about."""
        roots = {'lentlib', 'borrower', 'bystander', 'gate'}
        return {name for name in sys.modules if name.split('.')[0] in roots}


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    prepare_openmmlab()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(lent_imports, '_BORROWERS', {'borrower': 'lentlib'})
    sandbox = Sandbox(tmp_path)
    yield sandbox
    for name in sandbox.modules():
        del sys.modules[name]


def test_placeholders_raise_when_used_not_when_imported(
    sandbox: Sandbox,
) -> None:
    borrower = importlib.import_module('borrower')
    assert borrower.listed == []
    for use in (borrower.Thing, borrower.Derived, borrower.use):
        with pytest.raises(ImportError, match="No module named 'lentlib'"):
            use()
    with pytest.raises(ImportError, match=r'lentlib\.ops\.boxes\.area'):
        borrower.use()


def test_only_the_borrower_sees_what_is_lent(sandbox: Sandbox) -> None:
    borrower = importlib.import_module('borrower')
    assert borrower.bystander.seen is ModuleNotFoundError
    assert sandbox.modules() == {'borrower', 'bystander'}
    with pytest.raises(ModuleNotFoundError):
        borrower.import_later()


def test_borrower_looks_as_python_loads_it(sandbox: Sandbox) -> None:
    borrower = importlib.import_module('borrower')
    bystander = importlib.import_module('bystander')
    for name in ('__loader__', '__builtins__'):
        assert type(getattr(borrower, name)) is type(getattr(bystander, name))
    assert borrower.__spec__ is not None
    assert borrower.__spec__.loader is borrower.__loader__
    assert borrower.use.__globals__['__builtins__'] is bystander.__builtins__
    assert importlib.reload(borrower) is borrower


def test_sound_library_is_never_replaced(sandbox: Sandbox) -> None:
    sandbox.write('lentlib.__init__', '')
    sandbox.write(
        'lentlib.ops.__init__', 'class Thing: ...\nclass Mode:\n NEAREST = 1'
    )
    sandbox.write('lentlib.ops.boxes', 'def area(side): return side**2')
    borrower = importlib.import_module('borrower')
    lentlib = sys.modules['lentlib']
    assert borrower.lentlib is borrower.bystander.seen is lentlib
    assert borrower.use() == 9
    assert isinstance(borrower.Derived(), borrower.Thing)


def test_names_that_a_sound_library_lacks_are_not_lent(
    sandbox: Sandbox,
) -> None:
    sandbox.write('lentlib.__init__', '')
    sandbox.write('lentlib.ops.__init__', '')
    sandbox.write('lentlib.ops.boxes', '')
    with pytest.raises(ImportError, match="cannot import name 'Mode'"):
        importlib.import_module('borrower')


def test_broken_library_counts_as_missing(sandbox: Sandbox) -> None:
    sandbox.write('lentlib.__init__', "raise RuntimeError('no nms operator')")
    borrower = importlib.import_module('borrower')
    assert borrower.bystander.seen is RuntimeError
    assert 'lentlib' not in sys.modules
    with pytest.raises(ImportError, match='no nms operator'):
        borrower.Thing()


def test_broken_fragile_library_is_absent_for_everybody(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lent_imports, '_FRAGILE', {'lentlib'})
    sandbox.write('lentlib.__init__', "raise RuntimeError('no nms operator')")
    with pytest.raises(ModuleNotFoundError, match='no nms operator'):
        importlib.import_module('lentlib')
    assert importlib.import_module('bystander').seen is ModuleNotFoundError
    assert 'lentlib' not in sys.modules


def test_sound_fragile_library_is_untouched(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lent_imports, '_FRAGILE', {'lentlib'})
    sandbox.write('lentlib.__init__', 'value = 1')
    lentlib = importlib.import_module('lentlib')
    bystander = importlib.import_module('bystander')
    assert bystander.seen is lentlib
    assert type(lentlib.__loader__) is type(bystander.__loader__)


@pytest.mark.parametrize(
    ('code', 'error'),
    [('import absent', ModuleNotFoundError), ('1 / 0', ZeroDivisionError)],
)
def test_other_errors_of_the_borrower_are_raised(
    sandbox: Sandbox, code: str, error: type[Exception]
) -> None:
    sandbox.write('borrower', f'import lentlib\n{code}')
    with pytest.raises(error):
        importlib.import_module('borrower')
    assert sandbox.modules() == set()
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module('lentlib')


def test_other_threads_see_the_library_as_it_is(sandbox: Sandbox) -> None:
    sandbox.write(
        'gate',
        'from threading import Event\ninside, leave = Event(), Event()',
    )
    sandbox.write(
        'borrower',
        'import lentlib, gate\ngate.inside.set()\ngate.leave.wait(10)',
    )
    gate = importlib.import_module('gate')
    thread = threading.Thread(
        target=importlib.import_module, args=('borrower',)
    )
    thread.start()
    try:
        assert gate.inside.wait(10)
        assert importlib.import_module('bystander').seen is ModuleNotFoundError
    finally:
        gate.leave.set()
        thread.join()


def test_finder_is_installed_once() -> None:
    prepare_openmmlab()
    prepare_openmmlab()
    finders = [type(f).__name__ for f in sys.meta_path]
    assert finders.count('_HostFinder') == 1
