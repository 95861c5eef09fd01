from __future__ import annotations

import json
import os
import pickle

import numpy as np
import pytest

from mmcape.evaluation import EpisodePCK
from mmcape.evaluation.dumped import DumpedResult, read_dump, read_report
from mmcape.utils.input_error import InputError


def dumped(index, category, draw, errors, hidden=()):
    """A pair whose keypoints are off by shares of a box of 100 pixels."""
    count = len(errors)
    truth = np.random.default_rng(index).uniform(0, 90, (1, count, 2))
    visible = np.ones((1, count))
    visible[0, list(hidden)] = 0
    box = np.array([[0.0, 0.0, 100.0, 50.0]])
    moved = truth + [[[100 * error, 0] for error in errors]]
    return dict(
        episode_index=index,
        category_id=category,
        category_name=f'cat {category}',
        draw=draw,
        id=100 + index,
        img_id=7,
        img_path='query.jpg',
        support_ids=(1,),
        support_img_paths=('support.jpg',),
        gt_instances=dict(
            keypoints=truth, keypoints_visible=visible, bboxes=box
        ),
        support_instances=dict(
            keypoints=truth, keypoints_visible=np.ones((1, count)), bboxes=box
        ),
        pred_instances=dict(
            keypoints=moved,
            keypoint_scores=np.linspace(0.1, 0.9, count)[None],
        ),
    )


SAMPLES = [
    dumped(0, 1, 0, [0.01, 0.1, 0.3, 0.5]),  # 2 of 4
    dumped(1, 1, 0, [0.01, 0.3, 0.3, 0.5]),  # 1 of 4
    dumped(2, 1, 1, [0.01, 0.02, 0.03, 0.9], hidden=[3]),  # 3 of 3
    dumped(3, 2, 0, [0.6, 0.7]),  # 0 of 2
]


@pytest.fixture
def result():
    return DumpedResult(SAMPLES)


def test_categories_and_curve(result):
    rates = result.per_category()
    assert rates['cat 2'] == (0.0, 0.0)
    mean, half = rates['cat 1']
    assert mean == pytest.approx((0.375 + 1) / 2)  # over its two episodes
    assert half == pytest.approx(1.96 * (0.625 / 2**0.5) / 2**0.5)
    curve = result.curve([0.05, 0.2, 1.0])
    assert curve == pytest.approx(
        [(0.25 + 0.25 + 1 + 0) / 4, (0.5 + 0.25 + 1 + 0) / 4, 1]
    )
    assert result.curve([0.65], 'cat 2') == [0.5]


def test_numbers_are_those_of_the_metric(result):
    metric = EpisodePCK()
    metric.process(None, SAMPLES)
    metrics = metric.compute_metrics(metric.results)
    for threshold in (0.05, 0.1, 0.2):
        (rate,) = result.curve([threshold])
        assert rate == pytest.approx(metrics[f'PCK@{threshold}'])


def test_worst_episodes_and_pairs(result):
    found = [(e.category, e.draw) for e in result.episodes]
    assert found == [('cat 2', 0), ('cat 1', 0), ('cat 1', 1)]
    worst = result.episodes[1].worst
    assert worst.sample['id'] == 101
    assert worst.wrong.tolist() == [False, True, True, True]
    hidden = result.episodes[2].worst
    assert not hidden.wrong.any()  # an uncounted keypoint is not wrong


def test_confidences_are_those_of_the_counted_keypoints(result):
    scores, distances = result.confidences()
    assert len(scores) == len(distances) == 4 + 4 + 3 + 2
    assert scores[8:11] == pytest.approx([0.1, 0.1 + 0.8 / 3, 0.1 + 1.6 / 3])
    assert distances[-2:] == pytest.approx([0.6, 0.7])


def test_reading_a_dump(tmp_path):
    path = tmp_path / 'dump.pkl'
    path.write_bytes(pickle.dumps([*SAMPLES[::-1], SAMPLES[0]]))
    found = read_dump(path)
    assert [sample['episode_index'] for sample in found] == [0, 1, 2, 3]


class Evil:
    def __reduce__(self):
        return os.mkdir, ('evil',)


@pytest.mark.parametrize(
    ('content', 'complaint'),
    [
        (b'no pickle', 'no dump'),
        (pickle.dumps([]), 'holds no pair'),
        (pickle.dumps([dict(episode_index=0)]), 'not in all samples'),
        (pickle.dumps(3), 'not iterable'),
        (pickle.dumps([Evil()]), r'holds a \w+.mkdir'),
    ],
)
def test_what_is_no_dump(content, complaint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / 'dump.pkl'
    path.write_bytes(content)
    with pytest.raises(InputError, match=f'dump.pkl.*{complaint}'):
        read_dump(path)
    assert not (tmp_path / 'evil').exists()


def test_report_knows_the_categories(tmp_path):
    path = tmp_path / 'results.json'
    metric = EpisodePCK(result_file=str(path))
    metric.dataset_meta = dict(
        categories={
            1: dict(name='cat 1', keypoint_names=['a'], skeleton=[(0, 1)]),
            2: dict(name='cat 2', keypoint_names=[], skeleton=[]),
            3: dict(name='not tested', keypoint_names=[], skeleton=[]),
        }
    )
    metric.process(None, SAMPLES)
    metric.compute_metrics(metric.results)
    report = read_report(path)
    assert sorted(report['categories']) == ['1', '2']
    assert report['categories']['1']['skeleton'] == [[0, 1]]
    path.write_text(json.dumps({}))
    with pytest.raises(InputError, match='no report'):
        read_report(path)
