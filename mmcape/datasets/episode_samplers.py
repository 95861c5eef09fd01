"""Samplers that give every rank its share of the episodes."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from mmengine.dist import get_dist_info, sync_random_seed
from mmengine.logging import print_log
from mmpose.registry import DATA_SAMPLERS
from torch.utils.data import Sampler

from mmcape.structures import Episode, episodes_digest
from mmcape.utils.input_error import InputError

from .annotation_checks import AnnotationError
from .episodes import BENCHMARK_SEED, evaluation_episodes, training_episodes
from .mp100 import MP100Dataset


def usable_categories(
    dataset: MP100Dataset, num_needed: int
) -> dict[int, list[int]]:
    """Instances of each category, all of which must have enough of them.

    Raises:
        AnnotationError: If categories are too small and the dataset does not
            say ``on_problems='report'``, which leaves them out.
    """
    groups = dataset.category_instances()
    small = {k: v for k, v in groups.items() if len(v) < num_needed}
    if not small:
        return groups
    names = dataset.metainfo['categories']
    listed = ', '.join(
        f'{names[key]["name"]} (id {key}, {len(instances)})'
        for key, instances in small.items()
    )
    message = (
        f'{dataset.ann_file}: an episode needs {num_needed} instances, but '
        f'these categories have fewer: {listed}'
    )
    if dataset.on_problems == 'raise' or len(small) == len(groups):
        raise AnnotationError(
            f'{message}. Use fewer shots or queries, or set '
            "on_problems='report' to leave these categories out"
        )
    print_log(f'{message}. Left out', logger='current', level=logging.WARNING)
    return {k: v for k, v in groups.items() if k not in small}


@DATA_SAMPLERS.register_module()
class TrainingEpisodeSampler(Sampler):
    """Class-balanced random episodes, a function of seed and epoch alone.

    All ranks draw the same list and take turns in it, so a resumed run
    meets the episodes that it would have met.

    Args:
        dataset: The instances.
        num_shots: Support instances of an episode.
        pairs_per_category: Episodes of each category in an epoch; by default
            the number of instances of the largest one.
        seed: Seed of the run; by default one that all ranks agree on.
    """

    def __init__(
        self,
        dataset: MP100Dataset,
        num_shots: int = 1,
        pairs_per_category: int | None = None,
        seed: int | None = None,
    ) -> None:
        self.rank, self.world_size = get_dist_info()
        self.categories = usable_categories(dataset, num_shots + 1)
        self.num_shots = num_shots
        self.pairs_per_category = pairs_per_category or max(
            map(len, self.categories.values())
        )
        self.seed = sync_random_seed() if seed is None else seed
        self.epoch = 0
        self._skipped = 0

    def __iter__(self) -> Iterator[Episode]:
        episodes = training_episodes(
            self.categories,
            self.num_shots,
            self.seed,
            self.epoch,
            self.pairs_per_category,
        )
        # every rank takes the same number of steps
        missing = len(self) * self.world_size - len(episodes)
        episodes += episodes[:missing]
        share = episodes[self.rank :: self.world_size]
        yield from share[self._skipped :]

    def __len__(self) -> int:
        total = self.pairs_per_category * len(self.categories)
        return -(-total // self.world_size)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose episodes are drawn next, from its start."""
        self.epoch = epoch
        self._skipped = 0

    def skip(self, count: int) -> None:
        """Leave out the first episodes of this rank until the next epoch.

        ``len`` remains that of the whole epoch.
        """
        self._skipped = count


@DATA_SAMPLERS.register_module()
class EvaluationEpisodeSampler(Sampler):
    """The benchmark's fixed episodes.

    Args:
        dataset: The instances.
        num_shots: Support instances of an episode.
        num_queries: Queries that share a support.
        num_episodes: Support draws of each category: 200 in tests, 100 in
            validation and in the furniture and vehicle tests.
        episode_seed: Seed of the draw; another than 1 gives other episodes
            than the published ones.
        seed: The run's seed, which has no say here.

    Raises:
        InputError: If the dataset is to skip broken images.
    """

    def __init__(
        self,
        dataset: MP100Dataset,
        num_shots: int = 1,
        num_queries: int = 15,
        num_episodes: int = 200,
        episode_seed: int = BENCHMARK_SEED,
        seed: int | None = None,
    ) -> None:
        del seed
        if dataset.on_broken_image != 'stop':
            raise InputError(
                f'{dataset.ann_file} is evaluated with on_broken_image='
                f'{dataset.on_broken_image!r}: other episodes give other '
                "numbers. Only train_dataloader.dataset may have 'skip'"
            )
        self.rank, self.world_size = get_dist_info()
        self.episodes = evaluation_episodes(
            usable_categories(dataset, num_shots + num_queries),
            num_shots,
            num_queries,
            num_episodes,
            episode_seed,
        )
        dataset.num_samples = len(self.episodes)

        ids = [
            dataset.get_data_info(i)['id']
            for i in range(dataset.num_instances)
        ]
        self.sha256 = episodes_digest(
            (e.category_id, tuple(ids[i] for i in e.support), ids[e.query])
            for e in self.episodes
        )
        print_log(
            f'{len(self.episodes)} evaluation pairs of {dataset.ann_file}: '
            f'instances sha256 {dataset.metainfo["instances_sha256"]}, '
            f'episodes sha256 {self.sha256}',
            logger='current',
        )

        # queries that share a support stay together, and draws of a category
        # where that is possible: what they share is encoded once
        num_draws = len(self.episodes) // num_queries
        first, last = (
            rank * num_draws // self.world_size * num_queries
            for rank in (self.rank, self.rank + 1)
        )
        self.share = self.episodes[first:last]

    def __iter__(self) -> Iterator[Episode]:
        return iter(self.share)

    def __len__(self) -> int:
        return len(self.share)

    def set_epoch(self, epoch: int) -> None:
        """The list is the same in every epoch."""
