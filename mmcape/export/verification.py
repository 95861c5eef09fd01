"""Exported files against the model that they were made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from mmcape.benchmark.timing import medians

from .example import make_example
from .onnx_files import ExportedModel
from .steps import QueryMatcher, SupportEncoder

SETTINGS = ((1, 1, 1), (2, 3, 5), (1, 5, 17), (3, 2, 40))
"""B, S and K of the comparisons."""

Arrays = list[np.ndarray]
Run = Callable[..., Arrays]


@dataclass(frozen=True)
class Difference:
    """How far the files are from torch at one setting."""

    batch: int
    shots: int
    keypoints: int
    of_code: float
    """Greatest difference of the tokens, relative to the largest of them;
    infinite if the two disagree on which keypoints are valid."""
    of_keypoints: float
    """Greatest difference in x or y, relative to the crop's side."""
    of_scores: float
    """Greatest difference of the scores, relative to the largest of them if
    that is above 1."""

    @property
    def greatest(self) -> float:
        """The greatest of the three; NaN if one of them is."""
        return float(np.max([self.of_code, self.of_keypoints, self.of_scores]))


def verify(model: Any, exported: ExportedModel) -> Iterator[Difference]:
    """Compare the files with torch, from the crops to the keypoints.

    The query matcher takes the code of its own kind: torch's torch's, the
    file's the file's.

    Args:
        model: Estimator on the CPU, in evaluation mode.
        exported: Its files.

    Yields:
        One difference for each of :data:`SETTINGS`, K cut to the most
        keypoints that the model can find.
    """
    expected, found = _of_torch(model), _of_files(exported)
    for seed, (batch, shots, most) in enumerate(SETTINGS):
        count = _allowed(most, model)
        support, crops = make_example(model, batch, shots, count, seed)
        yield _difference(
            model,
            (batch, shots, count),
            expected=_both_steps(expected, support, crops),
            found=_both_steps(found, support, crops),
        )


def time_steps(
    model: Any, exported: ExportedModel, repeats: int
) -> dict[tuple[str, int], tuple[float, float]]:
    """Median seconds by torch and by onnxruntime, taken in turns.

    Both use torch's number of threads. K is 17 or the model's limit, S is 1.

    Args:
        model: Estimator on the CPU, in evaluation mode.
        exported: Its files.
        repeats: Runs of each.

    Returns:
        The two times by step, 'encode' or 'match', and B.
    """
    ways = dict(torch=_of_torch(model), file=_of_files(exported))
    count = _allowed(17, model)
    times: dict[tuple[str, int], tuple[float, float]] = {}
    for batch in (1, 8):
        support, crops = make_example(model, batch, 1, count)
        code = tuple(map(torch.from_numpy, ways['torch'].encode(*support)))
        for step, inputs in (('encode', support), ('match', (crops, *code))):
            taken = medians(
                {
                    name: partial(getattr(way, step), *inputs)
                    for name, way in ways.items()
                },
                repeats,
            )
            times[step, batch] = taken['torch'], taken['file']
    return times


def _allowed(keypoints: int, model: Any) -> int:
    limit = model.head.max_keypoints
    return keypoints if limit is None else min(keypoints, limit)


class _Steps(NamedTuple):
    """The same two steps, by whatever they run."""

    encode: Run
    match: Run


def _of_torch(model: Any) -> _Steps:
    def as_run(step: nn.Module) -> Run:
        def run(*inputs: Tensor) -> Arrays:
            with torch.no_grad():
                return [output.numpy() for output in step(*inputs)]

        return run

    return _Steps(as_run(SupportEncoder(model)), as_run(QueryMatcher(model)))


def _of_files(exported: ExportedModel) -> _Steps:
    return _Steps(
        _of_file(exported.support_encoder), _of_file(exported.query_matcher)
    )


def _of_file(path: Path) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(
        path, options, providers=['CPUExecutionProvider']
    )
    names = [value.name for value in session.get_inputs()]

    def run(*inputs: Tensor) -> Arrays:
        arrays = (value.numpy() for value in inputs)
        return session.run(None, dict(zip(names, arrays)))

    return run


def _both_steps(
    steps: _Steps, support: tuple[Tensor, ...], crops: Tensor
) -> tuple[np.ndarray, ...]:
    """Tokens, valid, keypoints and scores."""
    code = steps.encode(*support)
    return (*code, *steps.match(crops, *map(torch.from_numpy, code)))


def _difference(
    model: Any,
    setting: tuple[int, int, int],
    expected: tuple[np.ndarray, ...],
    found: tuple[np.ndarray, ...],
) -> Difference:
    tokens, valid, keypoints, scores = expected
    size = np.array(model.head.codec.input_size)
    same_valid = np.array_equal(valid, found[1])
    code = _greatest(tokens, found[0]) / max(np.abs(tokens).max(), 1e-12)
    return Difference(
        *setting,
        of_code=code if same_valid else np.inf,
        of_keypoints=_greatest(keypoints / size, found[2] / size),
        of_scores=_greatest(scores, found[3]) / max(1, np.abs(scores).max()),
    )


def _greatest(first: np.ndarray, second: np.ndarray) -> float:
    """Greatest absolute difference; infinite if the shapes differ."""
    if first.shape != second.shape:
        return np.inf
    return float(np.abs(first - second).max())
