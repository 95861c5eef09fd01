"""What estimators over episodes share: encode supports, match queries."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from mmpose.models.pose_estimators.base import BasePoseEstimator
from mmpose.structures import PoseDataSample
from mmpose.utils.typing import ConfigType, OptConfigType, OptMultiConfig
from torch import Tensor

from mmcape.models.heads.base import EncodedSupport, HeadOutput
from mmcape.models.initial_weights import check_initial_weights
from mmcape.structures import store_prediction
from mmcape.typing import EpisodeInputs

from .distinct_rows import distinct_rows

Codes = Mapping[str, Tensor]
Support = TypeVar('Support', bound=EncodedSupport)


class EpisodePoseEstimator(
    BasePoseEstimator, Generic[Support], metaclass=ABCMeta
):
    """Finds a support's keypoints in query images.

    Training and inference call the same two steps: :meth:`encode_support`
    once for an annotated support and :meth:`match_query` for any number of
    query images. A benchmark, where an image is part of many episodes, calls
    :meth:`encode_instances` once for all images, and then
    :meth:`encode_support_codes` and :meth:`match_codes`.

    Args:
        backbone: Config of the backbone. Its last feature map is used.
        head: Config of the head.
        neck: Config of a neck, or None; shared by support and query.
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

    def init_weights(self) -> None:
        """Draw the initial weights, and load those of ``init_cfg``.

        Raises:
            CheckpointError: If a checkpoint is not one of its part.
        """
        check_initial_weights(self)
        super().init_weights()

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

    @abstractmethod
    def encode_support(
        self, images: Tensor, keypoints: Tensor, visible: Tensor
    ) -> Support:
        """Encode annotated support images.

        Args:
            images: (B, S, 3, H, W) normalised.
            keypoints: (B, S, K, 2) in pixels of the crops.
            visible: (B, S, K) bool.
        """

    @abstractmethod
    def match_query(self, images: Tensor, support: Support) -> HeadOutput:
        """Find the support's keypoints.

        Args:
            images: (B, 3, H, W) normalised.
            support: From :meth:`encode_support`, of the same batch size.
        """

    @abstractmethod
    def encode_instances(
        self, images: Tensor, keypoints: Tensor, visible: Tensor
    ) -> Codes:
        """All that matching needs of images, as support or as query.

        Args:
            images: (N, 3, H, W) normalised.
            keypoints: (N, K, 2) in pixels of the crops.
            visible: (N, K) bool.

        Returns:
            Tensors (N, ...); where they go by keypoints, (N, K, ...).
        """

    @abstractmethod
    def encode_support_codes(self, codes: Codes) -> Support:
        """:meth:`encode_support`, given codes (B, S, ...) of the images."""

    @abstractmethod
    def match_codes(self, codes: Codes, support: Support) -> HeadOutput:
        """:meth:`match_query`, given codes (B, ...) of the images."""

    def loss(
        self, inputs: EpisodeInputs, data_samples: list[PoseDataSample]
    ) -> dict[str, Tensor]:
        """Losses of a batch of episodes, one query each."""
        del data_samples
        support = self._encode_to_train(inputs)
        return self.head.loss(
            self.match_query(inputs['query_img'], support),
            support,
            keypoints=inputs['query_keypoints'],
            visible=inputs['query_visible'],
        )

    def predict(
        self, inputs: EpisodeInputs, data_samples: list[PoseDataSample]
    ) -> list[PoseDataSample]:
        """Predictions in pixels of the original query images."""
        images = inputs['support_img']
        keypoints = inputs['support_keypoints']
        visible = inputs['support_visible']
        rows, owner = distinct_rows(keypoints, visible, images)
        support = self.encode_support(
            images[rows], keypoints[rows], visible[rows]
        ).rows(owner)
        output = self.match_query(inputs['query_img'], support)
        return self.store(data_samples, output, support)

    def answer(
        self, output: HeadOutput, support: Support
    ) -> tuple[Tensor, Tensor]:
        """What an output says of B queries.

        Returns:
            (B, K, 2) keypoints in pixels of the crops, and (B, K) scores, 0
            for keypoints that the support does not show.
        """
        keypoints = self.head.codec.decode(output.points.float())
        return keypoints, output.scores.float() * support.valid

    def store(
        self,
        data_samples: list[PoseDataSample],
        output: HeadOutput,
        support: Support,
    ) -> list[PoseDataSample]:
        """Write an output into the samples of its queries.

        Args:
            data_samples: The B queries.
            output: Of B queries.
            support: Of B queries.
        """
        keypoints, scores = self.answer(output, support)
        for sample, points, score in zip(
            data_samples, keypoints.cpu().numpy(), scores.cpu().numpy()
        ):
            store_prediction(sample, points, score)
        return data_samples

    def _forward(self, inputs: EpisodeInputs) -> HeadOutput:
        """Raw output, for mode 'tensor'."""
        return self.match_query(inputs['query_img'], self._encode(inputs))

    def _encode(self, inputs: EpisodeInputs) -> Support:
        return self.encode_support(
            inputs['support_img'],
            inputs['support_keypoints'],
            inputs['support_visible'],
        )

    def _encode_to_train(self, inputs: EpisodeInputs) -> Support:
        """Encode the supports of training episodes."""
        return self._encode(inputs)
