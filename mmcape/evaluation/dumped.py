"""What a test has dumped, read again and looked at from several sides."""

from __future__ import annotations

import json
import pickle
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mmcape.utils.input_error import InputError

from .functional import (
    box_size,
    counted_keypoints,
    half_interval,
    keypoint_distances,
    nme,
    pck,
)

THRESHOLD = 0.2
_KEYS = ('episode_index', 'support_instances', 'pred_instances')


class _ArraysOnly(pickle.Unpickler):
    """Reads arrays and plain data; a dump has nothing else to run."""

    def find_class(self, module: str, name: str) -> Any:
        known = ('_reconstruct', '_frombuffer', 'ndarray', 'dtype', 'scalar')
        of_array = module.split('.')[0] == 'numpy' and name in known
        # bytes, as the protocol that mmengine dumps in has them
        if of_array or (module, name) == ('_codecs', 'encode'):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f'it holds a {module}.{name}')


def read_dump(path: str | Path) -> list[dict[str, Any]]:
    """Samples of a file that ``test.py --dump`` wrote, each pair once.

    Raises:
        InputError: If it is no such file.
    """
    try:
        with open(path, 'rb') as file:
            samples = _ArraysOnly(file).load()
        unique = {sample['episode_index']: sample for sample in samples}
        if not all(key in one for one in unique.values() for key in _KEYS):
            raise KeyError(f'{_KEYS} are not in all samples')
    except (
        *(OSError, EOFError, ValueError, KeyError, TypeError, IndexError),
        *(AttributeError, pickle.UnpicklingError),
    ) as error:
        raise InputError(
            f'{path} is no dump of tools/test.py: {error}'
        ) from error
    if not unique:
        raise InputError(f'{path} holds no pair')
    return [unique[index] for index in sorted(unique)]


def read_report(path: str | Path) -> dict[str, Any]:
    """The report that ``test.py --out`` wrote.

    Raises:
        InputError: If it is no such file.
    """
    try:
        report = json.loads(Path(path).read_text(encoding='utf-8'))
        if not report['per_category']:
            raise ValueError('it has no category')
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f'{path} is no report of tools/test.py: {error}'
        ) from error
    return report


@dataclass(frozen=True)
class DumpedPair:
    """A pair, and how far its counted keypoints are off."""

    sample: Mapping[str, Any]
    """As dumped."""
    counted: np.ndarray
    """(K,) bool."""
    distances: np.ndarray
    """Of each counted keypoint, in units of the box's longer side."""

    @classmethod
    def of(cls, sample: Mapping[str, Any]) -> DumpedPair:
        """Measure a dumped sample."""
        counted = counted_keypoints(sample)
        distances = keypoint_distances(
            sample['pred_instances']['keypoints'][0],
            sample['gt_instances']['keypoints'][0],
            counted,
            box_size(sample),
        )
        return cls(sample, counted, distances)

    @property
    def wrong(self) -> np.ndarray:
        """(K,) bool, counted keypoints that PCK@0.2 does not find."""
        wrong = np.zeros_like(self.counted)
        wrong[self.counted] = self.distances >= THRESHOLD
        return wrong


@dataclass(frozen=True)
class DumpedEpisode:
    """The pairs that share a support."""

    category: str
    category_id: int
    draw: int
    pairs: Sequence[DumpedPair]

    @property
    def pck(self) -> float:
        """Mean PCK@0.2."""
        return _mean_pck(self.pairs, THRESHOLD)

    @property
    def worst(self) -> DumpedPair:
        """The pair that is furthest off."""
        return max(self.pairs, key=lambda pair: nme(pair.distances))


class DumpedResult:
    """A dumped test.

    Args:
        samples: From :func:`read_dump`.
    """

    def __init__(self, samples: Sequence[Mapping[str, Any]]) -> None:
        self.pairs = [DumpedPair.of(sample) for sample in samples]

    @cached_property
    def episodes(self) -> list[DumpedEpisode]:
        """The episodes, the worst PCK@0.2 first."""
        groups: dict[tuple[int, int], list[DumpedPair]] = defaultdict(list)
        for pair in self.pairs:
            key = pair.sample['category_id'], pair.sample['draw']
            groups[key].append(pair)
        episodes = [
            DumpedEpisode(pairs[0].sample['category_name'], *key, pairs)
            for key, pairs in groups.items()
        ]
        return sorted(episodes, key=lambda episode: episode.pck)

    @cached_property
    def categories(self) -> dict[str, list[DumpedEpisode]]:
        """The episodes of each category, by its name."""
        groups = defaultdict(list)
        for episode in self.episodes:
            groups[episode.category_id, episode.category].append(episode)
        names = [name for _, name in groups]
        return {
            name if names.count(name) == 1 else f'{name} (id {key})': episodes
            for (key, name), episodes in groups.items()
        }

    def per_category(self) -> dict[str, tuple[float, float]]:
        """PCK@0.2 of each category, and half its 95 % interval.

        The interval is over episodes; of a single one it is 0.
        """
        rates = {
            name: [episode.pck for episode in episodes]
            for name, episodes in self.categories.items()
        }
        return {
            name: (
                float(np.mean(values)),
                half_interval(values) if len(values) > 1 else 0.0,
            )
            for name, values in rates.items()
        }

    def curve(
        self, thresholds: Sequence[float], category: str | None = None
    ) -> list[float]:
        """Mean PCK over the pairs, of all or a category, at each threshold."""
        pairs: Sequence[DumpedPair] = self.pairs
        if category is not None:
            episodes = self.categories[category]
            pairs = [pair for episode in episodes for pair in episode.pairs]
        return [_mean_pck(pairs, value) for value in thresholds]

    def confidences(self) -> tuple[np.ndarray, np.ndarray]:
        """Score and distance of all N counted keypoints, (N,) each."""
        scores = [
            pair.sample['pred_instances']['keypoint_scores'][0][pair.counted]
            for pair in self.pairs
        ]
        distances = [pair.distances for pair in self.pairs]
        return np.concatenate(scores), np.concatenate(distances)


def _mean_pck(pairs: Sequence[DumpedPair], threshold: float) -> float:
    return float(np.mean([pck(pair.distances, threshold) for pair in pairs]))
