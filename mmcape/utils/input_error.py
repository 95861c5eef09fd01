"""What is wrong with what a user gave."""

from __future__ import annotations


class InputError(ValueError):
    """Input that cannot be used; the message names it and what to do."""
