"""Supports encoded by a head that matches them with queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmpose.registry import MODELS
from mmpose.utils.typing import OptConfigType
from torch import Tensor

from mmcape.models.heads import HeadOutput, SupportEncoding
from mmcape.typing import EpisodeInputs

from .base import EpisodePoseEstimator
from .distinct_rows import distinct_rows


@MODELS.register_module()
class FewShotPoseEstimator(EpisodePoseEstimator[SupportEncoding]):
    """Leaves both steps to its head.

    CapeFormer, POMNet and ProtoNet differ in the head alone.

    Args:
        support_backbone: Config of a backbone of its own for the support, or
            None to share ``backbone``.
        **kwargs: Those of :class:`EpisodePoseEstimator`; the head is a
            :class:`~mmcape.models.heads.FewShotHead`, or offers the same.
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

    def _encode_to_predict(self, inputs: EpisodeInputs) -> SupportEncoding:
        """Encode each support once, however many queries share it."""
        images = inputs['support_img']
        keypoints = inputs['support_keypoints']
        visible = inputs['support_visible']
        rows, owner = distinct_rows(keypoints, visible, images)
        support = self.encode_support(
            images[rows], keypoints[rows], visible[rows]
        )
        return support.rows(owner)
