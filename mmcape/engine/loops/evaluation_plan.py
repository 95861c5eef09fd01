"""In which order an evaluation encodes instances and matches pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby

from mmcape.structures import Episode

Pairs = tuple[Episode, ...]


@dataclass(frozen=True)
class Chunk:
    """Batches of pairs, and the instances that they take."""

    batches: tuple[Pairs, ...]
    instances: frozenset[int]
    """Positions in the dataset."""
    new: tuple[int, ...]
    """Those that the chunk before did not take."""
    ends_category: bool
    """Whether the next chunk shares no instance with this one."""


def batch_pairs(episodes: Sequence[Episode], size: int) -> list[Pairs]:
    """Pairs that are matched together; those of a support stay together.

    Args:
        episodes: In the order of the benchmark.
        size: The most pairs of a batch.
    """
    batches: list[list[Episode]] = []
    for _, group in groupby(episodes, key=lambda e: (e.category_id, e.draw)):
        queries = list(group)
        if batches and len(batches[-1]) + len(queries) <= size:
            batches[-1] += queries
        else:
            starts = range(0, len(queries), size)
            batches += [queries[start : start + size] for start in starts]
    return [tuple(batch) for batch in batches]


def plan_chunks(batches: Sequence[Pairs], capacity: int) -> Iterator[Chunk]:
    """Cut an evaluation where it would need more than some instances at once.

    A chunk ends with its category as well, since categories share no
    instances. A batch that needs more than the capacity is a chunk of its
    own.

    Args:
        batches: From :func:`batch_pairs`.
        capacity: The most instances to hold.
    """
    held: frozenset[int] = frozenset()
    chosen: list[Pairs] = []
    needed: dict[int, None] = {}

    def chunk(ends_category: bool) -> Chunk:
        new = tuple(i for i in needed if i not in held)
        return Chunk(tuple(chosen), frozenset(needed), new, ends_category)

    for batch in batches:
        taken = dict.fromkeys(
            chain.from_iterable((*e.support, e.query) for e in batch)
        )
        union = needed | taken
        ended = chosen and chosen[-1][-1].category_id != batch[0].category_id
        if chosen and (ended or len(union) > capacity):
            yield chunk(bool(ended))
            held, chosen, union = frozenset(needed), [], taken
        chosen.append(batch)
        needed = union
    if chosen:
        yield chunk(ends_category=True)
