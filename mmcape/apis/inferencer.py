"""Find the keypoints of one's own support in one's own pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmpose.structures import PoseDataSample

from mmcape.formats import LabelledPoses
from mmcape.utils.input_error import InputError
from mmcape.visualization import Explanation, require_display

from .boxes import BoxFinder, BoxSource
from .matcher import Matcher
from .pictures import Picture, read_picture
from .queries import Frames, Images, Inputs, open_queries
from .result_writer import ResultWriter
from .samples import draw_sample, poses_of
from .search import Found, Search
from .support import AnnotatedSupport, annotate
from .support_checks import Edge


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
        for name, value in (('looks', looks), ('batch_size', batch_size)):
            if value < 1:
                raise InputError(f'{name} must be at least 1, got {value}')
        count = len(queries) if isinstance(queries, Images) else None
        if isinstance(queries, Frames) and queries.is_live:
            batch_size = 1  # nobody waits for further frames
        search = Search(
            self._matcher,
            BoxFinder(boxes, count),
            batch_size=batch_size,
            looks=looks,
            threshold=kpt_thr,
        )
        self.failures = search.failures
        return self._results(
            search.following(queries)
            if follow_box
            else search.in_batches(queries),
            queries,
            out_dir=out_dir,
            show=show,
            return_vis=return_vis,
            threshold=kpt_thr,
        )

    def explain(
        self, picture: Picture, box: Sequence[float] | None = None
    ) -> Explanation:
        """Find keypoints once, and keep how: similarity, walk, attention.

        :meth:`~mmcape.visualization.EpisodeVisualizer.draw_episode` draws it.

        Args:
            picture: Path of an image, or (H, W, 3) uint8 BGR.
            box: Corners of the object; by default the whole image.

        Raises:
            InputError: If there is no support, or the image or the box
                cannot be used.
        """
        if self.support is None:
            raise InputError('there is no support yet: call set_support first')
        image = read_picture(picture)
        name = 'an array' if isinstance(picture, np.ndarray) else str(picture)
        (found,), _ = BoxFinder(box, 1)(name, image, 0)
        return self._matcher.explain(self.support, image, found, name)

    def as_poses(self, samples: Sequence[PoseDataSample]) -> LabelledPoses:
        """Predictions in the form that :mod:`mmcape.formats` writes."""
        assert self.support is not None
        return LabelledPoses(
            names=self.support.names,
            skeleton=self.support.skeleton,
            category=self.support.category,
            poses=[pose for one in samples for pose in poses_of(one)],
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
                    pictures = [
                        draw_sample(query, sample, skeleton, threshold)
                    ]
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
