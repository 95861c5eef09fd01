"""What a model did with an episode, step by step, ready to be drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmcape.models.layers.attention_record import (
    AttentionRecord,
    record_attention,
)
from mmcape.structures import EpisodeDataSample, points_in_crop

from .crops import Crop, unpack_crops


@dataclass(frozen=True)
class Explanation:
    """An episode, every step of the model's answer, and how it came about.

    Points are in pixels of the query's crop.
    """

    sample: EpisodeDataSample
    """The episode, with its prediction."""
    support: tuple[Crop, ...]
    """S crops."""
    query: Crop
    valid: np.ndarray
    """(K,) bool, keypoints that the model looked for."""
    stages: Mapping[str, np.ndarray]
    """(K, 2) points after each step, by its name; the last is final."""
    scores: np.ndarray
    """(K,) confidences."""
    maps: np.ndarray | None = None
    """(K, h, w) similarity maps or heatmaps."""
    encoder: np.ndarray | None = None
    """(layers, K, h, w) attention of each keypoint to the query image, the
    mean over heads; the rest of 1 went to the keypoints. None where keypoints
    take no part in the encoder, or there is none."""
    decoder: np.ndarray | None = None
    """(layers, K, h, w) the same of the cross-attention; sums to 1."""

    @property
    def points(self) -> np.ndarray:
        """(K, 2) final prediction."""
        return list(self.stages.values())[-1]

    @property
    def counted(self) -> np.ndarray:
        """(K,) bool, keypoints that the metric counts."""
        shown = [crop.visible for crop in (self.query, *self.support)]
        return np.logical_and.reduce(shown)

    def errors(self, stage: str) -> np.ndarray:
        """(K,) distances from the annotation, in units of the box's side."""
        x1, y1, x2, y2 = self.sample.gt_instances.bboxes[0]
        meta = self.sample.metainfo
        pixel = np.divide(meta['input_scale'], meta['input_size'])
        away = (self.stages[stage] - self.query.keypoints) * pixel
        return np.hypot(*away.T) / max(x2 - x1, y2 - y1)


@torch.no_grad()
def explain(model: Any, packed: Mapping[str, Any]) -> Explanation:
    """Let a model answer an episode, and keep how it came to the answer.

    Args:
        model: An estimator, on any device and in any mode, which it keeps.
        packed: An episode as the pipeline packs it:
            :class:`~mmcape.datasets.transforms.PackEpisodeInputs`.
    """
    training = model.training
    model.eval()
    try:
        batch = model.data_preprocessor(
            dict(
                inputs={k: [v] for k, v in packed['inputs'].items()},
                data_samples=[packed['data_samples']],
            )
        )
        if hasattr(model, 'encode_support'):
            found = _answer(model, batch)
        else:
            found = _plain_answer(model, batch)
    finally:
        model.train(training)
    query, support = unpack_crops(
        packed['inputs'], bgr=model.data_preprocessor.bgr_to_rgb
    )
    return Explanation(
        sample=batch['data_samples'][0],
        support=tuple(support),
        query=query,
        **found,
    )


def _answer(model: Any, batch: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of an explanation that the model fills."""
    inputs, codec = batch['inputs'], model.head.codec
    support = model.encode_support(
        inputs['support_img'],
        inputs['support_keypoints'],
        inputs['support_visible'],
    )
    with record_attention(model.head) as record:
        output = model.match_query(inputs['query_img'], support)
    model.store(batch['data_samples'], output, support)
    count, (width, height) = support.valid.size(1), codec.input_size
    encoder, decoder = _attention_maps(
        record, count, output.maps[0, 0].numel(), width / height
    )
    return dict(
        valid=_array(support.valid[0]),
        stages={
            name: _array(codec.decode(points[0].float()))
            for name, points in output.stages.items()
        },
        scores=_array(output.scores[0].float()),
        maps=_array(output.maps[0].float()),
        encoder=encoder,
        decoder=decoder,
    )


def _plain_answer(model: Any, batch: Mapping[str, Any]) -> dict[str, Any]:
    """The same of a model that has nothing but an answer."""
    (sample,) = model(**batch, mode='predict')
    instances = sample.pred_instances
    return dict(
        valid=_array(batch['inputs']['support_visible'][0].all(dim=0)),
        stages=dict(prediction=points_in_crop(sample, instances.keypoints[0])),
        scores=instances.keypoint_scores[0],
    )


def _attention_maps(
    record: AttentionRecord, count: int, cells: int, aspect: float
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Maps (layers, K, h, w) of the encoder and of the decoder.

    Args:
        record: Weights of all attentions of a head.
        count: Number of keypoints K.
        cells: Of the head's maps; patches are as many where no decoder looks
            at them.
        aspect: Width of the crop by its height.
    """
    means = {name: weights[0].mean(dim=0) for name, weights in record.items()}
    decoder = [
        rows
        for name, rows in means.items()
        if name.startswith('decoder') and name.endswith('cross_attn')
    ]
    patches = decoder[0].size(1) if decoder else cells
    encoder = [
        rows[patches:, :patches]
        for name, rows in means.items()
        # others see the patches alone
        if name.startswith('encoder') and rows.size(1) == patches + count
    ]
    return _as_maps(encoder, aspect), _as_maps(decoder, aspect)


def _as_maps(rows: list[Tensor], aspect: float) -> np.ndarray | None:
    if not rows:
        return None
    width = max(1, round((rows[0].size(1) * aspect) ** 0.5))
    return _array(torch.stack(rows).float().unflatten(2, (-1, width)))


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.cpu().numpy()
