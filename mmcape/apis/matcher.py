"""A model and an encoded support: crops in, poses out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmpose.registry import TRANSFORMS

from mmcape.structures import Episode, EpisodeDataSample
from mmcape.utils.input_error import InputError
from mmcape.visualization import Explanation, explain

from .model_loading import build_model, load_config
from .support import AnnotatedSupport


class Matcher:
    """Finds the keypoints of a support, encoded once, in boxes of images.

    Crops are made by the pipeline of the config's test, so that results are
    those of the benchmark.

    Args:
        model: Config, its path or name, see
            :func:`~mmcape.apis.model_loading.load_config`.
        weights: Checkpoint file or URL, None for initial weights.
        device: By default a GPU if there is one.

    Raises:
        InputError: If the config or the checkpoint cannot be used.
    """

    def __init__(
        self,
        model: str | Path | Config,
        weights: str | Path | None,
        device: str | torch.device | None,
    ) -> None:
        if device is None:
            device = 'cuda' if torch.cuda.is_available() else 'cpu'
        self.cfg = load_config(model)
        self.model = build_model(self.cfg, weights, device)
        pipeline = self.cfg.test_dataloader.dataset.pipeline
        self.pipeline = Compose([TRANSFORMS.build(t) for t in pipeline])
        self._encoded: Any = None
        self.valid = np.zeros(0, bool)
        """(K,), which keypoints every shot of the support shows."""

    @property
    def max_keypoints(self) -> int | None:
        """The most keypoints of a support; None for no limit."""
        return self.model.head.max_keypoints

    @torch.no_grad()
    def encode(self, support: AnnotatedSupport) -> None:
        """Encode a support, for all queries until the next one.

        Raises:
            InputError: If it has more keypoints than the model can tell
                apart, or no keypoint that every shot shows in its crop.
        """
        count = len(support.names)
        if self.max_keypoints is not None and count > self.max_keypoints:
            raise InputError(
                f'the support has {count} keypoints, the model can find at '
                f'most {self.max_keypoints}: leave some out, or train a model '
                "for more (`max_keypoints` or the identifier's `length` of "
                'its head)'
            )
        shots = [self._crop(one) for one in _shots(support)]
        batch = self.model.data_preprocessor(pseudo_collate(shots), False)
        inputs = batch['inputs']
        encoded = self.model.encode_support(
            inputs['query_img'][None],
            inputs['query_keypoints'][None],
            inputs['query_visible'][None],
        )
        if not encoded.valid.any():
            raise InputError(
                'no keypoint lies in the crops of all support images: give '
                'boxes that contain the object'
            )
        self._encoded = encoded
        self.valid = encoded.valid[0].cpu().numpy()

    @torch.no_grad()
    def match(
        self,
        crops: Sequence[tuple[np.ndarray, np.ndarray, str]],
    ) -> list[EpisodeDataSample]:
        """Find the keypoints, in one pass of the backbone and the head.

        Args:
            crops: Image (H, W, 3) uint8 BGR, box (4,) and name of each.
        """
        count = len(self.valid)
        nothing = np.zeros((count, 2)), np.zeros(count, bool)
        batch = self.model.data_preprocessor(
            pseudo_collate(
                [self._crop(_instance(*crop, *nothing)) for crop in crops]
            ),
            False,
        )
        support = self._encoded.rows([0] * len(crops))
        output = self.model.match_query(batch['inputs']['query_img'], support)
        return self.model.store(batch['data_samples'], output, support)

    def explain(
        self,
        support: AnnotatedSupport,
        image: np.ndarray,
        box: np.ndarray,
        name: str,
    ) -> Explanation:
        """Find the keypoints of a support, and keep how.

        Args:
            support: As for :meth:`encode`, which this does not need.
            image: (H, W, 3) uint8 BGR.
            box: (4,) corners.
            name: Of the image.
        """
        count = len(support.names)
        nothing = np.zeros((count, 2)), np.zeros(count, bool)
        query = _instance(image, box, name, *nothing)
        packed = self.pipeline(
            dict(
                episode=Episode(0, 0, (), 0),
                support=_shots(support),
                query=dict(query, category_name=support.category),
            )
        )
        return explain(self.model, packed)

    def _crop(self, instance: dict[str, Any]) -> dict[str, Any]:
        """One instance through the pipeline, alone."""
        return self.pipeline(
            dict(episode=Episode(0, 0, (), 0), support=[], query=instance)
        )


def _shots(support: AnnotatedSupport) -> list[dict[str, Any]]:
    """The S instances of a support."""
    shots = zip(
        support.images(), support.boxes, support.keypoints, support.visible
    )
    return [
        _instance(image, box, f'support image {shot}', points, shown)
        for shot, (image, box, points, shown) in enumerate(shots, start=1)
    ]


def _instance(
    image: np.ndarray,
    box: np.ndarray,
    name: str,
    keypoints: np.ndarray,
    visible: np.ndarray,
) -> dict[str, Any]:
    """What a data set would tell the pipeline of an instance."""
    return dict(
        img=image,
        img_path=name,
        annotated_size=(image.shape[1], image.shape[0]),
        id=0,
        img_id=0,
        category_id=0,
        category_name='',
        num_keypoints=len(keypoints),
        bbox=np.asarray(box, np.float32)[None],
        keypoints=np.asarray(keypoints, np.float32)[None],
        keypoints_visible=np.asarray(visible, np.float32)[None],
    )
