"""The random generators that code of others draws from."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


def seed_globals(text: bytes) -> None:
    """Seed numpy's and Python's global generators by any text."""
    digest = hashlib.sha256(text).digest()
    random.seed(digest)
    words = np.frombuffer(digest, dtype=np.uint32)
    np.random.seed(words.tolist())  # noqa: NPY002  (it is this one)


@contextmanager
def seeded_globals(text: bytes) -> Iterator[None]:
    """As :func:`seed_globals`, then back to what they were."""
    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    seed_globals(text)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
