"""Which supports meet which queries: pure functions on instance ids."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from mmcape.structures import Episode

BENCHMARK_SEED = 1
"""Seed of the published evaluation lists."""


def training_episodes(
    categories: Mapping[int, Sequence[int]],
    num_shots: int,
    seed: int,
    epoch: int,
    pairs_per_category: int | None = None,
) -> list[Episode]:
    """Episodes of one training epoch, a function of the arguments alone.

    Every category gives the same number of episodes, each of ``num_shots``
    + 1 different instances; their order is shuffled.

    Args:
        categories: Instances of each category.
        num_shots: Support instances of an episode.
        seed: Seed of the training run.
        epoch: Number of the epoch.
        pairs_per_category: Episodes of each category; by default the number
            of instances of the largest one.
    """
    rng = random.Random(f'mmcape training {seed} {epoch}')
    if pairs_per_category is None:
        pairs_per_category = max(map(len, categories.values()))
    drawn = [
        (category, rng.sample(instances, num_shots + 1))
        for category, instances in categories.items()
        for _ in range(pairs_per_category)
    ]
    rng.shuffle(drawn)
    return [
        Episode(
            index=index,
            category_id=category,
            support=tuple(instances[:-1]),
            query=instances[-1],
            draw=index,
            seed=rng.getrandbits(32),
        )
        for index, (category, instances) in enumerate(drawn)
    ]


def replacement_episode(
    episode: Episode,
    categories: Mapping[int, Sequence[int]],
    unusable: Collection[int],
) -> Episode | None:
    """Another episode in the place of one, a function of the arguments alone.

    It is of the same category while that has enough usable instances, else
    of another one; None if no category has.

    Args:
        episode: The episode that cannot be used. Its seed tells apart runs
            and epochs.
        categories: Instances of each category.
        unusable: Instances to do without.
    """
    rng = random.Random(
        f'mmcape replacement {episode.seed} {episode.index} {len(unusable)}'
    )
    others = rng.sample(sorted(categories), len(categories))
    for category in (episode.category_id, *others):
        usable = [i for i in categories[category] if i not in unusable]
        if len(usable) > len(episode.support):
            *support, query = rng.sample(usable, len(episode.support) + 1)
            return replace(
                episode,
                category_id=category,
                support=tuple(support),
                query=query,
            )
    return None


def evaluation_episodes(
    categories: Mapping[int, Sequence[int]],
    num_shots: int,
    num_queries: int,
    num_episodes: int,
    seed: int = BENCHMARK_SEED,
) -> list[Episode]:
    """The benchmark's fixed list of (support, query) pairs.

    With the default seed these are the published pairs, to the last id.

    Args:
        categories: Instances of each category, in annotation order.
        num_shots: Support instances of an episode.
        num_queries: Queries that share a support.
        num_episodes: Support draws of each category.
        seed: Seed of the draw.
    """
    rng = random.Random(seed)
    episodes: list[Episode] = []
    for category, instances in categories.items():
        for draw in range(num_episodes):
            drawn = rng.sample(instances, num_shots + num_queries)
            support, queries = tuple(drawn[:num_shots]), drawn[num_shots:]
            for query in queries:
                episode = Episode(
                    index=len(episodes),
                    category_id=category,
                    support=support,
                    query=query,
                    draw=draw,
                )
                episodes.append(episode)
    return episodes
