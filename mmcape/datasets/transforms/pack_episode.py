"""Transformed instances -> what the loader hands over."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.structures import InstanceData
from mmpose.datasets.transforms.formatting import image_to_tensor
from mmpose.registry import TRANSFORMS

from mmcape.structures import EpisodeDataSample


@TRANSFORMS.register_module()
class PackEpisodeInputs(BaseTransform):
    """Packs an episode into tensors and an ``EpisodeDataSample``.

    Required keys: episode, support (list of S instances), query. Result:

    - ``inputs``: ``support_img`` (S, 3, H, W) and ``query_img`` (3, H, W)
      uint8; ``support_keypoints`` (S, K, 2) and ``query_keypoints`` (K, 2) in
      pixels of the crops; ``support_visible`` (S, K) and ``query_visible``
      (K,) bool.
    - ``data_samples``: the episode's names and annotations.
    """

    META_KEYS = (
        'id',
        'img_id',
        'img_path',
        'category_id',
        'category_name',
        'num_keypoints',
        'ori_shape',
        'input_size',
        'input_center',
        'input_scale',
    )

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Pack one episode."""
        support, query = results['support'], results['query']
        inputs = dict(
            support_img=torch.stack(
                [image_to_tensor(s['img']) for s in support]
            ),
            support_keypoints=_stack(support, 'transformed_keypoints'),
            support_visible=_stack(support, 'keypoints_visible') > 0,
            query_img=image_to_tensor(query['img']),
            query_keypoints=_stack([query], 'transformed_keypoints')[0],
            query_visible=_stack([query], 'keypoints_visible')[0] > 0,
        )

        sample = EpisodeDataSample()
        sample.gt_instances = _annotated([query])
        sample.support_instances = _annotated(support)
        episode = results['episode']
        sample.set_metainfo(
            dict(
                {key: query[key] for key in self.META_KEYS},
                episode_index=episode.index,
                draw=episode.draw,
                support_ids=tuple(s['id'] for s in support),
                support_img_paths=tuple(s['img_path'] for s in support),
            )
        )
        return dict(inputs=inputs, data_samples=sample)


def _stack(instances: list[dict[str, Any]], key: str) -> torch.Tensor:
    return torch.from_numpy(
        np.concatenate([i[key] for i in instances])
    ).float()


def _annotated(instances: list[dict[str, Any]]) -> InstanceData:
    return InstanceData(
        bboxes=np.concatenate([i['bbox'] for i in instances]),
        keypoints=np.concatenate([i['keypoints'] for i in instances]),
        keypoints_visible=np.concatenate(
            [i['keypoints_visible'] for i in instances]
        ),
    )
