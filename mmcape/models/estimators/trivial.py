"""Answers that need no learning: what a benchmark gives away."""

from __future__ import annotations

import torch
from mmengine.model import BaseModel
from mmpose.registry import KEYPOINT_CODECS, MODELS
from mmpose.structures import PoseDataSample
from mmpose.utils.typing import ConfigType
from torch import Tensor

from mmcape.structures import store_prediction
from mmcape.typing import EpisodeInputs


@MODELS.register_module()
class TrivialPoseEstimator(BaseModel):
    """Predicts without looking at the query.

    Args:
        rule: 'copy_support' puts each keypoint where it lies in the support's
            crop (mean over shots), 'crop_centre' puts all of them into the
            middle.
        codec: Config of the keypoint codec.
        data_preprocessor: Config of the data preprocessor.
    """

    def __init__(
        self, rule: str, codec: ConfigType, data_preprocessor: ConfigType
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        if rule not in ('copy_support', 'crop_centre'):
            raise ValueError(f'no such rule: {rule!r}')
        self.rule = rule
        self.codec = KEYPOINT_CODECS.build(codec)

    def forward(
        self,
        inputs: EpisodeInputs,
        data_samples: list[PoseDataSample],
        mode: str = 'predict',
    ) -> list[PoseDataSample]:
        """Predict; there is nothing to train.

        Raises:
            ValueError: In any other mode.
        """
        if mode != 'predict':
            raise ValueError(f'{type(self).__name__} has no mode {mode!r}')
        points = self._points(inputs['support_keypoints'])
        keypoints = self.codec.decode(points).cpu().numpy()
        for sample, answer in zip(data_samples, keypoints):
            scores = torch.ones(len(answer)).numpy()
            store_prediction(sample, answer, scores)
        return data_samples

    def _points(self, support_keypoints: Tensor) -> Tensor:
        points = self.codec.normalize(support_keypoints).mean(dim=1)
        if self.rule == 'crop_centre':
            points = torch.full_like(points, 0.5)
        return points
