"""Categories -> those to train, validate and test on."""

from __future__ import annotations

import random
from collections.abc import Collection

from .own_data import ConversionError

SUBSETS = ('train', 'val', 'test')


def split_categories(
    names: Collection[str],
    seed: int = 0,
    num_val: int | None = None,
    num_test: int | None = None,
) -> dict[str, list[str]]:
    """Split categories at random; equal seeds give equal splits.

    Args:
        names: The categories.
        seed: Seed of the draw.
        num_val: Categories to validate on; by default a tenth, but one.
        num_test: Categories to test on; by default a fifth, but one.

    Raises:
        ConversionError: If no category is left to train on, or a number is
            negative.
    """
    total = len(names)
    num_val = max(1, round(total / 10)) if num_val is None else num_val
    num_test = max(1, round(total / 5)) if num_test is None else num_test
    num_train = total - num_val - num_test
    if min(num_val, num_test) < 0 or num_train < 1:
        raise ConversionError(
            f'the categories {sorted(names)} cannot be split into {num_val} '
            f'to validate and {num_test} to test on, with one left to train '
            'on; give other numbers, or --no-split'
        )
    shuffled = sorted(names)
    random.Random(seed).shuffle(shuffled)
    return dict(
        train=sorted(shuffled[num_val + num_test :]),
        val=sorted(shuffled[:num_val]),
        test=sorted(shuffled[num_val : num_val + num_test]),
    )
