from __future__ import annotations

import random
from collections import Counter

import pytest
from mmpose.registry import DATA_SAMPLERS, DATASETS

from mmcape.datasets import episode_samplers
from mmcape.datasets.episodes import evaluation_episodes, training_episodes

CATEGORIES = {7: [0, 1, 4, 6], 2: [2, 3, 5]}


def test_evaluation_list_by_the_published_recipe():
    """The recipe, spelled out: one global seed, sample after sample."""
    state = random.getstate()
    random.seed(1)
    expected = []
    for category in (7, 2):
        for _ in range(2):
            drawn = random.sample(CATEGORIES[category], 3)
            expected.append((category, (drawn[0],), drawn[1]))
            expected.append((category, (drawn[0],), drawn[2]))
    random.setstate(state)

    ours = evaluation_episodes(
        CATEGORIES, num_shots=1, num_queries=2, num_episodes=2
    )
    assert [(e.category_id, e.support, e.query) for e in ours] == expected
    assert [e.index for e in ours] == list(range(8))
    assert [e.draw for e in ours] == [0, 0, 1, 1] * 2


def test_evaluation_list_in_numbers():
    ours = evaluation_episodes(
        CATEGORIES, num_shots=2, num_queries=1, num_episodes=1
    )
    assert [(*e.support, e.query) for e in ours] == [(1, 4, 0), (3, 2, 5)]


def test_drawing_leaves_the_global_generator_alone():
    random.seed(5)
    expected = random.random()
    random.seed(5)
    evaluation_episodes(CATEGORIES, 1, 1, 1)
    training_episodes(CATEGORIES, 1, seed=0, epoch=0)
    assert random.random() == expected


def test_training_is_balanced_and_within_categories():
    episodes = training_episodes(CATEGORIES, 2, seed=0, epoch=3)
    counts = Counter(episode.category_id for episode in episodes)
    assert counts == {7: 4, 2: 4}
    for episode in episodes:
        drawn = {*episode.support, episode.query}
        assert len(drawn) == 3
        assert drawn <= set(CATEGORIES[episode.category_id])
    assert len({episode.seed for episode in episodes}) == 8


def test_training_depends_on_seed_and_epoch_alone():
    first = training_episodes(CATEGORIES, 1, seed=0, epoch=0)
    assert first == training_episodes(CATEGORIES, 1, seed=0, epoch=0)
    assert first != training_episodes(CATEGORIES, 1, seed=0, epoch=1)
    assert first != training_episodes(CATEGORIES, 1, seed=1, epoch=0)


@pytest.fixture
def dataset(folder):
    return DATASETS.build(folder.write())


def sampler_of_rank(monkeypatch, dataset, rank, world_size, **cfg):
    monkeypatch.setattr(
        episode_samplers, 'get_dist_info', lambda: (rank, world_size)
    )
    return DATA_SAMPLERS.build(dict(cfg, dataset=dataset, seed=0))


def test_training_ranks_share_the_list(monkeypatch, dataset):
    def indices(rank, world_size):
        sampler = sampler_of_rank(
            monkeypatch,
            dataset,
            rank,
            world_size,
            type='TrainingEpisodeSampler',
        )
        sampler.set_epoch(4)
        episodes = list(sampler)
        assert len(episodes) == len(sampler)
        return [episode.index for episode in episodes]

    assert indices(0, 1) == list(range(8))
    shares = [indices(rank, 3) for rank in range(3)]
    assert shares == [[0, 3, 6], [1, 4, 7], [2, 5, 0]]


def test_epochs_draw_other_episodes(monkeypatch, dataset):
    sampler = sampler_of_rank(
        monkeypatch, dataset, 0, 1, type='TrainingEpisodeSampler'
    )
    first = list(sampler)
    assert list(sampler) == first
    sampler.set_epoch(1)
    assert list(sampler) != first


def test_an_epoch_can_go_on_inside(monkeypatch, dataset):
    sampler = sampler_of_rank(
        monkeypatch, dataset, 1, 3, type='TrainingEpisodeSampler'
    )
    sampler.set_epoch(1)
    whole = list(sampler)
    sampler.set_epoch(1)
    sampler.skip(2)
    assert list(sampler) == whole[2:]
    assert len(sampler) == len(whole)
    sampler.set_epoch(1)
    assert list(sampler) == whole


def test_evaluation_ranks_share_the_list_without_padding(monkeypatch, dataset):
    def shares(num_episodes, world_size):
        cfg = dict(
            type='EvaluationEpisodeSampler',
            num_queries=3,
            num_episodes=num_episodes,
        )
        samplers = [
            sampler_of_rank(monkeypatch, dataset, rank, world_size, **cfg)
            for rank in range(world_size)
        ]
        return [[episode.index for episode in one] for one in samplers]

    # support by support, and category by category where that is possible
    assert shares(1, 4) == [[], [0, 1, 2], [], [3, 4, 5]]
    assert shares(2, 2) == [list(range(6)), list(range(6, 12))]
    assert shares(3, 4) == [
        [0, 1, 2],
        [3, 4, 5, 6, 7, 8],
        [9, 10, 11],
        [12, 13, 14, 15, 16, 17],
    ]
    assert len(dataset) == 18


def test_hash_of_the_list_names_the_draw(monkeypatch, dataset):
    def digest(**cfg):
        return sampler_of_rank(
            monkeypatch,
            dataset,
            0,
            1,
            type='EvaluationEpisodeSampler',
            num_queries=3,
            **cfg,
        ).sha256

    assert digest(num_episodes=5) == digest(num_episodes=5)
    assert digest(num_episodes=5) != digest(num_episodes=6)
    assert digest(num_episodes=5) != digest(num_episodes=5, episode_seed=2)
