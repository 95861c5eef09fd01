"""Times of several ways to do the same, taken in turns; memory."""

from __future__ import annotations

import itertools
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch.profiler import ProfilerActivity, profile


@dataclass(frozen=True)
class Comparison:
    """Two times for the same work, in seconds."""

    part: str
    setting: str
    plain: float
    ours: float

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.plain / self.ours


def medians(
    calls: Mapping[str, Callable[[], object]], repeats: int
) -> dict[str, float]:
    """Median seconds of each call, warmed up and interleaved.

    A load that comes and goes then meets all of them alike.

    Args:
        calls: What to time, by name.
        repeats: Runs of each.
    """
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for repeat in range(repeats + 1):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            if repeat:
                taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in taken.items()}


def peak_of(call: Callable[[], object]) -> float:
    """Most memory that a call holds beyond what was there before, in MiB.

    That of tensors: without weights and inputs, and without what the
    allocator keeps in reserve.
    """
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        call()
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    with profile(
        activities=[ProfilerActivity.CPU], profile_memory=True
    ) as record:
        call()
    assert record.profiler is not None
    assert record.profiler.kineto_results is not None
    held = itertools.accumulate(
        event.nbytes()
        for event in record.profiler.kineto_results.events()
        if event.name() == '[memory]'
    )
    return max(held, default=0) / 2**20


def peak_memory() -> float:
    """Most memory so far in MiB: of the GPU if there is one, else resident."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
