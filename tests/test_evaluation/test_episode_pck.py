from __future__ import annotations

import json

import numpy as np
import pytest
from mmpose.registry import METRICS

from mmcape.evaluation.functional import (
    auc,
    keypoint_distances,
    nme,
    paired_difference,
    pck,
)
from mmcape.utils.atomic_files import SaveError


def test_threshold_is_strict():
    distances = keypoint_distances(
        predicted=np.array([[20.0, 0.0], [19.9, 0.0], [3.0, 4.0]]),
        annotated=np.zeros((3, 2)),
        counted=np.array([True, True, True]),
        box_size=100.0,
    )
    np.testing.assert_allclose(distances, [0.2, 0.199, 0.05])
    assert pck(distances, 0.2) == pytest.approx(2 / 3)


def test_auc_of_a_perfect_prediction():
    assert auc(np.zeros(3)) == pytest.approx(0.95)
    assert auc(np.array([0.5])) == pytest.approx(9 / 20)


def test_nothing_to_count_scores_zero():
    nothing = np.zeros(0)
    assert pck(nothing, 0.2) == auc(nothing) == nme(nothing) == 0.0


def sample(index, errors, visible=(1, 1, 1), support=(1, 1, 1), **names):
    """A pair in a box of 100 x 50 whose keypoints are off by ``errors``."""
    annotated = np.full((1, 3, 2), 40.0)
    predicted = annotated + np.array(errors)[None, :, None] * [1.0, 0.0]
    return dict(
        episode_index=index,
        category_id=names.get('category', 1),
        draw=names.get('draw', 0),
        support_ids=(names.get('support_id', 5),),
        id=names.get('query_id', index),
        gt_instances=dict(
            bboxes=np.array([[10.0, 10.0, 110.0, 60.0]]),
            keypoints=annotated,
            keypoints_visible=np.array([visible]),
        ),
        support_instances=dict(keypoints_visible=np.array([support])),
        pred_instances=dict(keypoints=predicted),
    )


def evaluate(samples, **cfg):
    metric = METRICS.build(dict(type='EpisodePCK', **cfg))
    metric.process({}, samples)
    return metric.evaluate(len(samples))


def test_metrics_by_hand():
    result = evaluate([sample(0, [0, 7, 30]), sample(1, [12, 22, 18])])
    assert result['PCK@0.05'] == pytest.approx((1 / 3 + 0) / 2)
    assert result['PCK@0.1'] == pytest.approx((2 / 3 + 0) / 2)
    assert result['PCK@0.15'] == pytest.approx((2 / 3 + 1 / 3) / 2)
    assert result['PCK@0.2'] == pytest.approx((2 / 3 + 2 / 3) / 2)
    assert result['PCK@0.25'] == pytest.approx((2 / 3 + 1) / 2)
    five = [result[f'PCK@{t}'] for t in (0.05, 0.1, 0.15, 0.2, 0.25)]
    assert result['mPCK'] == pytest.approx(np.mean(five))
    assert result['mPCK4'] == pytest.approx(np.mean(five[:4]))
    assert result['EPE'] == pytest.approx((37 / 3 + 52 / 3) / 2)
    assert result['NME'] == pytest.approx((0.37 / 3 + 0.52 / 3) / 2)


def test_pairs_weigh_the_same_whatever_they_count():
    pairs = [sample(0, [0, 99, 99], visible=(1, 0, 0)), sample(1, [99, 99, 0])]
    assert evaluate(pairs)['PCK@0.2'] == pytest.approx((1 + 1 / 3) / 2)


def test_keypoint_hidden_in_the_support_does_not_count():
    pair = sample(0, [0, 99, 99], support=(1, 0, 1))
    assert evaluate([pair])['PCK@0.2'] == pytest.approx(1 / 2)


def test_pair_that_counts_nothing_scores_zero():
    pairs = [sample(0, [0, 0, 0], support=(0, 0, 0)), sample(1, [0, 0, 0])]
    assert evaluate(pairs)['PCK@0.2'] == pytest.approx(0.5)


def test_order_and_duplicates_do_not_matter():
    pairs = [sample(i, [i * 5, 3, 40], draw=i) for i in range(7)]
    shuffled = [pairs[i] for i in (3, 0, 6, 6, 1, 2, 5, 4, 0)]
    assert evaluate(shuffled) == evaluate(pairs)


def test_interval_is_over_episodes():
    # two episodes of two queries each, means 1 and 0
    pairs = [
        sample(0, [0, 0, 0], draw=0),
        sample(1, [0, 0, 0], draw=0),
        sample(2, [99, 99, 99], draw=1),
        sample(3, [99, 99, 99], draw=1),
    ]
    expected = 1.96 * np.std([1, 0], ddof=1) / np.sqrt(2)
    assert evaluate(pairs)['PCK@0.2_ci95'] == pytest.approx(expected)


def test_one_episode_has_no_interval():
    assert 'PCK@0.2_ci95' not in evaluate([sample(0, [0, 0, 0])])


def test_result_file_holds_the_table_and_the_hashes(tmp_path):
    path = tmp_path / 'results.json'
    pairs = [sample(0, [0, 0, 0]), sample(1, [99, 0, 0], category=2)]
    result = evaluate(pairs, result_file=str(path))
    report = json.loads(path.read_text())
    assert report['metrics'] == result
    assert report['pairs'] == 2
    assert report['per_category']['1']['PCK@0.2'] == 1
    assert report['per_category']['2']['PCK@0.2'] == pytest.approx(2 / 3)
    assert len(report['episodes_sha256']) == 64
    assert [
        (one['category_id'], one['draw']) for one in report['per_episode']
    ] == [(1, 0), (2, 0)]
    assert report['per_episode'][1]['PCK@0.2'] == pytest.approx(2 / 3)

    clash = {1: dict(name='x'), 2: dict(name='x')}
    metric = METRICS.build(dict(type='EpisodePCK', result_file=str(path)))
    metric.dataset_meta = dict(categories=clash)
    metric.process({}, pairs)
    metric.evaluate(2)
    table = json.loads(path.read_text())['per_category']
    assert set(table) == {'x (id 1)', 'x (id 2)'}

    other = [pairs[0], dict(pairs[1], id=77)]
    evaluate(other, result_file=str(path))
    changed = json.loads(path.read_text())['episodes_sha256']
    assert changed != report['episodes_sha256']


def test_full_disk(tmp_path, monkeypatch):
    def refuse(*args):
        raise OSError(28, 'No space left on device')

    path = tmp_path / 'result.json'
    path.write_text('before')
    monkeypatch.setattr('os.fsync', refuse)
    pairs = [sample(0, [0, 0, 0])]
    with pytest.raises(SaveError, match='result.json: No space left'):
        evaluate(pairs, result_file=str(path))
    found = evaluate(pairs, result_file=str(path), on_failed_save='continue')
    assert found['PCK@0.2'] == 1
    assert path.read_text() == 'before'


def test_paired_difference_of_two_tests():
    first = {(1, 0): 0.2, (1, 1): 0.9, (2, 0): 0.5}
    second = {(1, 0): 0.3, (1, 1): 1.0, (2, 0): 0.7}
    difference, half = paired_difference(first, second)
    assert difference == pytest.approx(0.4 / 3)
    deviation = np.std([0.1, 0.1, 0.2], ddof=1)
    assert half == pytest.approx(1.96 * deviation / 3**0.5)
    with pytest.raises(ValueError, match='different episodes'):
        paired_difference(first, {(1, 0): 0.3})
