"""Backbones and head as a pose estimator over episodes."""

from __future__ import annotations

from collections.abc import Sequence

from mmpose.models.pose_estimators.base import BasePoseEstimator
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from mmpose.utils.typing import ConfigType, OptConfigType, OptMultiConfig
from torch import Tensor

from mmcape.models.heads import HeadOutput, SupportEncoding
from mmcape.structures import store_prediction
from mmcape.typing import EpisodeInputs

from .distinct_rows import distinct_rows


@MODELS.register_module()
class FewShotPoseEstimator(BasePoseEstimator):
    """Finds a support's keypoints in query images.

    Training, benchmark and inference call the same two steps:
    :meth:`encode_support` once for an annotated support and
    :meth:`match_query` for any number of query images.

    Args:
        backbone: Config of the backbone. Its last feature map is used.
        head: Config of the head, a
            :class:`~mmcape.models.heads.FewShotHead`.
        neck: Config of a neck, or None; shared by support and query.
        support_backbone: Config of a backbone of its own for the support, or
            None to share ``backbone``.
        data_preprocessor: Config of the data preprocessor.
        train_cfg: Kept for mmpose's interface.
        test_cfg: Kept for mmpose's interface.
        init_cfg: Initialisation, e.g. a checkpoint.
    """

    def __init__(
        self,
        backbone: ConfigType,
        head: ConfigType,
        neck: OptConfigType = None,
        support_backbone: OptConfigType = None,
        data_preprocessor: OptConfigType = None,
        train_cfg: OptConfigType = None,
        test_cfg: OptConfigType = None,
        init_cfg: OptMultiConfig = None,
    ) -> None:
        super().__init__(
            backbone=backbone,
            neck=neck,
            head=head,
            train_cfg=train_cfg,
            test_cfg=test_cfg,
            data_preprocessor=data_preprocessor,
            init_cfg=init_cfg,
        )
        self.support_backbone = support_backbone and MODELS.build(
            support_backbone
        )

    def extract_feat(self, inputs: Tensor) -> Sequence[Tensor]:
        """Feature maps of images (N, 3, H, W).

        Raises:
            ValueError: If they are not of the size that the codec is for.
        """
        height, width = inputs.shape[-2:]
        if (width, height) != self.head.codec.input_size:
            raise ValueError(
                f'crops are {width} x {height} pixels, the codec of the head '
                f'is for {self.head.codec.input_size}: give `codec` and '
                "TopdownAffine's `input_size` in the pipelines the same size"
            )
        return super().extract_feat(inputs)

    def extract_support_feat(self, images: Tensor) -> Sequence[Tensor]:
        """Feature maps of support images (N, 3, H, W)."""
        if self.support_backbone is None:
            return self.extract_feat(images)
        features = self.support_backbone(images)
        return self.neck(features) if self.with_neck else features

    def encode_support(
        self, images: Tensor, keypoints: Tensor, visible: Tensor
    ) -> SupportEncoding:
        """Encode annotated support images.

        Args:
            images: (B, S, 3, H, W) normalised.
            keypoints: (B, S, K, 2) in pixels of the crops.
            visible: (B, S, K) bool.
        """
        features = self.extract_support_feat(images.flatten(0, 1))[-1]
        features = features.unflatten(0, images.shape[:2])
        return self.head.encode_support(features, keypoints, visible)

    def match_query(
        self, images: Tensor, support: SupportEncoding
    ) -> HeadOutput:
        """Find the support's keypoints.

        Args:
            images: (B, 3, H, W) normalised.
            support: From :meth:`encode_support`, of the same batch size.
        """
        return self.head(self.extract_feat(images)[-1], support)

    def loss(
        self, inputs: EpisodeInputs, data_samples: list[PoseDataSample]
    ) -> dict[str, Tensor]:
        """Losses of a batch of episodes, one query each."""
        del data_samples
        output, support = self._run(inputs)
        return self.head.loss(
            output,
            support,
            keypoints=inputs['query_keypoints'],
            visible=inputs['query_visible'],
        )

    def predict(
        self, inputs: EpisodeInputs, data_samples: list[PoseDataSample]
    ) -> list[PoseDataSample]:
        """Predictions in pixels of the original query images."""
        support = self._encode_distinct(inputs)
        output = self.match_query(inputs['query_img'], support)
        keypoints = self.head.codec.decode(output.points.float())
        scores = output.scores.float() * support.valid
        for sample, points, score in zip(
            data_samples, keypoints.cpu().numpy(), scores.cpu().numpy()
        ):
            store_prediction(sample, points, score)
        return data_samples

    def _forward(self, inputs: EpisodeInputs) -> HeadOutput:
        """Raw output, for mode 'tensor'."""
        return self._run(inputs)[0]

    def _encode_distinct(self, inputs: EpisodeInputs) -> SupportEncoding:
        """Encode each support once, however many queries share it."""
        images = inputs['support_img']
        keypoints = inputs['support_keypoints']
        visible = inputs['support_visible']
        rows, owner = distinct_rows(keypoints, visible, images)
        support = self.encode_support(
            images[rows], keypoints[rows], visible[rows]
        )
        return support.rows(owner)

    def _run(
        self, inputs: EpisodeInputs
    ) -> tuple[HeadOutput, SupportEncoding]:
        support = self.encode_support(
            inputs['support_img'],
            inputs['support_keypoints'],
            inputs['support_visible'],
        )
        return self.match_query(inputs['query_img'], support), support
