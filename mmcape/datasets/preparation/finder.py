"""An annotated name -> the file of a source that is meant."""

from __future__ import annotations

import filecmp
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from .annotation_files import WantedImage
from .folder_index import FolderIndex
from .image_files import BrokenImageError, image_size
from .sources import Rule

FOUND = 'found'
MISSING = 'missing'
OTHER_SIZE = 'other size'
AMBIGUOUS = 'ambiguous'
UNREADABLE = 'unreadable'


@dataclass(frozen=True)
class Choice:
    """What was found for an image.

    Args:
        status: 'found', or why not.
        path: The file, if it can be linked as it is.
        frame: The pixels, if the image has to be written.
        settled: What decided between files of equal name, if not the
            annotation itself: to be reported, for it may be wrong.
        detail: For people: which files were considered.
    """

    status: str
    path: Path | None = None
    frame: Any = None
    settled: str = ''
    detail: str = ''


def find_by_name(image: WantedImage, rule: Rule, index: FolderIndex) -> Choice:
    """Find an image by name, then folder, annotated path, size and bytes.

    Args:
        image: The image that annotations name.
        rule: Where its source keeps it.
        index: The files of the source.
    """
    candidates = _candidates(image, rule, index)
    allowed = _in_folders(candidates, image, rule, index)
    if not allowed:
        outside = f', only {_show(candidates)}' if candidates else ''
        return Choice(MISSING, detail=f'no such file{outside}')

    allowed = _longest_common_path(allowed, image)
    fitting, sizes = [], []
    for path in allowed:
        try:
            size = image_size(path)
        except BrokenImageError as error:
            sizes.append(str(error))
            continue
        sizes.append(f'{path} has {size[0]} x {size[1]} pixels')
        if size == image.size:
            fitting.append(path)
    if not fitting:
        readable = any(detail.endswith('pixels') for detail in sizes)
        return Choice(
            OTHER_SIZE if readable else UNREADABLE,
            detail=f'{"; ".join(sizes)}; annotated: '
            f'{image.size[0]} x {image.size[1]}',
        )
    return _settle(fitting, rule, index)


def _candidates(
    image: WantedImage, rule: Rule, index: FolderIndex
) -> list[Path]:
    for pattern in ('{name}', *rule.names):
        found = index.lookup(pattern.format(name=image.tail[-1]))
        if found:
            return found
    return []


def _in_folders(
    paths: Sequence[Path], image: WantedImage, rule: Rule, index: FolderIndex
) -> list[Path]:
    folders = rule.category_folders.get(image.category, rule.folders)
    if not folders:
        return list(paths)
    patterns = [
        pattern.replace('{category}', image.category) for pattern in folders
    ]
    return [
        path
        for path in paths
        if any(matches_folder(path, pattern, index) for pattern in patterns)
    ]


def matches_folder(path: Path, pattern: str, index: FolderIndex) -> bool:
    """Whether a file's folder ends with the parts of a pattern."""
    wanted = pattern.lower().split('/')
    parts = index.folder_parts(path)[-len(wanted) :]
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


def _longest_common_path(
    paths: Sequence[Path], image: WantedImage
) -> list[Path]:
    """Those that share most parts with the annotated path, from its end."""
    wanted = [part.lower() for part in image.tail[-2::-1]]

    def shared(path: Path) -> int:
        parts = [part.lower() for part in path.parts[-2::-1]]
        equal = [one == other for one, other in zip(wanted, parts)]
        return (equal + [False]).index(False)

    most = max(map(shared, paths))
    return [path for path in paths if shared(path) == most]


def _settle(paths: list[Path], rule: Rule, index: FolderIndex) -> Choice:
    """Choose between files of the right name, path and size."""
    if all(filecmp.cmp(paths[0], other, False) for other in paths[1:]):
        return Choice(FOUND, path=paths[0])
    for pattern in rule.prefer:
        preferred = [
            path for path in paths if matches_folder(path, pattern, index)
        ]
        if len(preferred) == 1:
            return Choice(FOUND, path=preferred[0], settled=pattern)
    return Choice(
        AMBIGUOUS,
        detail=f'equal names and sizes, other pixels: {_show(paths)}',
    )


def _show(paths: Sequence[Path], limit: int = 3) -> str:
    shown = ', '.join(map(str, paths[:limit]))
    more = len(paths) - limit
    return f'{shown} and {more} more' if more > 0 else shown
