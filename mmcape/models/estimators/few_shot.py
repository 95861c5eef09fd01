"""Supports encoded by a head that matches them with queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmpose.registry import MODELS
from mmpose.utils.typing import OptConfigType
from torch import Tensor

from mmcape.models.heads import HeadOutput, SupportEncoding

from .base import Codes, EpisodePoseEstimator


@MODELS.register_module()
class FewShotPoseEstimator(EpisodePoseEstimator[SupportEncoding]):
    """Leaves both steps to its head.

    CapeFormer, POMNet and ProtoNet differ in the head alone.

    Args:
        support_backbone: Config of a backbone of its own for the support, or
            None to share ``backbone``.
        **kwargs: Those of :class:`EpisodePoseEstimator`; the head is a
            :class:`~mmcape.models.heads.SupportMatching`.
    """

    def __init__(
        self, *, support_backbone: OptConfigType = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.support_backbone = support_backbone and MODELS.build(
            support_backbone
        )

    def extract_support_feat(self, images: Tensor) -> Sequence[Tensor]:
        """Feature maps of support images (N, 3, H, W)."""
        if self.support_backbone is None:
            return self.extract_feat(images)
        features = self.support_backbone(images)
        return self.neck(features) if self.with_neck else features

    def encode_support(
        self, images: Tensor, keypoints: Tensor, visible: Tensor
    ) -> SupportEncoding:
        """Encode supports; see :class:`EpisodePoseEstimator`."""
        features = self.extract_support_feat(images.flatten(0, 1))[-1]
        features = features.unflatten(0, images.shape[:2])
        return self.head.encode_support(features, keypoints, visible)

    def match_query(
        self, images: Tensor, support: SupportEncoding
    ) -> HeadOutput:
        """Find keypoints; see :class:`EpisodePoseEstimator`."""
        return self.head(self.extract_feat(images)[-1], support)

    def encode_instances(
        self, images: Tensor, keypoints: Tensor, visible: Tensor
    ) -> Codes:
        """Encode images; see :class:`EpisodePoseEstimator`."""
        features = self.extract_feat(images)[-1]
        if self.support_backbone is None:
            support_features = features
        else:
            support_features = self.extract_support_feat(images)[-1]
        return dict(
            query=self.head.project_query(features),
            shot=self.head.pool_shots(support_features, keypoints),
            usable=self.head.usable(keypoints, visible),
        )

    def encode_support_codes(self, codes: Codes) -> SupportEncoding:
        """Bring shots together; see :class:`EpisodePoseEstimator`."""
        return self.head.encode_shots(codes['shot'], codes['usable'])

    def match_codes(
        self, codes: Codes, support: SupportEncoding
    ) -> HeadOutput:
        """Find keypoints; see :class:`EpisodePoseEstimator`."""
        return self.head.match(codes['query'], support)
