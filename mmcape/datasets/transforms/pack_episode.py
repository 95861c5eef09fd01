"""Transformed instances -> what the loader hands over."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.structures import InstanceData
from mmpose.registry import TRANSFORMS

from mmcape.structures import EpisodeDataSample, join_samples


@TRANSFORMS.register_module()
class PackEpisodeInputs(BaseTransform):
    """Packs an episode into tensors and an ``EpisodeDataSample``.

    Required keys: episode, support (list of S instances), query. Result:

    - ``inputs``: ``query_img`` (3, H, W) uint8, ``query_keypoints`` (K, 2) in
      pixels of the crop, ``query_visible`` (K,) bool, and the same of the
      support, (S, ...) each, unless the episode has none.
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
        query = self._pack_sample(results['query'])
        support = [self._pack_sample(one) for one in results['support']]
        inputs = _pack_inputs([results['query']], 'query')
        inputs = {name: value[0] for name, value in inputs.items()}
        if support:
            inputs.update(_pack_inputs(results['support'], 'support'))
        sample = join_samples(results['episode'], query, support)
        return dict(inputs=inputs, data_samples=sample)

    def _pack_sample(self, instance: dict[str, Any]) -> EpisodeDataSample:
        sample = EpisodeDataSample.of(
            {key: instance[key] for key in self.META_KEYS}
        )
        sample.gt_instances = InstanceData(
            bboxes=instance['bbox'],
            keypoints=instance['keypoints'],
            keypoints_visible=instance['keypoints_visible'],
        )
        return sample


def _pack_inputs(
    instances: list[dict[str, Any]], role: str
) -> dict[str, torch.Tensor]:
    """Tensors (number of instances, ...) under the names of a role."""
    images = np.stack([instance['img'] for instance in instances])
    return {
        # channels stay innermost in memory: the model wants them there
        f'{role}_img': torch.from_numpy(images).permute(0, 3, 1, 2),
        f'{role}_keypoints': _stack(instances, 'transformed_keypoints'),
        f'{role}_visible': _stack(instances, 'keypoints_visible') > 0,
    }


def _stack(instances: list[dict[str, Any]], key: str) -> torch.Tensor:
    return torch.from_numpy(
        np.concatenate([i[key] for i in instances])
    ).float()
