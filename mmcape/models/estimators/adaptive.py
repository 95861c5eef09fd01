"""MAML and Fine-tune: a heatmap network that adapts to each support."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from mmpose.registry import MODELS
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from mmcape.models.heads.map_head import MapOutput
from mmcape.typing import EpisodeInputs

from .base import Codes, EpisodePoseEstimator
from .inner_loop import Parameters, call_with, descend, trainable_names


@dataclass(frozen=True)
class AdaptedSupport:
    """Parameters adapted to the supports of a batch."""

    parameters: Sequence[Parameters]
    """One set for each distinct support; names as in the estimator."""
    owner: Sequence[int]
    """Which set serves each of the B queries."""
    valid: Tensor
    """(B, K) bool, keypoints seen in every support image."""

    def rows(self, index: Sequence[int]) -> AdaptedSupport:
        """The supports at these places of the batch."""
        owner = [self.owner[i] for i in index]
        return AdaptedSupport(self.parameters, owner, self.valid[index])


@MODELS.register_module()
class AdaptivePoseEstimator(EpisodePoseEstimator[AdaptedSupport]):
    """Adapts a heatmap network by gradient steps on the support images.

    With ``train_steps`` > 0 this is MAML (Finn et al., 2017): training adapts
    to the support of each episode and minimises the query's loss after the
    steps. With ``train_steps=0`` it is Fine-tune: training minimises the
    loss of the queries of all categories, and only validation and test adapt.

    The papers that report the two for keypoints give no details. Ours:

    - By default the head adapts, and the backbone serves all categories.
    - Steps are plain gradient descent on the head's own loss, averaged over
      the support images, each with the keypoints that it shows.
    - The inner loop runs the head; if anything else adapts, the whole
      network. What it runs computes in the precision of its parameters, since
      gradients of half precision vanish in the inner loop.
    - BatchNorm layers that the inner loop runs, adapted or not, hold their
      running statistics fixed while MAML trains, and all do in validation and
      test: batch statistics of a single support say little, and queries must
      not see each other. Where only the head adapts, those of the backbone
      and the neck train as usual.

    Adapted parameters are new tensors, handed from :meth:`encode_support` to
    :meth:`match_query`; the model's own stay untouched. Episodes of a batch
    adapt on their own.

    Args:
        adapt: Prefixes of the names of the parameters that adapt, e.g.
            'head', or 'backbone.layer4' and 'head', or 'all'. Frozen ones
            (without gradient when the model is built) never do.
        train_steps: Steps on a support in training, 0 for plain training.
        test_steps: Steps on a support in validation and test, 0 for none.
        inner_rate: Size of the steps, positive.
        second_order: Whether training sees how the start changes the
            gradients of the inner loop, or takes them as constants.
        **kwargs: Those of :class:`EpisodePoseEstimator`; the head is a
            :class:`~mmcape.models.heads.KeypointChannelsHead`.

    Raises:
        ValueError: If a number of steps is negative, the rate is not
            positive, or a prefix has no trainable parameter.
    """

    def __init__(
        self,
        *,
        adapt: str | Sequence[str] = 'head',
        train_steps: int,
        test_steps: int,
        inner_rate: float,
        second_order: bool = True,
        **kwargs: Any,
    ) -> None:
        _check_steps(train_steps, test_steps, inner_rate)
        super().__init__(**kwargs)
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
        """Switch modes; MAML's inner loop keeps running statistics."""
        super().train(mode)
        if self.train_steps:
            looped = self.head if self._head_only else self
            for module in looped.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def encode_support(
        self, images: Tensor, keypoints: Tensor, visible: Tensor
    ) -> AdaptedSupport:
        """Adapt to supports; see :class:`EpisodePoseEstimator`.

        Raises:
            ValueError: If K exceeds the head's channels.
        """
        return self._adapt_to_test(
            self._shot_stems(images),
            keypoints,
            self.head.usable(keypoints, visible),
        )

    def match_query(
        self, images: Tensor, support: AdaptedSupport
    ) -> MapOutput:
        """Find keypoints; see :class:`EpisodePoseEstimator`."""
        return self._match(self._stem(images), support)

    def encode_instances(
        self, images: Tensor, keypoints: Tensor, visible: Tensor
    ) -> Codes:
        """Encode images; see :class:`EpisodePoseEstimator`."""
        return dict(
            stem=self._stem(images),
            keypoints=keypoints,
            usable=self.head.usable(keypoints, visible),
        )

    def encode_support_codes(self, codes: Codes) -> AdaptedSupport:
        """Adapt to supports; see :class:`EpisodePoseEstimator`."""
        return self._adapt_to_test(
            codes['stem'], codes['keypoints'], codes['usable']
        )

    def match_codes(self, codes: Codes, support: AdaptedSupport) -> MapOutput:
        """Find keypoints; see :class:`EpisodePoseEstimator`."""
        return self._match(codes['stem'], support)

    def _encode_to_train(self, inputs: EpisodeInputs) -> AdaptedSupport:
        """Adapt by ``train_steps``; without them, the model is as it is."""
        visible = inputs['query_visible']
        if not self.train_steps:
            self.head.check_keypoints(visible.size(1))
            return AdaptedSupport(
                parameters=[{}],
                owner=[0] * len(visible),
                valid=torch.ones_like(visible),
            )
        keypoints = inputs['support_keypoints']
        return self._adapt(
            self._parameters_to_adapt(),
            self._shot_stems(inputs['support_img']),
            keypoints,
            self.head.usable(keypoints, inputs['support_visible']),
            self.train_steps,
            self.second_order,
        )

    def _adapt_to_test(
        self, stems: Tensor, keypoints: Tensor, usable: Tensor
    ) -> AdaptedSupport:
        """``test_steps`` on each support; arguments as in :meth:`_adapt`."""
        start = {
            name: parameter.detach().requires_grad_()
            for name, parameter in self._parameters_to_adapt().items()
        }
        return self._adapt(
            start, stems, keypoints, usable, self.test_steps, False
        )

    def _adapt(
        self,
        start: Parameters,
        stems: Tensor,
        keypoints: Tensor,
        usable: Tensor,
        steps: int,
        second_order: bool,
    ) -> AdaptedSupport:
        """Steps from ``start`` on each support of a batch.

        Args:
            start: Parameters to start from.
            stems: (B, S, ...) from :meth:`_shot_stems`.
            keypoints: (B, S, K, 2) in pixels of the crops.
            usable: (B, S, K) bool, which keypoints count.
            steps: Number of steps.
            second_order: As in :func:`descend`.
        """
        self.head.check_keypoints(keypoints.size(2))
        parameters = []
        for row, shots in enumerate(stems):
            loss = partial(
                self._support_loss,
                inputs=shots,
                keypoints=keypoints[row],
                usable=usable[row],
            )
            parameters.append(
                descend(start, loss, steps, self.inner_rate, second_order)
            )
        owner = range(len(stems))
        return AdaptedSupport(parameters, owner, usable.all(dim=1))

    def _support_loss(
        self,
        parameters: Parameters,
        inputs: Tensor,
        keypoints: Tensor,
        usable: Tensor,
    ) -> Tensor:
        """Loss of one support's shots (S, ...), a scalar."""
        maps = self._adapted_part(parameters, inputs)
        maps = maps[:, : keypoints.size(1)]
        return self.head.map_loss(maps, keypoints, usable)

    def _match(self, stems: Tensor, support: AdaptedSupport) -> MapOutput:
        """Find keypoints in queries (B, ...) from :meth:`_stem`."""
        owner = torch.tensor(support.owner)
        order = owner.argsort(stable=True)
        maps = torch.cat(
            [
                self._adapted_part(parameters, stems[owner == index])
                for index, parameters in enumerate(support.parameters)
            ]
        )
        maps = maps[order.argsort().to(maps.device), : support.valid.size(1)]
        return self.head.read(maps)

    def _parameters_to_adapt(self) -> dict[str, Tensor]:
        return {name: self.get_parameter(name) for name in self._adapted_names}

    def _stem(self, images: Tensor) -> Tensor:
        """What adaptation does not reach: features, or the images."""
        return self.extract_feat(images)[-1] if self._head_only else images

    def _shot_stems(self, images: Tensor) -> Tensor:
        """The same (B, S, ...) of support images (B, S, 3, H, W)."""
        stems = self._stem(images.flatten(0, 1))
        return stems.unflatten(0, images.shape[:2])

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


def _check_steps(train: int, test: int, rate: float) -> None:
    """Refuse steps that cannot be taken, or that do not go downhill.

    Raises:
        ValueError: If a number of steps is negative or the rate not positive.
    """
    for name, steps in (('train_steps', train), ('test_steps', test)):
        if steps < 0:
            raise ValueError(f'{name} must be >= 0, got {steps}')
    if not rate > 0:
        raise ValueError(f'inner_rate must be > 0, got {rate}')
