"""What all heads have in common: supports in, points out."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import torch
from mmengine.model import BaseModule
from mmpose.registry import KEYPOINT_CODECS, MODELS
from mmpose.utils.typing import ConfigType, OptConfigType
from torch import Tensor, nn
from typing_extensions import Self

from mmcape.models.layers.positional_encoding import encode_grid


@dataclass(frozen=True)
class SupportEncoding:
    """What matching needs of the support images."""

    tokens: Tensor
    """(B, K, C) keypoint tokens."""
    valid: Tensor
    """(B, K) bool, keypoints seen in every support image."""

    def rows(self, index: Sequence[int]) -> SupportEncoding:
        """The supports at these places of the batch."""
        return SupportEncoding(self.tokens[index], self.valid[index])


class EncodedSupport(Protocol):
    """What the estimator needs of an encoded support."""

    @property
    def valid(self) -> Tensor:
        """(B, K) bool, keypoints seen in every support image."""

    def rows(self, index: Sequence[int]) -> Self:
        """The supports at these places of the batch."""


class HeadOutput(Protocol):
    """What the estimator needs of a head's answer."""

    @property
    def points(self) -> Tensor:
        """(B, K, 2) final prediction, normalised to the query crop."""

    @property
    def scores(self) -> Tensor:
        """(B, K) confidence."""

    @property
    def stages(self) -> Mapping[str, Tensor]:
        """(B, K, 2) points after each step by name, final ones last."""

    @property
    def maps(self) -> Tensor:
        """(B, K, h, w), high where a keypoint is likely."""


Output = TypeVar('Output', bound=HeadOutput)


class KeypointHead(BaseModule, Generic[Output], metaclass=ABCMeta):
    """Head whose points lie in the frame of a codec.

    Args:
        codec: Config of the keypoint codec.
    """

    max_keypoints: int | None = None
    """The most keypoints of an episode; None for no limit."""

    def __init__(self, codec: ConfigType) -> None:
        super().__init__()
        self.codec = KEYPOINT_CODECS.build(codec)

    def usable(self, keypoints: Tensor, visible: Tensor) -> Tensor:
        """Which keypoints (..., 2), in pixels, a crop shows: (...) bool."""
        return visible & self.codec.in_reach(keypoints)

    def loss(
        self,
        output: Output,
        support: EncodedSupport,
        keypoints: Tensor,
        visible: Tensor,
    ) -> dict[str, Tensor]:
        """Losses against the annotated query.

        Args:
            output: The head's answer.
            support: The encoded support.
            keypoints: (B, K, 2) of the query, in pixels of the crop.
            visible: (B, K) bool.

        Returns:
            One scalar a term, and ``acc_pck`` (:func:`accuracy`) for the log.
        """
        valid = self.usable(keypoints, visible) & support.valid
        target = self.codec.normalize(keypoints)
        losses = self.loss_terms(output, keypoints, valid)
        losses['acc_pck'] = accuracy(output.points, target, valid)
        return losses

    @abstractmethod
    def loss_terms(
        self, output: Output, keypoints: Tensor, valid: Tensor
    ) -> dict[str, Tensor]:
        """What training minimises, one scalar a term.

        Args:
            output: The head's answer.
            keypoints: (B, K, 2) of the query, in pixels of the crop.
            valid: (B, K) bool, which keypoints count.
        """


class SupportMatching(KeypointHead[Output]):
    """What heads share that encode supports once and match any query.

    The two steps are made of smaller ones, so that an image which is the
    support or the query of many episodes need not be looked at again:
    :meth:`pool_shots` and :meth:`project_query` see an image alone,
    :meth:`encode_shots` and :meth:`match` bring images together.
    """

    pooling: nn.Module

    def encode_support(
        self, features: Tensor, keypoints: Tensor, visible: Tensor
    ) -> SupportEncoding:
        """Turn annotated support images into keypoint tokens.

        Args:
            features: (B, S, C, h, w) of the support images.
            keypoints: (B, S, K, 2) in pixels of the crops.
            visible: (B, S, K) bool.
        """
        pooled = self.pool_shots(features, keypoints)
        return self.encode_shots(pooled, self.usable(keypoints, visible))

    def forward(self, features: Tensor, support: SupportEncoding) -> Output:
        """Find the support's keypoints in query images.

        Args:
            features: (B, C, h, w) of the query images.
            support: From :meth:`encode_support`.
        """
        return self.match(self.project_query(features), support)

    def pool_shots(self, features: Tensor, keypoints: Tensor) -> Tensor:
        """Features at the keypoints of images.

        Args:
            features: (..., C, h, w).
            keypoints: (..., K, 2) in pixels of the crops.

        Returns:
            (..., K, C).
        """
        return self.pooling(features, keypoints, self.codec)

    def encode_shots(self, pooled: Tensor, usable: Tensor) -> SupportEncoding:
        """Tokens of keypoints, the mean over shots.

        Args:
            pooled: (B, S, K, C) from :meth:`pool_shots`.
            usable: (B, S, K) bool from :meth:`usable`.
        """
        valid = usable.all(dim=1)
        tokens = pooled.mean(dim=1) * valid.unsqueeze(-1)
        return SupportEncoding(self.project_support(tokens), valid)

    def project_support(self, tokens: Tensor) -> Tensor:
        """Keypoint tokens (B, K, C) in the head's own width."""
        return tokens

    def project_query(self, features: Tensor) -> Tensor:
        """Feature maps (B, C, h, w) in the head's own width."""
        return features

    @abstractmethod
    def match(self, query: Tensor, support: SupportEncoding) -> Output:
        """Find the support's keypoints in projected query images.

        Args:
            query: (B, C, h, w) from :meth:`project_query`.
            support: From :meth:`encode_shots`.
        """


class FewShotHead(SupportMatching[Output]):
    """Head that turns keypoints and query patches into tokens of one width.

    Args:
        in_channels: Channels of the backbone's last feature map.
        codec: Config of the keypoint codec.
        embed_dims: Width of the tokens.
        pooling: Config of the support pooling.
    """

    def __init__(
        self,
        in_channels: int,
        codec: ConfigType,
        embed_dims: int,
        pooling: OptConfigType,
    ) -> None:
        super().__init__(codec)
        self.embed_dims = embed_dims
        self.pooling = MODELS.build(pooling or dict(type='KeypointPooling'))
        self.support_proj = nn.Linear(in_channels, embed_dims)
        self.query_proj = nn.Conv2d(in_channels, embed_dims, kernel_size=1)

    def project_support(self, tokens: Tensor) -> Tensor:
        """Project keypoint tokens; see :class:`SupportMatching`."""
        return self.support_proj(tokens)

    def project_query(self, features: Tensor) -> Tensor:
        """Project feature maps; see :class:`SupportMatching`."""
        return self.query_proj(features)

    def patches(self, query: Tensor) -> tuple[Tensor, Tensor]:
        """Turn projected query images into patches.

        Args:
            query: (B, C, h, w) from :meth:`project_query`.

        Returns:
            (B, h * w, C) tokens and (h * w, C) their position code.
        """
        _, channels, height, width = query.shape
        position = encode_grid((height, width), channels, query.device)
        return query.flatten(2).transpose(1, 2), position


@torch.no_grad()
def accuracy(points: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Share of keypoints within 0.2 of the crop's side, a scalar.

    Args:
        points: (B, K, 2) normalised prediction.
        target: (B, K, 2) normalised ground truth.
        valid: (B, K) bool, which keypoints count.
    """
    distance = (points - target).norm(dim=-1)
    return ((distance < 0.2) & valid).sum() / valid.sum().clamp(min=1)
