"""What is wrong with what a user gave."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class InputError(ValueError):
    """Input that cannot be used; the message names it and what to do."""


@contextmanager
def told_by_message() -> Iterator[None]:
    """Context of a tool's work, which bad input ends with one message."""
    try:
        yield
    except InputError as error:
        sys.exit(f'error: {error}')
