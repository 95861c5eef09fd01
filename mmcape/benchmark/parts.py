"""Parts of evaluation and training: the published way and ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mmcape.models.estimators import FewShotPoseEstimator
from mmcape.testing import make_episode_batch
from mmcape.typing import EpisodeInputs

from .plain_procedure import NUM_KEYPOINTS, plain_attention, plain_model
from .timing import Comparison, medians

QUERIES = 15
"""Queries that share a support in the benchmark."""


@dataclass(frozen=True)
class Setting:
    """What is measured and how."""

    model: FewShotPoseEstimator
    """In evaluation mode, on the device."""
    keypoints: int
    """K of an episode."""
    repeats: int
    bfloat16: bool
    """Whether ours runs under autocast; the published way is float32."""

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    def episodes(
        self, batch: int, shots: int = 1, keypoints: int | None = None
    ) -> EpisodeInputs:
        """Random episodes on the device."""
        inputs, _ = make_episode_batch(
            batch,
            shots,
            keypoints or self.keypoints,
            size=self.model.head.codec.input_size,
        )
        moved: Any = {
            name: value.to(self.device)  # type: ignore[attr-defined]
            for name, value in inputs.items()
        }
        return moved

    def ours(self, call: Callable[[], object]) -> Callable[[], object]:
        """The call under autocast, if that is wanted."""

        def run() -> object:
            kind = self.device.type
            with torch.autocast(
                kind, dtype=torch.bfloat16, enabled=self.bfloat16
            ):
                return call()

        return run


def published(call: Callable[[], object]) -> Callable[[], object]:
    """The call without fused attention."""

    def run() -> object:
        with plain_attention():
            return call()

    return run


@torch.no_grad()
def pooling(setting: Setting) -> Comparison:
    """One support's features to keypoint tokens."""
    model, plain = setting.model, plain_model(setting.model)
    few = setting.episodes(1)
    many = setting.episodes(1, keypoints=NUM_KEYPOINTS)
    features = model.extract_support_feat(few['support_img'][:, 0])[-1]
    times = medians(
        dict(
            plain=lambda: plain.head.pool_shots(
                features, many['support_keypoints'][:, 0]
            ),
            ours=lambda: model.head.pool_shots(
                features, few['support_keypoints'][:, 0]
            ),
        ),
        setting.repeats,
    )
    return Comparison('pooling', 'a support', **times)


@torch.no_grad()
def backbone(setting: Setting) -> Comparison:
    """An image: alone and in float32, or in a batch."""
    model = setting.model
    images = setting.episodes(16)['query_img']
    ours = setting.ours(lambda: model.extract_feat(images))
    times = medians(
        dict(plain=lambda: model.extract_feat(images[:1]), ours=ours),
        setting.repeats,
    )
    return Comparison(
        'backbone', 'an image', times['plain'], times['ours'] / len(images)
    )


@torch.no_grad()
def head(setting: Setting, pairs: int = 2 * QUERIES) -> Comparison:
    """Features to points, pooling included, for one pair."""
    model, plain = setting.model, plain_model(setting.model)
    many = setting.episodes(1, keypoints=NUM_KEYPOINTS)
    query = model.extract_feat(many['query_img'])[-1]
    shot = model.extract_support_feat(many['support_img'][:, 0])[-1]
    codes = encode(setting, pairs)

    def plain_pair() -> object:
        support = plain.head.encode_support(
            shot[:, None], many['support_keypoints'], many['support_visible']
        )
        return plain.head(query, support)

    times = medians(
        dict(
            plain=published(plain_pair),
            ours=setting.ours(lambda: match(setting, codes)),
        ),
        setting.repeats,
    )
    return Comparison('head', 'a pair', times['plain'], times['ours'] / pairs)


@torch.no_grad()
def pair(setting: Setting, shots: int) -> float:
    """Seconds of the published procedure for one pair."""
    plain = plain_model(setting.model)
    inputs = setting.episodes(1, shots, NUM_KEYPOINTS)
    call = published(lambda: plain(inputs, None))
    return medians(dict(plain=call), setting.repeats)['plain']


@torch.no_grad()
def evaluation(
    setting: Setting, shots: int, instances: int, pairs: int
) -> Comparison:
    """All of a test, from the times of its parts.

    Args:
        setting: What is measured.
        shots: Support images of an episode.
        instances: Annotated instances of the test.
        pairs: Pairs of the test.
    """
    images = setting.episodes(16, keypoints=setting.keypoints)
    codes = encode(setting, 2 * QUERIES, shots)
    times = medians(
        dict(
            encode=setting.ours(
                lambda: setting.model.encode_instances(
                    images['query_img'],
                    images['query_keypoints'],
                    images['query_visible'],
                )
            ),
            match=setting.ours(lambda: match(setting, codes)),
        ),
        setting.repeats,
    )
    ours = (
        times['encode'] / 16 * instances
        + times['match'] / (2 * QUERIES) * pairs
    )
    return Comparison(
        'evaluation', f'{shots}-shot', pair(setting, shots) * pairs, ours
    )


@torch.no_grad()
def interactive(setting: Setting) -> Comparison:
    """A query whose support is known, in backbone passes as well."""
    model, plain = setting.model, plain_model(setting.model)
    inputs = setting.episodes(1)
    many = setting.episodes(1, keypoints=NUM_KEYPOINTS)
    support = model.encode_support(
        inputs['support_img'],
        inputs['support_keypoints'],
        inputs['support_visible'],
    )
    times = medians(
        dict(
            plain=published(lambda: plain(many, None)),
            ours=setting.ours(
                lambda: model.match_query(inputs['query_img'], support)
            ),
            backbone=setting.ours(
                lambda: model.extract_feat(inputs['query_img'])
            ),
        ),
        setting.repeats,
    )
    passes = times['ours'] / times.pop('backbone')
    return Comparison(
        'interactive', f'a query: {passes:.2f} backbone passes', **times
    )


def training_step(setting: Setting, batch: int) -> Comparison:
    """Loss and gradients of a batch, without the loader."""
    model = setting.model
    plain = plain_model(model).to(memory_format=torch.contiguous_format)
    few, many = (
        setting.episodes(batch, keypoints=count)
        for count in (setting.keypoints, NUM_KEYPOINTS)
    )

    def step(estimator: FewShotPoseEstimator, inputs: EpisodeInputs) -> None:
        losses = estimator.loss(inputs, [])
        total = sum(v for k, v in losses.items() if k.startswith('loss'))
        assert isinstance(total, Tensor)
        estimator.zero_grad()
        total.backward()

    plain.train(), model.train()
    times = medians(
        dict(
            plain=published(lambda: step(plain, many)),
            ours=setting.ours(lambda: step(model, few)),
        ),
        setting.repeats,
    )
    model.eval()
    return Comparison('training step', f'batch {batch}', **times)


def encode(
    setting: Setting, pairs: int, shots: int = 1, queries: int = QUERIES
) -> tuple[Any, Any, list[int]]:
    """Codes of supports and queries, and each query's support."""
    model = setting.model
    supports = -(-pairs // queries)
    inputs = setting.episodes(supports, shots)
    codes = model.encode_instances(
        inputs['support_img'].flatten(0, 1),
        inputs['support_keypoints'].flatten(0, 1),
        inputs['support_visible'].flatten(0, 1),
    )
    support = {
        name: value.unflatten(0, (supports, shots))
        for name, value in codes.items()
    }
    owner = [row // queries for row in range(pairs)]
    rows = [row % (supports * shots) for row in range(pairs)]
    return support, {name: code[rows] for name, code in codes.items()}, owner


def match(setting: Setting, codes: tuple[Any, Any, list[int]]) -> object:
    """Run the head on encoded pairs."""
    support_codes, query_codes, owner = codes
    support = setting.model.encode_support_codes(support_codes)
    return setting.model.match_codes(query_codes, support.rows(owner))
