"""What to download, and where it goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .sources import ANNOTATIONS, SOURCES


def plan(folders: Mapping[str, Path]) -> list[dict[str, Any]]:
    """The sources as plain data, with the folder of those that are there.

    Args:
        folders: Folder of each source that the user has, by key.
    """
    return [
        {
            **asdict(source),
            'found_in': str(folders[source.key])
            if source.key in folders
            else None,
        }
        for source in SOURCES
    ]


def plan_lines(folders: Mapping[str, Path]) -> Iterator[str]:
    """The plan as Markdown, line by line."""
    yield '# Preparing MP-100'
    yield ''
    yield (
        'Its licence allows non-commercial research only; each source has '
        'terms of its own. "Not verified" marks what was not read at the '
        'source itself.'
    )
    yield ''
    yield 'Annotation files, to be put in DATA_ROOT/annotations (one edition):'
    yield ''
    for what, where in ANNOTATIONS.items():
        yield f'- {what}: {where}'
    for source in SOURCES:
        folder = folders.get(source.key)
        yield ''
        yield f'## {source.key}: {source.name}'
        yield ''
        yield f'- {"found in " + str(folder) if folder else "NOT FOUND"}'
        yield f'- home page: {source.homepage}'
        yield f'- licence: {source.licence}'
        yield f'- download: {source.download}'
        yield f'- unpack to: ROOT/{source.folders[0]}, so that there is'
        for example in source.layout:
            yield f'  - {source.folders[0]}/{example}'
        yield (
            f'- {len(source.categories)} categories: '
            f'{", ".join(source.categories)}'
        )
        for trap in source.traps:
            yield f'- trap: {trap}'
