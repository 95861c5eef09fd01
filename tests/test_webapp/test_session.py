from __future__ import annotations

import json
import threading
import zipfile

import numpy as np
import pytest

from mmcape.apis import AnnotatedSupport
from mmcape.formats import read_labelme
from mmcape.utils.input_error import InputError
from mmcape.webapp.annotation import Mark
from mmcape.webapp.export import EXPORTS
from mmcape.webapp.finder import Finder
from mmcape.webapp.finding import Finding
from mmcape.webapp.history import History
from mmcape.webapp.views import empty_view, query_view, support_view


@pytest.fixture
def report():
    """Collects how many of how many pictures are done."""
    calls = []

    def take(done, total):
        calls.append((done, total))

    take.calls = calls
    return take


@pytest.fixture
def found(annotated):
    """With results that were made up: one keypoint is unsure, one unseen."""
    session = annotated
    session.edit_support(dict(kind='edge', start=0, end=1))
    session.found_for = session.annotation.now.support('cat')
    marks = (Mark((10.0, 20.0)), Mark((50.5, 60.25)), Mark(None, False))
    for picture in session.queries:
        finding = Finding(marks, scores=(0.9, 0.2, 0.0))
        session.findings[picture] = History(finding)
    session.category = 'cat'
    return session


def test_undo_goes_through_everything_done_to_the_support(annotated):
    session = annotated
    for action in (
        dict(kind='rename', index=0, name='nose'),
        dict(kind='place', index=1, x=100, y=40),
        dict(kind='show', index=2, visible=False),
        dict(kind='edge', start=2, end=1),
        dict(kind='remove', index=0),
        dict(kind='discard'),
    ):
        session.edit_support(action)
    assert support_view(session)['picture'] is None
    session.edit_support(dict(kind='undo'))
    assert session.annotation.now.edges == ((0, 1),)
    session.edit_support(dict(kind='undo'))
    view = support_view(session)
    assert [(p['name'], p['x'], p['visible']) for p in view['points']] == [
        ('nose', 10, True),
        ('keypoint_2', 100, True),
        ('keypoint_3', 120.5, False),
    ]
    for _ in range(4):
        session.edit_support(dict(kind='undo'))
    assert [p['x'] for p in support_view(session)['points']] == [
        10,
        200,
        120.5,
    ]
    for _ in range(9):
        session.edit_support(dict(kind='undo'))
    assert support_view(session) == empty_view('support') | dict(editable=True)


def test_further_shots_ask_for_one_keypoint_after_the_other(annotated, files):
    session = annotated
    assert support_view(session)['next'] == 'new'
    session.add_shots([files['tall.png']])
    view = support_view(session)
    assert (view['position'], view['count'], view['next']) == (1, 2, 0)
    assert 'Click "keypoint_1"' in view['hint']
    session.edit_support(dict(kind='place', index=0, x=40, y=230))
    session.edit_support(dict(kind='show', index=1, visible=False))
    assert support_view(session)['next'] == 2
    with pytest.raises(InputError, match='keypoint_3.*picture 2.*tall.png'):
        session.annotation.now.support('cat')
    session.edit_support(dict(kind='place', index=2, x=1, y=2))
    view = support_view(session)
    assert (view['next'], view['hint'][:13]) == (None, 'All keypoints')
    support = session.annotation.now.support('cat')
    assert support.visible.tolist() == [[True] * 3, [True, False, True]]
    session.edit_support(dict(kind='go', to=0))
    assert support_view(session)['picture']['name'] == 'wide.png'


def test_places_stay_in_the_picture_and_keypoints_within_the_model(annotated):
    session = annotated
    session.edit_support(dict(kind='place', index=None, x=999, y=-5))
    assert support_view(session)['points'][3]['x'] == 239
    assert support_view(session)['points'][3]['y'] == 0
    with pytest.raises(InputError, match='at most 4 keypoints'):
        session.edit_support(dict(kind='place', index=None, x=1, y=1))


@pytest.mark.parametrize(
    'action',
    [
        {},
        dict(kind='explode', index=0),
        dict(kind='place', index=3, x=1, y=1),
        dict(kind='place', index='0', x=1, y=1),
        dict(kind='place', index=0, x=float('nan'), y=1),
        dict(kind='place', index=0, x=1),
        dict(kind='edge', start=0),
        dict(kind='rename', index=-1, name='a'),
        dict(kind='go', to='x'),
    ],
)
def test_what_a_browser_makes_up_changes_nothing(found, action):
    support, query = support_view(found), query_view(found)
    with pytest.raises(InputError):
        found.edit_support(action)
    with pytest.raises(InputError):
        found.edit_query(action)
    assert (support_view(found), query_view(found)) == (support, query)


def test_uploads_are_counted(annotated, files):
    session = annotated
    with pytest.raises(InputError, match='5 query pictures are too many'):
        session.add_queries([files['q1.png']] * 3)
    with pytest.raises(InputError, match='4 support pictures .* 1 are there'):
        session.add_shots([files['tall.png']] * 3)
    problems = session.add_queries([files['broken.png'], files['q1.png']])
    assert problems == [
        'broken.png is no intact image (JPEG, PNG, BMP, TIFF, WebP)'
    ]
    assert query_view(session)['position'] == 2
    session.add_queries([files['clip.avi']])
    assert query_view(session)['count'] == 6
    with pytest.raises(InputError, match='one video at a time'):
        session.add_queries([files['clip.avi']])
    session.edit_query(dict(kind='clear'))
    assert query_view(session) == empty_view('query')
    assert len(list(session.store.folder.iterdir())) == 1
    assert session.add_queries([files['clip.avi']]) == []


def test_an_expired_session_says_so(session):
    for edit in (session.edit_support, session.edit_query):
        with pytest.raises(InputError, match='left alone for long'):
            edit(dict(kind='place', index=0, x=1, y=1))


def test_corrections_are_certain_and_can_be_taken_back(found):
    found.threshold = 0.5
    points = query_view(found)['points']
    assert [p['faint'] for p in points] == [False, True, True]
    assert [p['score'] for p in points] == [0.9, 0.2, 0.0]
    found.edit_query(dict(kind='place', index=1, x=11, y=12))
    found.edit_query(dict(kind='place', index=2, x=13.5, y=14))
    found.edit_query(dict(kind='show', index=0, visible=False))
    finding = found.findings[found.queries[0]].now
    assert finding.scores == (0.9, 1.0, 1.0)
    assert finding.corrected == {1, 2}
    assert [finding.certain(i, 0.5) for i in range(3)] == [False, True, True]
    assert query_view(found)['can_undo']
    for _ in range(3):
        found.edit_query(dict(kind='undo'))
    assert query_view(found)['points'] == points
    found.edit_query(dict(kind='show', index=2, visible=True))
    assert not found.findings[found.queries[0]].now.marks[2].visible


def test_coco_holds_what_is_shown(found, tmp_path, files):
    found.add_queries([files['q1.png']])  # the same name, nothing found in it
    found.findings[found.queries[2]] = found.findings[found.queries[0]]
    found.threshold = 0.5
    found.edit_query(dict(kind='go', to=1))
    found.edit_query(dict(kind='place', index=2, x=70, y=100.5))
    path = EXPORTS['COCO JSON'](found, tmp_path)
    content = json.loads(path.read_text())
    assert [
        (image['file_name'], image['width'], image['height'])
        for image in content['images']
    ] == [('q1.png', 120, 90), ('q2.png', 90, 120), ('q1_2.png', 120, 90)]
    first, second, _ = content['annotations']
    assert first['keypoints'] == [10, 20, 2, 0, 0, 0, 0, 0, 0]
    assert second['keypoints'] == [10, 20, 2, 0, 0, 0, 70, 100.5, 2]
    assert second['keypoint_scores'] == [0.9, 0.2, 1.0]
    # 15 % of the longer side around the keypoints, 80.5 pixels, in the picture
    assert second['bbox'] == pytest.approx(
        [0, 7.925, 83.075, 105.65], abs=0.01
    )
    (category,) = content['categories']
    assert (category['name'], category['skeleton']) == ('cat', [[1, 2]])


def test_labelme_opens_with_its_pictures(found, tmp_path):
    found.edit_query(dict(kind='place', index=1, x=7, y=8))
    path = EXPORTS['labelme'](found, tmp_path / 'out')
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / 'unpacked')
    read = read_labelme(tmp_path / 'unpacked/labelme')
    assert [pose.image.rsplit('/', 1)[1] for pose in read.poses] == [
        'q1.png',
        'q2.png',
    ]
    assert read.poses[0].keypoints.tolist() == [[10, 20], [7, 8]]
    assert read.poses[0].scores.tolist() == [0.9, 1.0]
    assert (read.category, list(read.skeleton)) == ('cat', [(0, 1)])
    assert read.poses[0].image_size == (120, 90)


def test_support_goes_to_the_command_line(annotated, tmp_path):
    path = EXPORTS['Support file'](annotated, tmp_path)
    support = AnnotatedSupport.load(path)
    assert support.keypoints.tolist() == [
        [[10, 20], [200, 30], [120.5, 70.25]]
    ]
    assert support.images()[0].shape == (80, 240, 3)


def test_nothing_found_nothing_to_download(annotated, tmp_path):
    for kind in ('COCO JSON', 'labelme'):
        with pytest.raises(InputError, match='nothing was found yet'):
            EXPORTS[kind](annotated, tmp_path)


def test_find_is_what_the_inferencer_finds(
    annotated, files, finder, inferencer, report, tmp_path
):
    session = annotated
    session.add_queries([files['clip.avi']])
    session.edit_support(dict(kind='show', index=1, visible=False))
    session.edit_support(dict(kind='place', index=None, x=60, y=10))
    assert session.find(finder, report) == 5
    assert report.calls == [(i, 5) for i in range(1, 6)]

    inferencer.use_support(session.annotation.now.support('object'))
    (result,) = inferencer(files['q2.png'], looks=2)
    expected = result['predictions'][0].pred_instances
    finding = session.findings[session.queries[1]].now
    assert finding.marks[1] == Mark(None, visible=False)
    for index in (0, 2, 3):
        np.testing.assert_allclose(
            finding.marks[index].place,
            np.clip(expected.keypoints[0, index], 0, (89, 119)),
            rtol=1e-5,
        )
    np.testing.assert_allclose(
        finding.scores, expected.keypoint_scores[0], rtol=1e-4
    )

    # frames follow each other as those of the video itself do
    frames = [one.path for one in session.queries[2:]]
    last = list(inferencer(frames, looks=2, follow_box=True))[-1]
    place = last['predictions'][0].pred_instances.keypoints[0, 0]
    finding = session.findings[session.queries[4]].now
    np.testing.assert_allclose(
        finding.marks[0].place, np.clip(place, 0, (95, 63)), rtol=1e-5
    )
    content = json.loads(EXPORTS['COCO JSON'](session, tmp_path).read_text())
    assert [image['file_name'] for image in content['images']][2:] == [
        f'clip_00000{i}.jpg' for i in range(3)
    ]


def test_finding_again_keeps_corrections(annotated, finder, report):
    session = annotated
    session.find(finder, report)
    session.edit_query(dict(kind='place', index=1, x=7, y=8))
    session.edit_support(dict(kind='place', index=0, x=30, y=30))
    before = [session.findings[query].now for query in session.queries]
    session.find(finder, report)
    after = [session.findings[query].now for query in session.queries]
    assert after[0] == before[0]
    assert after[1] != before[1]
    session.edit_support(dict(kind='remove', index=0))
    session.find(finder, report)
    assert len(session.findings[session.queries[0]].now.marks) == 2


def test_find_needs_support_and_queries(session, finder, report, files):
    with pytest.raises(InputError, match='drop a picture that shows'):
        session.find(finder, report)
    session.add_shots([files['wide.png']])
    session.edit_support(dict(kind='place', index=None, x=1, y=1))
    with pytest.raises(InputError, match='drop the pictures to search'):
        session.find(finder, report)


def test_visitors_wait_for_the_model(annotated, report):
    """The second visitor's support must not replace the first one's."""

    class Slow:
        max_keypoints = None
        failures: dict[str, str] = {}

        def __init__(self):
            self.busy = 0
            self.together = 0

        def use_support(self, support):
            self.busy += 1
            self.together = max(self.together, self.busy)

        def __call__(self, inputs, **options):
            entered.wait(0.2)
            self.busy -= 1
            return iter(())

    entered = threading.Event()
    slow = Slow()
    finder = Finder(slow)
    threads = [
        threading.Thread(target=annotated.find, args=(finder, report))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert slow.together == 1
