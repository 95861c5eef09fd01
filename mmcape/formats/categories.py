"""Which of a file's categories is meant."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from mmcape.utils.input_error import InputError

Key = TypeVar('Key')


def choose_category(
    used: Mapping[Key, str], category: str | int | None, path: Path
) -> Key:
    """The key of the category, which may be left open where there is one.

    Args:
        used: Key, or id, and name of the categories with annotations.
        category: Name or id.
        path: The file, for messages.

    Raises:
        InputError: If not exactly one is meant.
    """
    chosen = list(used)
    if category is not None:
        wanted = str(category)
        chosen = [key for key in used if wanted in (used[key], str(key))]
    if len(chosen) != 1:
        what = 'several categories' if category is None else repr(category)
        raise InputError(
            f'{path}: {what if chosen else f"no annotation of {what}"}; '
            f'choose one of: {", ".join(used.values())}'
        )
    return chosen[0]
