"""Which episodes of a batch share their support."""

from __future__ import annotations

import torch
from torch import Tensor


def distinct_rows(*tensors: Tensor) -> tuple[list[int], list[int]]:
    """Which rows of a batch are equal in all of the tensors.

    Args:
        tensors: (B, ...) each, the cheapest to compare first.

    Returns:
        The first row of each kind, and for each of the B rows the position
        of its kind in that list.
    """
    rows: list[int] = []
    owner: list[int] = []
    for row in range(len(tensors[0])):
        for kind, other in enumerate(rows):
            if all(torch.equal(t[row], t[other]) for t in tensors):
                owner.append(kind)
                break
        else:
            owner.append(len(rows))
            rows.append(row)
    return rows, owner
