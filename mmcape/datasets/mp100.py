"""Annotation files -> annotated instances. No episodes, no metric."""

from __future__ import annotations

import logging
import os.path as osp
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from mmengine.dataset import BaseDataset
from mmengine.logging import print_log
from mmpose.registry import DATASETS

from mmcape.structures import Episode
from mmcape.utils.json_files import JsonError, read_json

from .annotation_checks import AnnotationError, check_annotations
from .episode_replacement import EpisodeReplacement
from .instances import describe_categories, instances_digest, kept_instances
from .transforms import UnreadableImageError

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
        on_broken_image: What happens when an image turns out to be missing or
            cut off while a run goes on. 'stop' ends the run. 'skip', for
            training alone, puts another episode in the place of the one
            that needs the image; :class:`~mmcape.engine.BrokenImageHook`
            counts and reports.
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
        on_broken_image: str = 'stop',
        pipeline: Sequence[dict | Any] = (),
        test_mode: bool = False,
        metainfo: dict | None = None,
        lazy_init: bool = False,
    ) -> None:
        if on_problems not in ('raise', 'report'):
            raise ValueError(
                f"on_problems must be 'raise' or 'report', got {on_problems!r}"
            )
        if on_broken_image not in ('stop', 'skip'):
            raise ValueError(
                "on_broken_image must be 'stop' or 'skip', got "
                f'{on_broken_image!r}'
            )
        if (split is None) == (not ann_file):
            raise ValueError('give either `split` or `ann_file`')
        self.on_problems = on_problems
        self.on_broken_image = on_broken_image
        self._replacement: EpisodeReplacement | None = None
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
        """Records of the kept instances, in image order.

        Raises:
            AnnotationError: If there are problems that ``on_problems`` does
                not allow, or no instance is left.
        """
        content = _read_annotations(self.ann_file)
        img_root = self.data_prefix.get('img', self.data_root)
        problems = check_annotations(content, self.ann_file, img_root)
        if problems and self.on_problems == 'raise':
            raise AnnotationError(
                f'{problems.report()}\nRepair them, or set '
                "on_problems='report' to go on without these instances "
                '(the episodes then differ from the published ones)'
            )

        content = problems.usable(content)
        records = kept_instances(content)
        if not records:
            raise AnnotationError(
                f'{problems.report()}\n{self.ann_file} has no instance that '
                'can be used: each needs a box and a labelled keypoint'
            )
        for record in records:
            record['img_path'] = osp.join(img_root, record['file_name'])
        self._metainfo.update(
            categories=describe_categories(content),
            instances_sha256=instances_digest(records),
        )
        if problems:
            print_log(
                f'{problems.report()}\nGoing on with {len(records)} '
                'instances, sha256 '
                f'{self._metainfo["instances_sha256"]}: not those of a '
                'complete data set, so neither are the episodes',
                logger='current',
                level=logging.WARNING,
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

    @cached_property
    def positions(self) -> dict[int, int]:
        """Position of each instance by the id of its annotation."""
        return {
            self.get_data_info(position)['id']: position
            for position in range(self.num_instances)
        }

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
        try:
            return self.prepare_data(episode)
        except UnreadableImageError as error:
            if self.on_broken_image == 'stop':
                raise UnreadableImageError(
                    f'{error}. {self._remedy()}', error.path
                ) from error
            if self._replacement is None:
                self._replacement = EpisodeReplacement(self)
            return self._replacement.prepare(episode, error, self.prepare_data)

    def prepare_data(self, episode: Episode) -> dict[str, Any]:
        """Send an episode's instances through the pipeline."""
        return self.pipeline(
            dict(
                episode=episode,
                support=[self.get_data_info(i) for i in episode.support],
                query=self.get_data_info(episode.query),
            )
        )

    def _remedy(self) -> str:
        """What to do about a broken image."""
        if self.num_samples is None:
            return (
                'Restore the file, or go on without with '
                'train_dataloader.dataset.on_broken_image=skip'
            )
        return (
            'Restore the file: an evaluation skips none, since other '
            'episodes give other numbers. To leave its instances out from '
            'the start, delete it and set on_problems=report'
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


def _read_annotations(path: str) -> Any:
    try:
        return read_json(path)
    except FileNotFoundError:
        raise FileNotFoundError(
            f'annotation file {path} is missing: set `data_root` (and '
            '`ann_file` or `split`) to where the data set lies'
        ) from None
    except JsonError as error:
        raise AnnotationError(str(error)) from error
