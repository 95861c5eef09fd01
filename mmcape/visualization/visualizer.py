"""mmengine's visualizer, with the paper's figures."""

from __future__ import annotations

import os.path as osp
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.visualization import Visualizer
from mmpose.registry import VISUALIZERS
from mmpose.structures import PoseDataSample

from .display import require_display
from .explanation import Explanation
from .figures import FIGURES, Figures
from .layout import write_picture
from .marks import PANEL
from .naming import Naming
from .poses import draw_poses


@VISUALIZERS.register_module()
class EpisodeVisualizer(Visualizer):
    """Draws what a model does with an episode.

    The figures are: ``result`` (Fig. 5 of the paper: support, prediction
    without and with the second stage, annotation), ``walk`` (Fig. 6: every
    proposal on its way through the decoder), ``attention`` (Fig. 7: where
    chosen keypoints look in encoder and decoder), ``similarity`` (their
    maps). Where a model has no such step, the picture says so over the
    result.

    mmpose's own visualizer draws one skeleton for all; here, each category
    brings its own (``dataset_meta`` of the data set that an episode is of).

    Args:
        name: Of this instance, as in mmengine's ``Visualizer``.
        panel: Side of a panel in pixels; all sizes go with it.
        **kwargs: The others of mmengine's ``Visualizer``.
    """

    def __init__(
        self, name: str = 'visualizer', *, panel: int = PANEL, **kwargs: Any
    ) -> None:
        super().__init__(name, **kwargs)
        self.panel = panel

    def draw_episode(
        self,
        found: Explanation,
        figure: str = 'result',
        category: Mapping[str, Any] | None = None,
        keypoints: Sequence[str | int] | None = None,
    ) -> np.ndarray:
        """Draw a figure.

        Args:
            found: From :func:`~mmcape.visualization.explain`.
            figure: Name of a figure, see above.
            category: Of the data set's ``categories``: ``keypoint_names``
                and ``skeleton``. By default from ``dataset_meta``.
            keypoints: Numbers or names of the keypoints to look at closely.
                By default some are chosen.

        Returns:
            (H, W, 3) uint8 RGB.

        Raises:
            InputError: If there is no such keypoint.
        """
        if category is None:
            known = (self.dataset_meta or {}).get('categories', {})
            category = known.get(found.sample.metainfo['category_id'], {})
        naming = Naming.of(category, len(found.valid))
        chosen = None if keypoints is None else naming.indices(keypoints)
        return FIGURES[figure](Figures(found, naming, self.panel, chosen))

    def add_episode(
        self,
        name: str,
        found: Explanation,
        figures: Sequence[str] = ('result',),
        category: Mapping[str, Any] | None = None,
        keypoints: Sequence[str | int] | None = None,
        out_dir: str | None = None,
        show: bool = False,
        wait_time: float = 0.0,
        step: int = 0,
    ) -> None:
        """Draw figures, and hand them on.

        Args:
            name: Of the episode; a picture is ``<name>_<figure>``.
            found: As in :meth:`draw_episode`.
            figures: Names of figures, see above.
            category: As in :meth:`draw_episode`.
            keypoints: As in :meth:`draw_episode`.
            out_dir: Folder for JPEG files. Without one and without a window,
                pictures go to the backends.
            show: Whether to open a window for each.
            wait_time: Seconds that it stays, 0 until a key is pressed.
            step: Which pictures of the backends belong together.
        """
        for figure in figures:
            picture = self.draw_episode(found, figure, category, keypoints)
            title = f'{name}_{figure}'
            if out_dir is not None:
                write_picture(osp.join(out_dir, f'{title}.jpg'), picture)
            if show:
                require_display()
                self.show(picture, win_name=title, wait_time=wait_time)
            if out_dir is None and not show:
                self.add_image(title, picture, step=step)

    def add_datasample(
        self,
        name: str,
        image: np.ndarray,
        data_sample: PoseDataSample | None = None,
        draw_gt: bool = True,
        draw_pred: bool = True,
        show: bool = False,
        wait_time: float = 0.0,
        step: int = 0,
        kpt_thr: float = 0.3,
        out_file: str | None = None,
    ) -> None:
        """Draw poses into a whole picture; mmengine's interface.

        Args:
            name: Of the picture.
            image: (H, W, 3) uint8 RGB.
            data_sample: With ``gt_instances`` or ``pred_instances``.
            draw_gt: Whether to draw the annotation, on the left.
            draw_pred: Whether to draw the prediction, beside it.
            show: Whether to open a window.
            wait_time: Seconds that it stays.
            step: As in :meth:`add_episode`.
            kpt_thr: From which score on a predicted keypoint is drawn.
            out_file: File to write to, instead of to the backends.
        """
        pictures = list(
            self._poses(image, data_sample, draw_gt, draw_pred, kpt_thr)
        )
        drawn = np.concatenate(pictures or [image], axis=1)
        self.set_image(drawn)
        if show:
            require_display()
            self.show(drawn, win_name=name, wait_time=wait_time)
        if out_file is not None:
            write_picture(out_file, drawn)
        else:
            self.add_image(name, drawn, step)

    def _poses(
        self,
        image: np.ndarray,
        sample: PoseDataSample | None,
        draw_gt: bool,
        draw_pred: bool,
        threshold: float,
    ) -> Iterator[np.ndarray]:
        if sample is None:
            return
        known = (self.dataset_meta or {}).get('categories', {})
        category = known.get(sample.metainfo.get('category_id'), {})
        for field, wanted, scores, lowest in (
            ('gt_instances', draw_gt, 'keypoints_visible', 0.0),
            ('pred_instances', draw_pred, 'keypoint_scores', threshold),
        ):
            if wanted and field in sample:
                found = sample.get(field)
                yield draw_poses(
                    image,
                    found.keypoints,
                    found.get(scores),
                    found.get('bboxes', np.zeros((len(found), 4))),
                    category.get('skeleton', ()),
                    lowest,
                    category.get('keypoint_names', ()),
                )
