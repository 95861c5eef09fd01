from __future__ import annotations

from mmcape.datasets.episodes import evaluation_episodes
from mmcape.engine.loops.evaluation_plan import batch_pairs, plan_chunks

CATEGORIES = {7: list(range(30)), 8: list(range(30, 50))}


def episodes(num_episodes=3):
    """Two categories, draws of 15 queries with 2 shots each."""
    return evaluation_episodes(CATEGORIES, 2, 15, num_episodes)


def test_queries_of_a_support_share_a_batch():
    batches = batch_pairs(episodes(), 32)
    assert [len(batch) for batch in batches] == [30, 30, 30]
    assert [e for batch in batches for e in batch] == episodes()


def test_batches_never_exceed_their_size():
    sizes = [len(batch) for batch in batch_pairs(episodes(), 10)]
    assert sizes == [10, 5] * 6
    assert [len(batch) for batch in batch_pairs(episodes(), 1)] == [1] * 90
    assert batch_pairs([], 10) == []


def test_a_chunk_is_a_category_if_it_fits():
    chunks = list(plan_chunks(batch_pairs(episodes(), 15), 100))
    assert [len(chunk.batches) for chunk in chunks] == [3, 3]
    for chunk, instances in zip(chunks, CATEGORIES.values()):
        assert chunk.instances <= set(instances)
        assert set(chunk.new) == chunk.instances
        assert len(chunk.new) == len(chunk.instances)


def test_instances_that_do_not_fit_are_encoded_again():
    batches = batch_pairs(episodes(), 15)
    chunks = list(plan_chunks(batches, 20))
    assert [pairs for chunk in chunks for pairs in chunk.batches] == batches
    held = set()
    for chunk in chunks:
        assert len(chunk.instances) <= 20
        assert set(chunk.new) == chunk.instances - held
        held = chunk.instances
        for pairs in chunk.batches:
            for episode in pairs:
                assert {*episode.support, episode.query} <= held
    encoded = sum(len(chunk.new) for chunk in chunks)
    distinct = len(set().union(*(chunk.instances for chunk in chunks)))
    assert encoded > distinct


def test_a_batch_is_held_whatever_it_takes():
    chunks = list(plan_chunks(batch_pairs(episodes(), 15), 1))
    assert [len(chunk.instances) for chunk in chunks] == [17] * 6
