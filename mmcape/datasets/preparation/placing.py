"""Putting a file into place: whole, or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmcape.utils.atomic_files import write_atomically

PLACINGS = ('link', 'hardlink', 'copy')


def place(source: Path, target: Path, how: str) -> None:
    """Link or copy a file.

    Args:
        source: The file.
        target: Its new place; what is there is replaced.
        how: 'link' for a symbolic link, 'hardlink' (one file system only) or
            'copy'.

    Raises:
        ValueError: If there is no such way.
        OSError: If the file cannot be placed; says how else to do it.
    """
    if how not in PLACINGS:
        raise ValueError(f'place files by {PLACINGS}, not by {how!r}')

    def make(partial: Path) -> None:
        if how == 'copy':
            shutil.copyfile(source, partial)
        elif how == 'hardlink':
            os.link(os.path.realpath(source), partial)
        else:
            os.symlink(os.path.abspath(source), partial)

    try:
        _atomically(target, make)
    except OSError as error:
        raise OSError(
            f'cannot {how} {source} to {target}: {error}. Make room, or '
            f'choose another of {", ".join(PLACINGS)}'
        ) from error


def write_image(pixels: np.ndarray, target: Path) -> None:
    """Encode an image by the suffix of its name.

    Raises:
        ValueError: If there is no such image format.
    """
    try:
        done, data = cv2.imencode(target.suffix, pixels)
    except cv2.error:
        done = False
    if not done:
        raise ValueError(f'cannot write {target}: no such image format')
    _atomically(target, lambda partial: partial.write_bytes(data.tobytes()))


def write_json(contents: Any, target: Path) -> None:
    """Write a JSON file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, json.dumps(contents, indent=1).encode())


def _atomically(target: Path, make: Callable[[Path], object]) -> None:
    """Make a file beside the target, then rename it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f'.{target.name}.partial')
    partial.unlink(missing_ok=True)  # of an interrupted run
    try:
        make(partial)
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
