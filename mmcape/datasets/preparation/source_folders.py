"""The folders that a user has, and a finder for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from .annotation_files import WantedImage
from .carfusion import CarFusionFinder
from .finder import FOUND, Choice, find_by_name
from .folder_index import FolderIndex
from .hdf5_frames import FILE_PATTERN, Hdf5Finder
from .sources import SOURCES, Source, source_by_key

Find = Callable[[WantedImage], Choice]


def locate_sources(
    root: Path | None, given: Iterable[str] = ()
) -> dict[str, Path]:
    """The folder of every source that is there, by the source's key.

    Args:
        root: Folder of folders that are named as in the plan.
        given: Further folders as 'KEY=FOLDER', which go first.

    Raises:
        ValueError: If one is not of this form or there is no such source.
        FileNotFoundError: If a folder is missing.
    """
    folders = {}
    for entry in given:
        key, equals, folder = entry.partition('=')
        if not equals or not folder:
            raise ValueError(
                f'name a source as KEY=FOLDER, as in coco=/data/coco, '
                f'not {entry!r}'
            )
        source_by_key(key)
        if not Path(folder).is_dir():
            raise FileNotFoundError(f'source {key}: {folder} is no folder')
        folders[key] = Path(folder)
    if root is None:
        return folders
    if not root.is_dir():
        raise FileNotFoundError(f'folder of the sources: {root} is no folder')
    for source in SOURCES:
        for name in source.folders:
            if source.key not in folders and (root / name).is_dir():
                folders[source.key] = root / name
    return folders


def make_finder(
    source: Source, folder: Path, wanted: Mapping[str, WantedImage]
) -> Find:
    """A function that finds the source's images in its folder.

    Args:
        source: The source.
        folder: Where the user has it.
        wanted: The images to be found, by name.

    Raises:
        MissingPackageError: If a package is needed to read it.
        ValueError: If a file of it is broken.
    """
    rule = source.rule
    if rule.method == 'hdf5':
        release = _release_file(folder, source)
        if release is not None:
            return Hdf5Finder(release).find
    if rule.method == 'carfusion':
        return CarFusionFinder(rule, FolderIndex(folder)).find
    names = [
        pattern.format(name=image.tail[-1])
        for image in wanted.values()
        for pattern in ('{name}', *rule.names)
    ]
    index = FolderIndex(folder, names)

    def find(image: WantedImage) -> Choice:
        choice = find_by_name(image, rule, index)
        if rule.method == 'hdf5' and choice.status == FOUND:
            return Choice(
                FOUND,
                path=choice.path,
                settled='name alone: extracted frames cannot be verified',
            )
        return choice

    return find


def _release_file(folder: Path, source: Source) -> Path | None:
    """The HDF5 file of a source in a folder that may hold several."""
    found = sorted(folder.rglob(FILE_PATTERN))
    own = [path for path in found if path.parent.name == source.key]
    own = own or [path for path in found if path.parent == folder]
    if len(own) > 1:
        raise ValueError(
            f'source {source.key}: {folder} has several releases '
            f'({", ".join(map(str, own))}); name the folder of one with '
            f'--source {source.key}=FOLDER'
        )
    return own[0] if own else None
