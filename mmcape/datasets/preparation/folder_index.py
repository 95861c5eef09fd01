"""The files of a source's folder, by name."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp')


class FolderIndex:
    """The images below a folder that have one of some names.

    Names are compared without regard to case and without their suffix, for
    sources are distributed anew with other ones.

    Args:
        root: The folder; links to folders are followed.
        names: Names to keep, to hold only what matters of a large source;
            None keeps all.
    """

    def __init__(
        self, root: Path, names: Collection[str] | None = None
    ) -> None:
        self.root = root
        wanted = None if names is None else {_stem(name) for name in names}
        self._paths: dict[str, list[Path]] = defaultdict(list)
        self.num_images = 0
        seen: set[str] = set()
        for folder, subfolders, files in os.walk(root, followlinks=True):
            if os.path.realpath(folder) in seen:  # a link to a parent
                subfolders.clear()
                continue
            seen.add(os.path.realpath(folder))
            subfolders.sort()
            for name in sorted(files):
                if not name.lower().endswith(IMAGE_SUFFIXES):
                    continue
                self.num_images += 1
                stem = _stem(name)
                if wanted is None or stem in wanted:
                    self._paths[stem].append(Path(folder, name))

    def lookup(self, name: str) -> list[Path]:
        """Images of this name; those of the same suffix, if there are."""
        found = self._paths.get(_stem(name), [])
        suffix = os.path.splitext(name)[1].lower()
        exact = [path for path in found if path.suffix.lower() == suffix]
        return exact or found

    def all_paths(self) -> Iterator[Path]:
        """All images that are kept."""
        return (path for paths in self._paths.values() for path in paths)

    def folder_parts(self, path: Path) -> tuple[str, ...]:
        """Lower-case parts of a file's folder, with the root's own name."""
        inside = path.parent.relative_to(self.root).parts
        return tuple(part.lower() for part in (self.root.name, *inside))


def _stem(name: str) -> str:
    return os.path.splitext(os.path.basename(name))[0].lower()
