"""The two steps of a model as modules of tensors alone.

Letters as in :mod:`mmcape.typing`. Crops are as OpenCV and the pipelines have
them, uint8 in BGR order; the modules normalise them.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from mmcape.models.data_preprocessor import EpisodeDataPreprocessor
from mmcape.models.estimators import FewShotPoseEstimator
from mmcape.models.heads import SupportEncoding
from mmcape.utils.input_error import InputError


class Step(nn.Module):
    """One step of a model.

    Args:
        model: In evaluation mode.
    """

    def __init__(self, model: FewShotPoseEstimator) -> None:
        super().__init__()
        self.model = model


class SupportEncoder(Step):
    """The step that looks at the support; arguments as in :class:`Step`."""

    def forward(
        self, crops: Tensor, keypoints: Tensor, visible: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Encode supports.

        Args:
            crops: (B, S, 3, H, W) uint8 BGR.
            keypoints: (B, S, K, 2) in pixels of the crops.
            visible: (B, S, K) bool.

        Returns:
            The support code, (B, K, C) tokens and (B, K) bool, which
            keypoints every shot shows.
        """
        images = self.model.data_preprocessor.normalize(crops)
        support = self.model.encode_support(images, keypoints, visible)
        return support.tokens, support.valid


class QueryMatcher(Step):
    """The step that looks at the queries; arguments as in :class:`Step`."""

    def forward(
        self, crops: Tensor, tokens: Tensor, valid: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Find keypoints.

        Args:
            crops: (B, 3, H, W) uint8 BGR.
            tokens: (B, K, C) from :class:`SupportEncoder`.
            valid: (B, K) bool, from there as well.

        Returns:
            (B, K, 2) keypoints in pixels of the crops and (B, K) scores, 0
            where ``valid`` is not.
        """
        images = self.model.data_preprocessor.normalize(crops)
        support = SupportEncoding(tokens, valid)
        return self.model.answer(
            self.model.match_query(images, support), support
        )


def check_exportable(model: Any) -> None:
    """Refuse a model that is not made of the two steps.

    Raises:
        InputError: If it adapts to a support by gradients, or prepares its
            input in a way of its own.
    """
    if not isinstance(model, FewShotPoseEstimator):
        raise InputError(
            f'{type(model).__name__} (MAML, Fine-tune) adapts its weights to '
            'each support by gradient steps, which no ONNX graph can hold: '
            'export a CapeFormer, POMNet or ProtoNet instead'
        )
    if not isinstance(model.data_preprocessor, EpisodeDataPreprocessor):
        raise InputError(
            'model.data_preprocessor is a '
            f'{type(model.data_preprocessor).__name__}: export needs an '
            'EpisodeDataPreprocessor, whose normalisation goes into the files'
        )
