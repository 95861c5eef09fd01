"""Annotation files -> annotated instances. No episodes, no metric."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import logging
import os.path as osp
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log
from mmpose.registry import DATASETS
from xtcocotools.coco import COCO

from mmcape.structures import Episode

from .annotation_checks import (
    AnnotationError,
    check_annotations,
    keypoint_counts,
)

SUPER_CATEGORIES = ('humanbody', 'humanface', 'vehicle', 'furniture')


@DATASETS.register_module()
class MP100Dataset(BaseDataset):
    """MP-100, or any COCO-format file with keypoints of several categories.

    A plain list of instances; which of them meet in an episode is chosen by
    the loader's sampler, and the dataset is indexed by
    :class:`~mmcape.structures.Episode`. An instance is kept if it is no crowd
    and has a box of positive size within the image and a labelled keypoint,
    as the benchmark's protocol defines it.

    Args:
        split: 1 to 5, or the super-category left out of training:
            'humanbody', 'humanface', 'vehicle' or 'furniture'. Gives
            ``ann_file`` its default.
        subset: 'train', 'val' or 'test' of the split (super-category splits
            have no 'val').
        ann_file: Annotation file below ``data_root``, instead of a split.
        data_root: Folder of the annotations and images.
        data_prefix: ``img``: folder of the images below ``data_root``.
        on_problems: 'raise' refuses a file with broken annotations or missing
            images, naming all of them. 'report' goes on without these
            instances and says so: episodes then differ from everybody
            else's, as does the logged hash.
        pipeline: Transforms of an episode.
        test_mode: Without effect, kept for mmengine's interface.
        metainfo: Added to the dataset's meta information.
        lazy_init: Whether to read the annotations at first use.

    Raises:
        AnnotationError: See ``on_problems``.
    """

    METAINFO = dict(dataset_name='mp100')

    def __init__(
        self,
        split: int | str | None = None,
        subset: str = 'train',
        ann_file: str = '',
        data_root: str = 'data/mp100',
        data_prefix: dict[str, str] | None = None,
        on_problems: str = 'raise',
        pipeline: Sequence[dict | Any] = (),
        test_mode: bool = False,
        metainfo: dict | None = None,
        lazy_init: bool = False,
    ) -> None:
        if on_problems not in ('raise', 'report'):
            raise ValueError(
                f"on_problems must be 'raise' or 'report', got {on_problems!r}"
            )
        if (split is None) == (not ann_file):
            raise ValueError('give either `split` or `ann_file`')
        self.on_problems = on_problems
        self.num_samples: int | None = None
        """What ``len`` tells once an evaluation sampler has drawn its list:
        mmengine's loops cut results to ``len(dataset)``."""
        super().__init__(
            ann_file=ann_file or split_file(split, subset),
            metainfo=metainfo,
            data_root=data_root,
            data_prefix=data_prefix or dict(img='images/'),
            pipeline=list(pipeline),
            test_mode=test_mode,
            lazy_init=lazy_init,
        )

    def load_data_list(self) -> list[dict[str, Any]]:
        """One record per kept instance, in image order."""
        content = _read_json(self.ann_file)
        img_root = self.data_prefix['img']
        problems = check_annotations(content, self.ann_file, img_root)
        if problems and self.on_problems == 'raise':
            raise AnnotationError(
                f'{problems.report()}\nRepair them, or set '
                "on_problems='report' to go on without these instances "
                '(the episodes then differ from the published ones)'
            )

        complete = _instances_digest(content)
        if problems:
            content['annotations'] = [
                ann
                for position, ann in enumerate(content['annotations'])
                if position not in problems.bad_annotations
            ]
        self._metainfo.update(
            categories=_categories(content),
            instances_sha256=_instances_digest(content),
        )
        if problems:
            print_log(
                f'{problems.report()}\nGoing on without these instances: the '
                f'list {complete} has become '
                f'{self._metainfo["instances_sha256"]}, and episodes differ '
                'from those of a complete data set',
                logger='current',
                level=logging.WARNING,
            )
        return self._instances(content)

    def _instances(self, content: dict[str, Any]) -> list[dict[str, Any]]:
        with contextlib.redirect_stdout(io.StringIO()):
            coco = COCO(self.ann_file, ann_data=content)
        names = {k: c['name'] for k, c in self._metainfo['categories'].items()}
        records = []
        for image_id in coco.getImgIds():
            (image,) = coco.loadImgs(image_id)
            ann_ids = coco.getAnnIds(imgIds=image_id, iscrowd=False)
            for ann in coco.loadAnns(ann_ids):
                box = clip_box(
                    ann.get('bbox'), image['width'], image['height']
                )
                if box is None or not _is_labelled(ann):
                    continue
                triples = np.array(ann['keypoints'], np.float32).reshape(-1, 3)
                records.append(
                    dict(
                        id=ann['id'],
                        img_id=image_id,
                        img_path=osp.join(
                            self.data_prefix['img'], image['file_name']
                        ),
                        category_id=ann['category_id'],
                        category_name=names[ann['category_id']],
                        num_keypoints=len(triples),
                        bbox=np.array([box], np.float32),
                        keypoints=triples[None, :, :2],
                        keypoints_visible=np.minimum(triples[None, :, 2], 1),
                    )
                )
        return records

    def category_instances(self) -> dict[int, list[int]]:
        """Positions of the instances of each category, in file order."""
        groups: dict[int, list[int]] = {
            key: [] for key in self.metainfo['categories']
        }
        for position in range(self.num_instances):
            record = self.get_data_info(position)
            groups[record['category_id']].append(position)
        return groups

    @property
    def num_instances(self) -> int:
        """Number of kept instances."""
        return super().__len__()

    def __len__(self) -> int:
        return self.num_samples or self.num_instances

    def __getitem__(self, episode: Episode) -> dict[str, Any]:
        if not isinstance(episode, Episode):
            raise TypeError(
                f'MP100Dataset is indexed by Episode, got {episode!r}: give '
                'the loader an episode sampler, or use get_data_info(i) for '
                'an instance'
            )
        self.full_init()
        return self.prepare_data(episode)

    def prepare_data(self, episode: Episode) -> dict[str, Any]:
        """Send an episode's instances through the pipeline."""
        return self.pipeline(
            dict(
                episode=episode,
                support=[self.get_data_info(i) for i in episode.support],
                query=self.get_data_info(episode.query),
            )
        )


def split_file(split: int | str | None, subset: str) -> str:
    """Annotation file of a split of MP-100, below the data root.

    Raises:
        ValueError: If there is no such split or subset.
    """
    if split in SUPER_CATEGORIES and subset in ('train', 'test'):
        return f'cross_category_annotations/fewshot_{subset}_{split}.json'
    if split in range(1, 6) and subset in ('train', 'val', 'test'):
        return f'annotations/mp100_split{split}_{subset}.json'
    raise ValueError(
        f'MP-100 has no subset {subset!r} of split {split!r}: splits are 1 to '
        "5 with 'train', 'val' and 'test', and "
        f"{', '.join(SUPER_CATEGORIES)} with 'train' and 'test'"
    )


def clip_box(
    bbox: Sequence[float] | None, width: float, height: float
) -> tuple[float, float, float, float] | None:
    """Box (x, y, w, h) -> corners within the image; None if nothing is left.

    As published, a box ends at its last pixel: one inside the image loses 1
    in width and height.
    """
    if bbox is None:
        return None
    x, y, w, h = bbox
    x1, y1 = max(0, x), max(0, y)
    x2 = min(width - 1, x1 + max(0, w - 1))
    y2 = min(height - 1, y1 + max(0, h - 1))
    return (x1, y1, x2, y2) if x2 > x1 and y2 > y1 else None


def _is_labelled(ann: dict[str, Any]) -> bool:
    return (
        ann.get('area', 1) > 0
        and max(ann.get('keypoints') or [0]) > 0
        and ann.get('num_keypoints') != 0
    )


def _read_json(path: str) -> Any:
    try:
        with open(path, encoding='utf-8') as file:
            return json.load(file)
    except FileNotFoundError:
        raise FileNotFoundError(
            f'annotation file {path} is missing: set `data_root` (and '
            '`ann_file` or `split`) to where the data set lies'
        ) from None
    except ValueError as error:
        raise AnnotationError(f'{path} is not valid JSON: {error}') from error


def _categories(content: dict[str, Any]) -> dict[int, dict[str, Any]]:
    counts = keypoint_counts(content)
    return {
        category['id']: dict(
            name=category.get('name', str(category['id'])),
            num_keypoints=counts[category['id']],
            keypoint_names=list(category.get('keypoints') or []),
            skeleton=zero_based_skeleton(
                category.get('skeleton') or [], counts[category['id']]
            ),
        )
        for category in content['categories']
    }


def zero_based_skeleton(
    edges: Sequence[Sequence[int]], num_keypoints: int
) -> list[tuple[int, int]]:
    """Edges as pairs of positions; those of no keypoint are left out.

    COCO counts keypoints from 1, the later edition of MP-100's annotations
    from 0: a file that names a keypoint 0 is one of these.
    """
    first = 0 if any(0 in edge for edge in edges) else 1
    pairs = [(start - first, end - first) for start, end in edges]
    return [pair for pair in pairs if max(pair) < num_keypoints]


def _instances_digest(content: dict[str, Any]) -> str:
    """SHA-256 of the annotations as they are in the file, in its order."""
    digest = hashlib.sha256()
    names = {
        image['id']: image.get('file_name') for image in content['images']
    }
    for ann in content['annotations']:
        entry = [
            ann['id'],
            names.get(ann.get('image_id')),
            ann.get('category_id'),
            ann.get('bbox'),
            ann.get('keypoints'),
        ]
        digest.update(json.dumps(entry).encode() + b'\n')
    return digest.hexdigest()
