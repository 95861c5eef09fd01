"""The panels that figures of an explained episode are made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .crops import Crop
from .explanation import Explanation
from .layout import captioned, heat, view, whole
from .marks import (
    draw_crosses,
    draw_keypoints,
    draw_rings,
    draw_walks,
)
from .naming import Naming
from .text import write_numbers

WRONG = 0.2
"""From which error on, in units of the box's side, a keypoint is wrong."""


class Panels:
    """Draws parts of an episode.

    Args:
        found: The episode.
        naming: Of its category.
        side: Of a panel with all keypoints, in pixels.
        small: Of a panel with one of them.
    """

    def __init__(
        self, found: Explanation, naming: Naming, side: int, small: int
    ) -> None:
        self.found, self.naming = found, naming
        self.side, self.small = side, small
        self.ways = np.stack(list(found.stages.values()))
        """(stages, K, 2) in pixels of the query's crop."""

    def annotated(self, name: str, crop: Crop) -> np.ndarray:
        """An annotated crop."""
        shown = whole(crop.image, self.side)
        places = shown.place(crop.keypoints)
        picture, skeleton = shown.picture, self.naming.skeleton
        draw_keypoints(picture, places, crop.visible, skeleton)
        write_numbers(picture, places, crop.visible)
        return captioned(picture, [name, ' '])

    def answer(self, stage: str, name: str) -> np.ndarray:
        """The query with what a stage found; wrong keypoints in rings."""
        found, shown = self.found, whole(self.found.query.image, self.side)
        places = shown.place(found.stages[stage])
        picture, skeleton = shown.picture, self.naming.skeleton
        wrong = found.counted & (self._errors(stage) >= WRONG)
        draw_keypoints(picture, places, found.valid, skeleton)
        draw_rings(picture, places, wrong)
        write_numbers(picture, places, found.valid, wrong)
        return captioned(picture, [name, self._score(stage)])

    def walked(self, stage: str) -> np.ndarray:
        """The query with the ways of all keypoints up to a stage."""
        found, shown = self.found, whole(self.found.query.image, self.side)
        number = list(found.stages).index(stage)
        ways = shown.place(self.ways[: number + 1])
        target = shown.place(found.query.keypoints)
        draw_crosses(shown.picture, target, found.counted)
        draw_walks(shown.picture, ways, found.valid)
        write_numbers(shown.picture, ways[-1], found.valid)
        return captioned(shown.picture, [stage, self._score(stage)])

    def zoomed(self, i: int) -> np.ndarray:
        """One keypoint's way from close by."""
        found, way = self.found, self.ways[:, i]
        low, high = way.min(axis=0), way.max(axis=0)
        extent = max(2 * float((high - low).max()), min(found.query.size) / 4)
        shown = view(
            found.query.image, (low + high) / 2, extent, self.side // 2 - 3
        )
        text = ' '
        if found.counted[i]:
            errors = [found.errors(stage)[i] for stage in found.stages]
            text = f'error {errors[0]:.2f} → {errors[-1]:.2f}'
            target = shown.place(found.query.keypoints)
            draw_crosses(shown.picture, target, self._only([i]))
        draw_walks(shown.picture, shown.place(self.ways), self._only([i]))
        return captioned(shown.picture, [self.naming.title(i), text])

    def mapped(
        self, i: int, values: np.ndarray, lines: Sequence[str]
    ) -> np.ndarray:
        """The query under a map (h, w) of one keypoint, 0 or more."""
        found = self.found
        shown = whole(found.query.image, self.small)
        shown = heat(shown, values, values.max(), found.query.size)
        target = shown.place(found.query.keypoints)
        only = self._only([i])
        draw_crosses(shown.picture, target, only & found.counted)
        ends = self.ways[[0, -1]] if len(self.ways) > 1 else self.ways
        draw_walks(shown.picture, shown.place(ends), only)
        return captioned(shown.picture, lines)

    def marked_support(
        self, indices: Sequence[int], lines: Sequence[str]
    ) -> np.ndarray:
        """The first support with some of its keypoints."""
        crop = self.found.support[0]
        shown = whole(crop.image, self.small)
        places = shown.place(crop.keypoints)
        drawn = self._only(indices) & crop.visible
        draw_keypoints(shown.picture, places, drawn)
        write_numbers(shown.picture, places, drawn)
        return captioned(shown.picture, lines)

    def _only(self, indices: Sequence[int]) -> np.ndarray:
        return np.isin(np.arange(len(self.found.valid)), indices)

    def _errors(self, stage: str) -> np.ndarray:
        """(K,) errors, 0 where nothing counts."""
        if not self.found.counted.any():
            return np.zeros(len(self.found.valid))
        return self.found.errors(stage)

    def _score(self, stage: str) -> str:
        if not self.found.counted.any():
            return 'no annotation to compare with'
        errors = self.found.errors(stage)[self.found.counted]
        right = (errors < WRONG).mean()
        return f'PCK@{WRONG} {right:.0%}, NME {errors.mean():.3f}'
