"""Find the keypoints of one's own support in one's own pictures."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from mmcape.formats import LabelledPoses, Pose
from mmcape.utils.input_error import InputError

from .box_following import follow
from .boxes import BoxFinder, BoxSource
from .drawing import draw_poses, require_display
from .matcher import Matcher
from .pictures import Picture
from .queries import Frames, Images, Inputs, Query, open_queries
from .result_writer import ResultWriter
from .support import AnnotatedSupport, Edge, annotate

Found = tuple[Query, PoseDataSample]
Boxed = tuple[Query, np.ndarray, np.ndarray]
"""A query with its boxes (N, 4) and their scores (N,)."""


class CapeInferencer:
    """Finds the keypoints of annotated pictures in any others.

    .. code-block:: python

        inferencer = CapeInferencer('capeformer_tiny_puppets_1shot', 'a.pth')
        inferencer.set_support('cat.jpg', [[120, 80], [200, 90]])
        for result in inferencer('folder/of/cats'):
            (sample,) = result['predictions']
            sample.pred_instances.keypoints  # (N, K, 2) pixels
            sample.pred_instances.keypoint_scores  # (N, K) confidences

    After a support has been encoded, a look at a box costs one pass of the
    backbone and the head.

    Args:
        model: Config, its path, or the name of one of mmcape's.
        weights: Checkpoint file or URL; None for initial weights.
        device: E.g. 'cuda:1'; by default a GPU if there is one.

    Raises:
        InputError: If the config or the checkpoint cannot be used.
    """

    def __init__(
        self,
        model: str | Path | Config,
        weights: str | Path | None = None,
        device: str | torch.device | None = None,
    ) -> None:
        self._matcher = Matcher(model, weights, device)
        self.support: AnnotatedSupport | None = None
        """The support in use; ``support.save(path)`` keeps it."""
        self.failures: dict[str, str] = {}
        """Images of the last call that could not be used, and why."""

    @property
    def max_keypoints(self) -> int | None:
        """The most keypoints of a support; None for no limit."""
        return self._matcher.max_keypoints

    def set_support(
        self,
        images: Picture | Sequence[Picture],
        keypoints: Any,
        boxes: Any = None,
        visible: Any = None,
        skeleton: Sequence[Edge] | None = None,
        names: Sequence[str] | None = None,
    ) -> None:
        """Encode annotated pictures, for all queries until the next call.

        Arguments and exceptions as in
        :func:`~mmcape.apis.support.annotate`; moreover:

        Raises:
            InputError: If there are more keypoints than the model can find.
        """
        self.use_support(
            annotate(images, keypoints, boxes, visible, skeleton, names)
        )

    def use_support(self, support: AnnotatedSupport | str | Path) -> None:
        """Encode a support, or one that was saved to a file.

        Raises:
            InputError: As :meth:`set_support`.
        """
        if not isinstance(support, AnnotatedSupport):
            support = AnnotatedSupport.load(support)
        self._matcher.encode(support)
        self.support = support

    def __call__(
        self,
        inputs: Inputs,
        boxes: BoxSource = None,
        batch_size: int = 8,
        out_dir: str | Path | None = None,
        show: bool = False,
        return_vis: bool = False,
        kpt_thr: float = 0.3,
        looks: int = 1,
        follow_box: bool | None = None,
    ) -> Iterator[dict[str, list[Any]]]:
        """Find keypoints, one result an image.

        An image that cannot be read, or whose box is none, has no result but
        a warning and an entry in :attr:`failures`.

        Args:
            inputs: Path of an image, (H, W, 3) uint8 BGR array, list of
                these, folder, glob, video file, or camera number.
            boxes: Where the objects are: None for whole images, or as in
                :class:`~mmcape.apis.boxes.BoxFinder`.
            batch_size: Boxes that the model sees at once.
            out_dir: Folder for ``visualizations`` and ``predictions``.
            show: Whether to show each picture in a window.
            return_vis: Whether to return the pictures.
            kpt_thr: From which score on a keypoint is drawn, and trusted to
                tell where to look next.
            looks: How often an image is searched: every time after the first
                in the box that :func:`~mmcape.apis.box_following.follow`
                draws from the keypoints found. Two find much more than one
                in whole images.
            follow_box: Whether each frame is searched once, in the box that
                the last one's keypoints give; ``boxes`` and ``looks`` are
                then those of the first frame. Frames come one by one. By
                default so for videos and cameras without boxes.

        Yields:
            ``predictions``: a list with one ``PoseDataSample``, whose
            ``pred_instances`` has N ``keypoints`` (N, K, 2) in pixels,
            ``keypoint_scores`` (N, K), ``keypoints_visible`` (N, K; 0 where
            a support does not show one), ``bboxes`` (N, 4) and
            ``bbox_scores`` (N,); and ``visualization``: a list with one RGB
            picture, or an empty one.

        Raises:
            InputError: If there is no support, nothing to read, no image
                could be used, or an option is out of range.
        """
        if self.support is None:
            raise InputError('there is no support yet: call set_support first')
        if show:
            require_display()
        queries = open_queries(inputs)
        if follow_box is None:
            follow_box = queries.is_video and boxes is None
        if looks < 1:
            raise InputError(f'looks must be at least 1, got {looks}')
        count = len(queries) if isinstance(queries, Images) else None
        if isinstance(queries, Frames) and queries.is_live:
            batch_size = 1  # nobody waits for further frames
        finder = BoxFinder(boxes, count)
        found = (
            self._follow(queries, finder, looks, kpt_thr)
            if follow_box
            else self._batches(queries, finder, batch_size, looks, kpt_thr)
        )
        return self._results(
            found,
            queries,
            out_dir=out_dir,
            show=show,
            return_vis=return_vis,
            threshold=kpt_thr,
        )

    def as_poses(self, samples: Sequence[PoseDataSample]) -> LabelledPoses:
        """Predictions in the form that :mod:`mmcape.formats` writes."""
        assert self.support is not None
        return LabelledPoses(
            names=self.support.names,
            skeleton=self.support.skeleton,
            category=self.support.category,
            poses=[pose for one in samples for pose in _poses(one)],
        )

    def _results(
        self,
        found: Iterator[Found],
        queries: Images | Frames,
        out_dir: str | Path | None,
        show: bool,
        return_vis: bool,
        threshold: float,
    ) -> Iterator[dict[str, list[Any]]]:
        assert self.support is not None
        self.failures = {}
        skeleton = self.support.skeleton
        writer = None
        if out_dir is not None:
            rate = queries.rate if isinstance(queries, Frames) else 25.0
            writer = ResultWriter(out_dir, rate)
        some = False
        try:
            for query, sample in found:
                some = True
                pictures = []
                if writer is not None or show or return_vis:
                    pictures = [_draw(query, sample, skeleton, threshold)]
                if writer is not None:
                    writer.write(query, sample, pictures[0])
                if show:
                    cv2.imshow('mmcape', pictures[0][..., ::-1])
                    cv2.waitKey(1 if queries.is_video else 0)
                yield dict(
                    predictions=[sample],
                    visualization=pictures if return_vis else [],
                )
        finally:
            if writer is not None:
                writer.close()
        if not some:
            raise InputError('\n'.join(self.failures.values()))

    def _batches(
        self,
        queries: Images | Frames,
        finder: BoxFinder,
        batch_size: int,
        looks: int,
        threshold: float,
    ) -> Iterator[Found]:
        """Samples of queries, as many boxes at once as a batch holds."""
        waiting: list[Boxed] = []
        for query in queries:
            try:
                waiting.append((query, *self._find(query, finder)))
            except InputError as error:
                self._fail(query, str(error))
                continue
            if sum(len(boxes) for _, boxes, _ in waiting) >= batch_size:
                yield from self._search(waiting, batch_size, looks, threshold)
                waiting = []
        yield from self._search(waiting, batch_size, looks, threshold)

    def _follow(
        self,
        queries: Images | Frames,
        finder: BoxFinder,
        looks: int,
        threshold: float,
    ) -> Iterator[Found]:
        """Samples of queries, each box from the pose in the one before."""
        boxes = scores = None
        for query in queries:
            try:
                if boxes is None or scores is None:
                    boxes, scores = self._find(query, finder)
                elif query.image is None:
                    raise InputError(query.problem)
            except InputError as error:
                self._fail(query, str(error))
                continue
            ((_, sample),) = self._search(
                [(query, boxes, scores)],
                max(len(boxes), 1),
                looks,
                threshold,
            )
            yield query, sample
            looks = 1
            # where nothing is to follow, boxes are found anew
            boxes = _next_boxes(sample, threshold) if len(boxes) else None
            scores = np.ones(len(sample.pred_instances))

    @staticmethod
    def _find(
        query: Query, finder: BoxFinder
    ) -> tuple[np.ndarray, np.ndarray]:
        if query.image is None:
            raise InputError(query.problem)
        return finder(query.label, query.image, query.index)

    def _fail(self, query: Query, problem: str) -> None:
        self.failures[query.label] = problem
        print_log(problem, logger='current', level=logging.WARNING)

    def _search(
        self,
        waiting: Sequence[Boxed],
        batch_size: int,
        looks: int,
        threshold: float,
    ) -> list[Found]:
        """Samples of queries, each look nearer to what the last one found."""
        found = self._match(waiting, batch_size)
        for _ in range(looks - 1):
            again = [
                (query, _next_boxes(sample, threshold), scores)
                for (query, sample), (_, _, scores) in zip(found, waiting)
            ]
            found = self._match(again, batch_size)
        return found

    def _match(self, waiting: Sequence[Boxed], batch_size: int) -> list[Found]:
        """Samples of queries, from one look at each box."""
        crops = [
            (query.image, box, query.name)
            for query, boxes, _ in waiting
            if query.image is not None
            for box in boxes
        ]
        matched: list[PoseDataSample] = []
        for start in range(0, len(crops), batch_size):
            matched += self._matcher.match(crops[start : start + batch_size])
        assert self.support is not None
        visible = self._matcher.valid
        found = []
        for query, boxes, scores in waiting:
            own, matched = matched[: len(boxes)], matched[len(boxes) :]
            found.append((query, _join(query, own, boxes, scores, visible)))
        return found


def _next_boxes(sample: PoseDataSample, threshold: float) -> np.ndarray:
    """Boxes (N, 4) in which to look next for the N instances."""
    found = sample.pred_instances
    height, width = sample.metainfo['ori_shape']
    boxes = [
        follow(*instance, (width, height), threshold)
        for instance in zip(
            found.keypoints, found.keypoint_scores, found.bboxes
        )
    ]
    return np.reshape(boxes, (-1, 4))


def _join(
    query: Query,
    samples: Sequence[PoseDataSample],
    boxes: np.ndarray,
    scores: np.ndarray,
    visible: np.ndarray,
) -> PoseDataSample:
    """One sample of an image from those of its N boxes."""
    assert query.image is not None
    size = len(visible)
    found = [one.pred_instances for one in samples]
    joined = PoseDataSample(
        metainfo=dict(
            img_path=query.name,
            ori_shape=query.image.shape[:2],
            frame_id=query.frame,
            num_keypoints=size,
        )
    )
    joined.pred_instances = InstanceData(
        keypoints=_stack([one.keypoints for one in found], (size, 2)),
        keypoint_scores=_stack(
            [one.keypoint_scores for one in found], (size,)
        ),
        keypoints_visible=np.repeat(
            visible[None].astype(np.float32), len(found), axis=0
        ),
        bboxes=boxes.astype(np.float32),
        bbox_scores=scores.astype(np.float32),
    )
    return joined


def _stack(rows: Sequence[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Arrays (1, ...) as one, (0, ...) if there is none."""
    return np.concatenate([np.zeros((0, *shape), np.float32), *rows])


def _draw(
    query: Query,
    sample: PoseDataSample,
    skeleton: Sequence[tuple[int, int]],
    threshold: float,
) -> np.ndarray:
    assert query.image is not None
    instances = sample.pred_instances
    return draw_poses(
        query.image[..., ::-1],
        instances.keypoints,
        instances.keypoint_scores,
        instances.bboxes,
        skeleton,
        threshold,
    )


def _poses(sample: PoseDataSample) -> Iterator[Pose]:
    instances = sample.pred_instances
    height, width = sample.metainfo['ori_shape']
    for row in range(len(instances.keypoints)):
        yield Pose(
            image=sample.metainfo['img_path'],
            keypoints=instances.keypoints[row],
            visible=instances.keypoints_visible[row] > 0,
            box=instances.bboxes[row],
            scores=instances.keypoint_scores[row],
            image_size=(width, height),
            frame=sample.metainfo['frame_id'],
        )
