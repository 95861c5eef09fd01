"""File names that come out of a file."""

from __future__ import annotations

from pathlib import PureWindowsPath


def leaves_folder(name: str) -> bool:
    """Whether a file name leads out of the folder that it is relative to.

    Told by the name alone, with the separators of every system. Links are
    not followed: ``mp100.py build`` makes data sets of links to the sources,
    so it is up to whoever owns the folder what links lie in it.
    """
    path = PureWindowsPath(name)  # takes both separators
    return bool(path.anchor) or '..' in path.parts
