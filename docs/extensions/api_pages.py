"""The API reference: a page a module, and names as docstrings use them.

Docstrings name an object as the code beside them does: by the name that is
imported there, or by the package that exports it. Sphinx knows an object by
the module that defines it only, so names are looked up in the module.
"""

from __future__ import annotations

import inspect
import pkgutil
import re
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.nodes import make_refnode

PACKAGE = Path(__file__).parents[2] / 'mmcape'

logger = logging.getLogger(__name__)


def public_modules(package: Path = PACKAGE) -> list[str]:
    """Dotted names of a package and all that it holds, from its files."""
    names = []
    for path in package.rglob('*.py'):
        parts = path.relative_to(package.parent).with_suffix('').parts
        if parts[-1] == '__init__':
            parts = parts[:-1]
        if not any(part.startswith(('_', '.')) for part in parts):
            names.append('.'.join(parts))
    return sorted(names)


def write_pages(app: Sphinx) -> None:
    """Writes all pages anew, so that none stays of a module that is gone."""
    folder = Path(app.srcdir) / 'api'
    for old in folder.glob('*.rst'):
        old.unlink()
    modules = public_modules()
    for name in modules:
        page = '\n'.join(module_page(name, modules))
        (folder / f'{name}.rst').write_text(f'{page}\n')


def module_page(name: str, modules: list[str]) -> Iterator[str]:
    """The lines of a module's page; ``modules`` are all there are."""
    title = name.rpartition('.')[2].replace('_', r'\_')
    yield f'{title}\n{"=" * len(title)}\n'
    yield f'.. rst-class:: module-path\n\n``{name}``\n'
    yield f'.. automodule:: {name}\n'

    exports = list(exported(name))
    if exports:
        yield '.. rubric:: To import from here\n'
        yield '.. list-table::\n'
        for row in exports:
            yield '   * - {}\n     - {}'.format(*row)
        yield ''

    inside = [other for other in modules if other.rpartition('.')[0] == name]
    if inside:
        yield '.. rubric:: Modules\n\n.. toctree::\n   :maxdepth: 1\n'
        yield from (f'   {other}' for other in inside)


def exported(name: str) -> Iterator[tuple[str, str]]:
    """Links to what a package offers and its modules define, with summaries.

    Args:
        name: Dotted name of the package, or of any module.
    """
    module = import_module(name)
    for key in getattr(module, '__all__', ()):
        value = getattr(module, key)
        if not (inspect.isclass(value) or inspect.isfunction(value)):
            continue
        if value.__module__ != name:
            role = 'class' if inspect.isclass(value) else 'func'
            place = f'{value.__module__}.{value.__qualname__}'
            summary = (inspect.getdoc(value) or '').partition('\n')[0]
            summary = re.sub(r':\w+:`~?([^`]*)`', r'``\1``', summary)
            yield f':py:{role}:`{key} <{place}>`', summary


def named_object(target: str, module: str | None, owner: str | None) -> Any:
    """The object that a docstring names.

    Args:
        target: The name, with or without its module.
        module: Module of the docstring, None outside of any.
        owner: Class of the docstring, None outside of any.

    Raises:
        ImportError, AttributeError, ValueError: If there is no such object.
    """
    for place in places(module, owner):
        with suppress(AttributeError):
            return attrgetter(target)(place)
    return pkgutil.resolve_name(target)


def places(module: str | None, owner: str | None) -> Iterator[Any]:
    """Where a name is looked up: a class and the modules of it and its bases.

    A docstring may come from a base, or speak of what the base's module has.
    """
    if module and owner:
        value = pkgutil.resolve_name(f'{module}:{owner}')
        yield value
        yield from (import_module(base.__module__) for base in value.__mro__)
    elif module:
        yield import_module(module)


def resolve(
    app: Sphinx,
    env: BuildEnvironment,
    node: pending_xref,
    content: nodes.Element,
) -> nodes.Element | None:
    """Links a name that Sphinx does not know to where it is defined.

    Names of other packages stay without a link. None, for a name of nothing
    or of something without documentation, is a warning.
    """
    if node.get('refdomain') != 'py':
        return None
    try:
        value = named_object(
            node['reftarget'], node.get('py:module'), node.get('py:class')
        )
    except (ImportError, AttributeError, ValueError):
        return None
    value = inspect.unwrap(getattr(value, 'fget', value))
    name = getattr(value, '__qualname__', None)
    target = f'{getattr(value, "__module__", None)}.{name}'
    if name is None or not target.startswith(f'{PACKAGE.name}.'):
        return content
    found = env.domains['py'].objects.get(target)
    return found and make_refnode(
        app.builder, node['refdoc'], found.docname, found.node_id, content
    )


def readable_defaults(
    app: Sphinx,
    kind: str,
    name: str,
    value: object,
    options: object,
    signature: str | None,
    returned: str | None,
) -> tuple[str | None, str | None]:
    """Replaces defaults that are no Python, such as `<factory>`."""
    return signature and re.sub(r'= <.*?>', '= ...', signature), returned


def report_missing(app: Sphinx, env: BuildEnvironment) -> None:
    """Names the modules that have no page."""
    documented = env.domains['py'].modules
    for name in public_modules():
        if name not in documented:
            logger.warning('module %s is missing from the API reference', name)


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls."""
    app.connect('builder-inited', write_pages)
    app.connect('autodoc-process-signature', readable_defaults)
    app.connect('missing-reference', resolve)
    app.connect('env-check-consistency', report_missing)
    return dict(parallel_read_safe=True, parallel_write_safe=True)
