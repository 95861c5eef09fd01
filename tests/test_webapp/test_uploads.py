from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from mmcape.utils.input_error import InputError
from mmcape.webapp.sessions import Sessions
from mmcape.webapp.uploads import Limits, Store


@pytest.fixture
def store(tmp_path, limits):
    return Store(tmp_path / 'store', limits)


def test_a_picture_is_kept_as_it_came(store, files):
    kept = store.keep_picture(files['wide.png'])
    assert (kept.name, kept.size) == ('wide.png', (240, 80))
    assert Path(kept.path).read_bytes() == Path(files['wide.png']).read_bytes()
    assert cv2.imread(kept.preview).shape == (80, 240, 3)
    again = store.keep_picture(files['wide.png'])
    assert again.path != kept.path


def test_a_large_preview_keeps_the_aspect_ratio(tmp_path, files):
    path = str(tmp_path / 'wide.png')
    cv2.imwrite(path, cv2.resize(cv2.imread(files['wide.png']), (3200, 900)))
    kept = Store(tmp_path / 'store', Limits()).keep_picture(path)
    assert kept.size == (3200, 900)
    assert cv2.imread(kept.preview).shape == (450, 1600, 3)


@pytest.mark.parametrize(
    ('name', 'complaint'),
    [
        ('broken.png', '^broken.png is no intact image'),
        ('cut.png', '^cut.png is no intact image'),
        ('heavy.png', r'^heavy.png has 0.\d MB, at most 0.25 MB are taken'),
        ('large.png', '^large.png has 700 x 800 pixels, at most 0.5 million'),
    ],
)
def test_refused_pictures(store, files, name, complaint):
    with pytest.raises(InputError, match=complaint):
        store.keep_picture(files[name])
    assert not list(store.folder.iterdir())


def test_a_video_becomes_its_frames(store, files):
    kept = store.keep_video(files['clip.avi'])
    assert [frame.name for frame in kept] == [
        f'clip_00000{i}.jpg' for i in range(3)
    ]
    assert {cv2.imread(frame.path).shape for frame in kept} == {(64, 96, 3)}
    store.drop(kept[:2])
    assert not Path(kept[0].path).exists()
    assert Path(kept[2].path).exists()


@pytest.mark.parametrize(
    ('name', 'complaint'),
    [
        ('broken.mp4', '^broken.mp4 cannot be opened'),
        ('long.avi', '^long.avi has more than 5 frames: cut it shorter'),
    ],
)
def test_refused_videos_leave_nothing(store, files, name, complaint):
    with pytest.raises(InputError, match=complaint):
        store.keep_video(files[name])
    assert not list(store.folder.iterdir())


def test_what_a_visitor_keeps_is_bounded(store, files):
    kept = store.keep_picture(files['wide.png'])
    used = sum(f.stat().st_size for f in Path(kept.path).parent.iterdir())
    store.limits = Limits(session_mb=1.5 * used / 2**20)
    with pytest.raises(InputError, match='wide.png does not fit'):
        store.keep_picture(files['wide.png'])
    store.drop([kept])
    assert store.keep_picture(files['wide.png']).path != kept.path


def test_sessions_are_bounded_in_number_and_age(tmp_path, limits):
    now = [0.0]
    sessions = Sessions(
        tmp_path,
        limits,
        max_keypoints=None,
        max_sessions=2,
        max_age=10.0,
        clock=lambda: now[0],
    )
    first, second = sessions.of('a'), sessions.of('b')
    assert sessions.of('a') is first
    third = sessions.of('c')  # b rested longest
    assert not second.store.folder.exists()
    assert len(sessions) == 2

    now[0] = 5.0
    assert sessions.of('a') is first
    now[0] = 12.0
    assert sessions.of('a') is first
    assert not third.store.folder.exists()
    sessions.end('a')
    sessions.end('a')
    assert len(sessions) == 0
    assert not list(tmp_path.iterdir())
