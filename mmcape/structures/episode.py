"""An episode, and the sample that carries one through mmpose."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample


@dataclass(frozen=True)
class Episode:
    """Support instances and one query instance of a category.

    Instances are named by their position in the dataset.
    """

    index: int
    """Position in the epoch's or the benchmark's list."""
    category_id: int
    support: tuple[int, ...]
    query: int
    draw: int = 0
    """Which support draw of the category this is; queries share it."""
    seed: int = 0
    """Seed of the episode's augmentation."""
    broken_images: tuple[tuple[str, str], ...] = ()
    """Files that could not be read, and why, if this episode stands in for
    one that has them."""


class EpisodeDataSample(PoseDataSample):
    """A query's :class:`PoseDataSample` with its support beside it.

    ``gt_instances`` and ``pred_instances`` are the query's. Additional field:
    ``support_instances`` (InstanceData of length S) with ``keypoints``
    (S, K, 2) in pixels of the original images, ``keypoints_visible`` (S, K)
    and ``bboxes`` (S, 4).

    Metainfo names the episode (``episode_index``, ``draw``, ``category_id``,
    ``support_ids`` and ``id``, which are annotation ids) and the crop
    (``input_size``, ``input_center``, ``input_scale``). ``broken_images`` is
    that of :class:`Episode`.
    """

    @classmethod
    def of(cls, metainfo: Mapping[str, Any]) -> EpisodeDataSample:
        """Sample with metainfo that belongs to nobody else.

        The constructor copies every value deeply, which takes a tenth of a
        loader's time.
        """
        sample = cls()
        for name, value in metainfo.items():
            sample.set_field(value, name, field_type='metainfo')
        return sample

    @property
    def support_instances(self) -> InstanceData:
        """Annotated support instances."""
        return self._support_instances

    @support_instances.setter
    def support_instances(self, value: InstanceData) -> None:
        self.set_field(value, '_support_instances', dtype=InstanceData)

    @support_instances.deleter
    def support_instances(self) -> None:
        del self._support_instances


def join_samples(
    episode: Episode,
    query: EpisodeDataSample,
    support: Sequence[EpisodeDataSample],
) -> EpisodeDataSample:
    """Sample of a pair from those of its instances.

    Args:
        episode: The pair.
        query: Annotation and metainfo of the query alone; not changed.
        support: The same of S support instances.
    """
    sample = EpisodeDataSample.of(
        dict(
            query.metainfo,
            episode_index=episode.index,
            draw=episode.draw,
            broken_images=episode.broken_images,
            support_ids=tuple(one.metainfo['id'] for one in support),
            support_img_paths=tuple(
                one.metainfo['img_path'] for one in support
            ),
        )
    )
    sample.gt_instances = query.gt_instances
    if support:
        sample.support_instances = InstanceData.cat(
            [one.gt_instances for one in support]
        )
    return sample


def store_prediction(
    sample: PoseDataSample, points: np.ndarray, scores: np.ndarray
) -> None:
    """Write a prediction into ``sample.pred_instances``.

    Args:
        sample: The query, whose metainfo holds the crop.
        points: (K or more, 2) in pixels of the crop.
        scores: (K or more,) confidences.
    """
    count = sample.metainfo['num_keypoints']
    centre, scale, step = _crop_frame(sample)
    keypoints = points[:count] * step + centre - scale / 2
    sample.pred_instances = InstanceData(
        keypoints=keypoints[None].astype(np.float32),
        keypoint_scores=scores[None, :count].astype(np.float32),
    )


def points_in_crop(
    sample: PoseDataSample, keypoints: np.ndarray
) -> np.ndarray:
    """Keypoints (K, 2) of the original image, in pixels of the crop."""
    centre, scale, step = _crop_frame(sample)
    return (keypoints - centre + scale / 2) / step


def _crop_frame(sample: PoseDataSample) -> tuple[np.ndarray, ...]:
    """Centre, size and pixel size (2,) of a crop in the original image."""
    centre, scale, size = (
        np.asarray(sample.metainfo[key], dtype=np.float32)
        for key in ('input_center', 'input_scale', 'input_size')
    )
    return centre, scale, scale / size


def episodes_digest(
    episodes: Iterable[tuple[int, tuple[int, ...], int]],
) -> str:
    """SHA-256 of a list of (category id, support ids, query id) in order."""
    digest = hashlib.sha256()
    for category, support, query in episodes:
        shots = ','.join(map(str, support))
        digest.update(f'{category}:{shots}:{query}\n'.encode())
    return digest.hexdigest()
