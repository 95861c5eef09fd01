from __future__ import annotations

import cv2
import numpy as np
import pytest

from mmcape.utils.input_error import InputError
from mmcape.webapp.annotation import Annotation, Mark
from mmcape.webapp.history import History
from mmcape.webapp.uploads import StoredPicture


@pytest.fixture
def pictures(tmp_path):
    for name in 'ab':
        path = str(tmp_path / f'{name}.png')
        cv2.imwrite(path, np.zeros((50, 100, 3), np.uint8))
    return [
        StoredPicture(
            f'{name}.png', str(tmp_path / f'{name}.png'), '', (100, 50)
        )
        for name in 'ab'
    ]


@pytest.fixture
def two(pictures):
    """Two pictures; three keypoints, marked in the first."""
    annotation = Annotation().with_shots(pictures)
    for x in (10.0, 20.0, 30.0):
        annotation = annotation.add(0, (x, 5.0))
    return annotation


def marked(annotation):
    """The same, marked in both pictures."""
    for index in range(3):
        shot = annotation.shots[1].marked(index, Mark((50.0 + index, 40.0)))
        annotation = annotation.with_shot(1, shot)
    return annotation


def test_a_new_keypoint_is_open_in_other_pictures(two):
    assert two.names == ('keypoint_1', 'keypoint_2', 'keypoint_3')
    assert [shot.next_open for shot in two.shots] == [None, 0]
    assert two.shots[0].marks[1] == Mark((20.0, 5.0))


def test_names_stay_distinct_after_removing(two):
    fewer = two.toggle_edge(0, 2).toggle_edge(0, 1).remove(1)
    assert fewer.names == ('keypoint_1', 'keypoint_3')
    assert fewer.edges == ((0, 1),)
    assert [len(shot.marks) for shot in fewer.shots] == [2, 2]
    assert fewer.add(0, (1.0, 1.0)).names[-1] == 'keypoint_4'


def test_an_edge_is_drawn_once_and_taken_away_again(two):
    once = two.toggle_edge(2, 0)
    assert once.edges == ((0, 2),)
    assert once.toggle_edge(0, 2).edges == ()
    with pytest.raises(InputError, match='two different keypoints'):
        two.toggle_edge(1, 1)


def test_rename(two):
    assert two.rename(1, ' left  ear ').names[1] == 'left ear'
    assert two.rename(1, 'keypoint_2') == two
    with pytest.raises(InputError, match="called 'keypoint_1' already"):
        two.rename(1, 'keypoint_1')
    for name in ('  ', 'x' * 61):
        with pytest.raises(InputError, match='1 to 60 characters'):
            two.rename(0, name)


def test_hiding_keeps_the_place_and_showing_needs_one(two):
    hidden = two.shots[0].shown(1, False)
    assert hidden.marks[1] == Mark((20.0, 5.0), visible=False)
    assert hidden.shown(1, True) == two.shots[0]
    skipped = two.shots[1].shown(0, False)
    assert skipped.marks[0] == Mark(None, visible=False)
    assert skipped.next_open == 1
    assert skipped.shown(0, True).next_open == 0


def test_support_of_all_shots(two):
    complete = marked(two).toggle_edge(0, 1).rename(0, 'nose')
    complete = complete.with_shot(1, complete.shots[1].shown(2, False))
    support = complete.support('cat')
    assert support.category == 'cat'
    assert list(support.names) == ['nose', 'keypoint_2', 'keypoint_3']
    assert list(support.skeleton) == [(0, 1)]
    assert support.keypoints[:, :2].tolist() == [
        [[10, 5], [20, 5]],
        [[50, 40], [51, 40]],
    ]
    assert support.visible.tolist() == [[True] * 3, [True, True, False]]
    assert [image.shape for image in support.images()] == [(50, 100, 3)] * 2


def test_what_lacks_a_support_is_named(two, pictures):
    for annotation, complaint in (
        (Annotation(), 'drop a picture'),
        (Annotation().with_shots(pictures), 'click at least one keypoint'),
        (two, r"'keypoint_1' has no place in picture 2 \(b.png\)"),
    ):
        with pytest.raises(InputError, match=complaint):
            annotation.support('cat')


def test_without_its_last_picture_nothing_is_left(two):
    assert two.without_shot(0).names == two.names
    assert two.without_shot(0).without_shot(0) == Annotation()


def test_history_forgets_only_the_oldest():
    history = History(0)
    assert not history.can_undo
    for state in (*range(1, 300), 299):
        history.do(state)
    for _ in range(200):
        history.undo()
    assert (history.now, history.can_undo) == (99, False)
    history.undo()
    assert history.now == 99
