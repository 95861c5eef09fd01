"""ProtoNet: keypoints found by the likeness of backbone features."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from mmpose.registry import MODELS
from mmpose.utils.typing import ConfigType
from torch import Tensor, nn

from .base import SupportEncoding, SupportMatching
from .map_head import MapHead, MapOutput

METRICS = ('cosine', 'squared_distance')


@MODELS.register_module()
class ProtoNetHead(SupportMatching[MapOutput], MapHead):
    """Compares every place of the query with one prototype per keypoint.

    A prototype is the support's backbone feature under the keypoint's
    Gaussian, the mean over the shots. The similarity with each place of the
    query's feature map is the keypoint's map. There is nothing to learn but
    the backbone and, if wanted, the temperature.

    The papers that report ProtoNet (Snell et al., 2017) for keypoints say no
    more than that. Ours are: cosine similarity, which needs no scale of the
    features and works with ImageNet features untrained; maps at the
    resolution of the feature map; and training by cross-entropy over their
    cells, as the original classifies among prototypes. All this stays in the
    precision of the temperature under autocast: divided by it, bfloat16 would
    round similarities to steps of an eighth.

    Args:
        codec: Config of the keypoint codec.
        metric: 'cosine', or 'squared_distance' for the negative squared
            Euclidean distance of the original.
        temperature: Similarities are divided by it.
        learn_temperature: Whether training adapts the temperature, as its
            logarithm.
        pooling: Config of the support pooling.
        heatmap_loss: As in :class:`~mmcape.models.heads.MapHead`.
        decoding: As in :class:`~mmcape.models.heads.MapHead`.

    Raises:
        ValueError: If there is no such metric or decoding, or the
            temperature is not positive.
    """

    def __init__(
        self,
        *,
        codec: ConfigType,
        metric: str = 'cosine',
        temperature: float = 0.05,
        learn_temperature: bool = True,
        pooling: ConfigType | None = None,
        heatmap_loss: ConfigType | None = None,
        decoding: str = 'argmax',
    ) -> None:
        super().__init__(codec, heatmap_loss, decoding)
        if metric not in METRICS:
            raise ValueError(f'metric is {metric!r}, not in {METRICS}')
        if temperature <= 0:
            raise ValueError(f'temperature must be > 0, got {temperature}')
        self.metric = metric
        self.log_temperature = nn.Parameter(
            torch.tensor(math.log(temperature)),
            requires_grad=learn_temperature,
        )
        self.pooling = MODELS.build(pooling or dict(type='KeypointPooling'))

    def match(self, query: Tensor, support: SupportEncoding) -> MapOutput:
        """Compare places with prototypes; see :class:`SupportMatching`."""
        dtype = self.log_temperature.dtype
        with torch.autocast(query.device.type, enabled=False):
            similarity = self._compare(
                query.flatten(2).to(dtype), support.tokens.to(dtype)
            )
            similarity = similarity / self.log_temperature.exp()
        return self.read(similarity.unflatten(2, query.shape[-2:]))

    def _compare(self, places: Tensor, prototypes: Tensor) -> Tensor:
        """Similarity (B, K, N) of prototypes (B, K, C), places (B, C, N)."""
        if self.metric == 'cosine':
            return F.normalize(prototypes, dim=2) @ F.normalize(places, dim=1)
        return (
            2 * prototypes @ places
            - places.square().sum(dim=1, keepdim=True)
            - prototypes.square().sum(dim=2, keepdim=True)
        )
