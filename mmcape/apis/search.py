"""Where to look in pictures, and how often."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from mmengine.logging import print_log
from mmpose.structures import PoseDataSample

from mmcape.utils.input_error import InputError

from .boxes import BoxFinder
from .matcher import Matcher
from .queries import Query
from .samples import join_boxes, next_boxes

Found = tuple[Query, PoseDataSample]
Boxed = tuple[Query, np.ndarray, np.ndarray]
"""A query with its boxes (N, 4) and their scores (N,)."""


class Search:
    """Finds the poses of a support in queries, one sample a query.

    Args:
        matcher: Holds the encoded support.
        find_boxes: Gives the boxes of a query.
        batch_size: Boxes that the model sees at once.
        looks: How often a query is searched, each time nearer to what the
            look before has found.
        threshold: From which score on a keypoint is trusted to tell where to
            look next.
    """

    def __init__(
        self,
        matcher: Matcher,
        find_boxes: BoxFinder,
        batch_size: int,
        looks: int,
        threshold: float,
    ) -> None:
        self.matcher = matcher
        self.find_boxes = find_boxes
        self.batch_size = batch_size
        self.looks = looks
        self.threshold = threshold
        self.failures: dict[str, str] = {}
        """Queries that cannot be used, and why."""

    def in_batches(self, queries: Iterable[Query]) -> Iterator[Found]:
        """Samples of queries, as many boxes at once as a batch holds."""
        waiting: list[Boxed] = []
        for query in queries:
            try:
                waiting.append((query, *self._find(query)))
            except InputError as error:
                self._fail(query, str(error))
                continue
            if sum(len(boxes) for _, boxes, _ in waiting) >= self.batch_size:
                yield from self._look(waiting, self.looks)
                waiting = []
        yield from self._look(waiting, self.looks)

    def following(self, queries: Iterable[Query]) -> Iterator[Found]:
        """Samples of queries, each box from the pose in the one before."""
        boxes = scores = None
        looks = self.looks
        for query in queries:
            try:
                if boxes is None or scores is None:
                    boxes, scores = self._find(query)
                elif query.image is None:
                    raise InputError(query.problem)
            except InputError as error:
                self._fail(query, str(error))
                continue
            ((_, sample),) = self._look([(query, boxes, scores)], looks)
            yield query, sample
            if len(boxes):
                boxes, looks = next_boxes(sample, self.threshold), 1
            else:
                boxes = None  # nothing to follow: find boxes anew

    def _find(self, query: Query) -> tuple[np.ndarray, np.ndarray]:
        if query.image is None:
            raise InputError(query.problem)
        return self.find_boxes(query.label, query.image, query.index)

    def _fail(self, query: Query, problem: str) -> None:
        self.failures[query.label] = problem
        print_log(problem, logger='current', level=logging.WARNING)

    def _look(self, waiting: Sequence[Boxed], looks: int) -> list[Found]:
        """Samples of queries, each look nearer to what the last one found."""
        found = self._match(waiting)
        for _ in range(looks - 1):
            again = [
                (query, next_boxes(sample, self.threshold), scores)
                for (query, sample), (_, _, scores) in zip(found, waiting)
            ]
            found = self._match(again)
        return found

    def _match(self, waiting: Sequence[Boxed]) -> list[Found]:
        """Samples of queries, from one look at each box."""
        crops = [
            (query.image, box, query.name)
            for query, boxes, _ in waiting
            if query.image is not None
            for box in boxes
        ]
        matched: list[PoseDataSample] = []
        for start in range(0, len(crops), self.batch_size):
            matched += self.matcher.match(
                crops[start : start + self.batch_size]
            )
        visible = self.matcher.valid
        found = []
        for query, boxes, scores in waiting:
            own, matched = matched[: len(boxes)], matched[len(boxes) :]
            found.append(
                (query, join_boxes(query, own, boxes, scores, visible))
            )
        return found
