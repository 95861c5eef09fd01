"""MAML and Fine-tune: a heatmap network that adapts to each support."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from mmpose.utils.typing import ConfigType, OptConfigType, OptMultiConfig
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from mmcape.models.heads.map_head import MapOutput
from mmcape.typing import EpisodeInputs

from .distinct_rows import distinct_rows
from .few_shot import FewShotPoseEstimator
from .inner_loop import (
    Parameters,
    call_with,
    descend,
    trainable_names,
)


@dataclass(frozen=True)
class AdaptedSupport:
    """Parameters adapted to the supports of a batch."""

    parameters: Sequence[Parameters]
    """One set for each distinct support; names as in the estimator."""
    owner: Sequence[int]
    """Which set serves each of the B queries."""
    valid: Tensor
    """(B, K) bool, keypoints seen in every support image."""


@MODELS.register_module()
class AdaptivePoseEstimator(FewShotPoseEstimator):
    """Adapts a heatmap network by gradient steps on the support images.

    With ``train_steps`` > 0 this is MAML (Finn et al., 2017): training adapts
    to the support of each episode and minimises the query's loss after the
    steps. With ``train_steps=0`` it is Fine-tune: training minimises the
    loss of the queries of all categories, and only validation and test adapt.

    The papers that report the two for keypoints give no details. Ours:

    - By default the head adapts, and the backbone serves all categories.
    - Steps are plain gradient descent on the head's own loss, averaged over
      the support images, each with the keypoints that it shows.
    - What adapts, and all that follows it, computes in the precision of its
      parameters, since gradients of half precision vanish in the inner loop.
    - BatchNorm layers inside the adapted parts hold their running statistics
      fixed while MAML trains, and everywhere in validation and test: batch
      statistics of a single support say little, and queries must not see
      each other. Those of other parts train as usual.

    Adapted parameters are new tensors, handed from :meth:`encode_support` to
    :meth:`match_query`; the model's own stay untouched. Episodes of a batch
    adapt on their own, and queries with equal supports share one adaptation.

    Args:
        backbone: Config of the backbone; its last feature map is used.
        head: Config of a
            :class:`~mmcape.models.heads.KeypointChannelsHead`.
        adapt: Prefixes of the names of the parameters that adapt, e.g.
            'head', or 'backbone.layer4' and 'head', or 'all'. Frozen ones
            (without gradient when the model is built) never do.
        train_steps: Steps on a support in training, 0 for plain training.
        test_steps: Steps on a support in validation and test.
        inner_rate: Size of the steps.
        second_order: Whether training sees how the start changes the
            gradients of the inner loop, or takes them as constants.
        neck: Config of a neck, or None.
        data_preprocessor: Config of the data preprocessor.
        train_cfg: Kept for mmpose's interface.
        test_cfg: Kept for mmpose's interface.
        init_cfg: Initialisation, e.g. a checkpoint.

    Raises:
        ValueError: If no parameter is to adapt.
    """

    def __init__(
        self,
        backbone: ConfigType,
        head: ConfigType,
        *,
        adapt: str | Sequence[str] = 'head',
        train_steps: int,
        test_steps: int,
        inner_rate: float,
        second_order: bool = True,
        neck: OptConfigType = None,
        data_preprocessor: OptConfigType = None,
        train_cfg: OptConfigType = None,
        test_cfg: OptConfigType = None,
        init_cfg: OptMultiConfig = None,
    ) -> None:
        super().__init__(
            backbone=backbone,
            head=head,
            neck=neck,
            data_preprocessor=data_preprocessor,
            train_cfg=train_cfg,
            test_cfg=test_cfg,
            init_cfg=init_cfg,
        )
        self.train_steps = train_steps
        self.test_steps = test_steps
        self.inner_rate = inner_rate
        self.second_order = second_order
        self._adapted_names = trainable_names(
            self, (adapt,) if isinstance(adapt, str) else adapt
        )
        self._head_only = all(
            name.startswith('head.') for name in self._adapted_names
        )

    def train(self, mode: bool = True) -> AdaptivePoseEstimator:
        """Switch modes; what MAML adapts keeps its running statistics."""
        super().train(mode)
        if self.train_steps:
            adapted = self.head if self._head_only else self
            for module in adapted.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def encode_support(  # type: ignore[override]
        self, images: Tensor, keypoints: Tensor, visible: Tensor
    ) -> AdaptedSupport:
        """Adapt to annotated support images, as in validation and test.

        Args:
            images: (B, S, 3, H, W) normalised.
            keypoints: (B, S, K, 2) in pixels of the crops.
            visible: (B, S, K) bool.

        Raises:
            ValueError: If K exceeds the head's channels.
        """
        start = {
            name: parameter.detach().requires_grad_()
            for name, parameter in self._parameters_to_adapt().items()
        }
        return self._adapt_all(
            start, images, keypoints, visible, self.test_steps, False
        )

    def match_query(  # type: ignore[override]
        self, images: Tensor, support: AdaptedSupport
    ) -> MapOutput:
        """Find the support's keypoints with the parameters adapted to it.

        Args:
            images: (B, 3, H, W) normalised.
            support: From :meth:`encode_support`, of the same batch size.
        """
        inputs = self._stem(images)
        owner = torch.tensor(support.owner)
        order = owner.argsort(stable=True)
        maps = torch.cat(
            [
                self._adapted_part(parameters, inputs[owner == index])
                for index, parameters in enumerate(support.parameters)
            ]
        )
        maps = maps[order.argsort().to(maps.device), : support.valid.size(1)]
        return self.head.read(maps)

    def loss(
        self, inputs: EpisodeInputs, data_samples: list[PoseDataSample]
    ) -> dict[str, Tensor]:
        """Query losses, after ``train_steps`` on each support if there are.

        Raises:
            ValueError: If K exceeds the head's channels.
        """
        del data_samples
        visible = inputs['query_visible']
        if self.train_steps:
            support = self._adapt_all(
                self._parameters_to_adapt(),
                inputs['support_img'],
                inputs['support_keypoints'],
                inputs['support_visible'],
                self.train_steps,
                self.second_order,
            )
        else:
            self.head.check_keypoints(visible.size(1))
            support = AdaptedSupport(
                parameters=[{}],
                owner=[0] * len(visible),
                valid=torch.ones_like(visible),
            )
        return self.head.loss(
            self.match_query(inputs['query_img'], support),
            support,
            keypoints=inputs['query_keypoints'],
            visible=visible,
        )

    def _encode_distinct(  # type: ignore[override]
        self, inputs: EpisodeInputs
    ) -> AdaptedSupport:
        """Adapt; equal supports are found there."""
        return self.encode_support(
            inputs['support_img'],
            inputs['support_keypoints'],
            inputs['support_visible'],
        )

    def _adapt_all(
        self,
        start: Parameters,
        images: Tensor,
        keypoints: Tensor,
        visible: Tensor,
        steps: int,
        second_order: bool,
    ) -> AdaptedSupport:
        """Steps from ``start`` on each distinct support of a batch."""
        self.head.check_keypoints(keypoints.size(2))
        valid = self.head.usable(keypoints, visible)
        rows, owner = distinct_rows(keypoints, visible, images)
        inputs = self._stem(images[rows].flatten(0, 1))
        inputs = inputs.unflatten(0, (len(rows), images.size(1)))

        parameters = []
        for row, shots in zip(rows, inputs):
            loss = partial(
                self._support_loss,
                inputs=shots,
                keypoints=keypoints[row],
                valid=valid[row],
            )
            parameters.append(
                descend(start, loss, steps, self.inner_rate, second_order)
            )
        return AdaptedSupport(parameters, owner, valid.all(dim=1))

    def _support_loss(
        self,
        parameters: Parameters,
        inputs: Tensor,
        keypoints: Tensor,
        valid: Tensor,
    ) -> Tensor:
        """Loss of one support's shots (S, ...), a scalar."""
        maps = self._adapted_part(parameters, inputs)
        maps = maps[:, : keypoints.size(1)]
        return self.head.map_loss(maps, keypoints, valid)

    def _parameters_to_adapt(self) -> dict[str, Tensor]:
        return {name: self.get_parameter(name) for name in self._adapted_names}

    def _stem(self, images: Tensor) -> Tensor:
        """What adaptation does not reach: features, or the images."""
        return self.extract_feat(images)[-1] if self._head_only else images

    def _adapted_part(self, parameters: Parameters, inputs: Tensor) -> Tensor:
        """Maps (N, max_keypoints, h, w) of what :meth:`_stem` gives."""
        with torch.autocast(inputs.device.type, enabled=False):
            inputs = inputs.to(next(self.head.parameters()).dtype)
            if not self._head_only:
                levels = call_with(
                    self.backbone, 'backbone', parameters, inputs
                )
                if self.with_neck:
                    levels = call_with(self.neck, 'neck', parameters, levels)
                inputs = levels[-1]
            return call_with(self.head, 'head', parameters, inputs)
