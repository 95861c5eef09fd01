from __future__ import annotations

import cv2
import numpy as np
import pytest

from mmcape.apis import InputError
from mmcape.apis.clicking import ClickSession, click_keypoints

ENTER, ESCAPE, BACKSPACE = 13, 27, 8


def test_session_with_names_ends_when_all_are_placed():
    session = ClickSession(['nose', 'tail'])
    assert session.caption.startswith('nose (1 of 2)')
    session.click(3, 4)
    assert not session.key(ENTER)
    session.click(9, 9)
    session.key(BACKSPACE)
    assert session.caption.startswith('tail (2 of 2)')
    session.key(ord('n'))
    session.click(7, 7)  # one too many
    assert session.key(ENTER)
    np.testing.assert_equal(session.points, [(3, 4), (np.nan, np.nan)])


def test_session_without_names_ends_with_enter():
    session = ClickSession()
    assert not session.key(ENTER)
    session.click(1, 2)
    assert not session.key(255)  # no key
    assert session.key(ENTER)
    with pytest.raises(InputError, match='left with Esc'):
        session.key(ESCAPE)


def test_clicks_are_in_pixels_of_the_image(monkeypatch):
    """A window of twice the size: OpenCV's part is played by the test."""
    monkeypatch.setenv('DISPLAY', ':0')
    listeners, shown = [], []
    keys = iter([255, 255, ENTER])

    def wait(delay):
        step = len(shown)
        if step < 3:
            event = cv2.EVENT_LBUTTONDOWN
            listeners[0](event, 90 * step, 180, 0, None)
        return next(keys)

    monkeypatch.setattr(cv2, 'namedWindow', lambda *_: None)
    monkeypatch.setattr(cv2, 'destroyAllWindows', lambda: None)
    monkeypatch.setattr(cv2, 'getWindowProperty', lambda *_: 1)
    monkeypatch.setattr(
        cv2, 'setMouseCallback', lambda _, listener: listeners.append(listener)
    )
    monkeypatch.setattr(cv2, 'imshow', lambda _, image: shown.append(image))
    monkeypatch.setattr(cv2, 'waitKey', wait)
    image = np.zeros((300, 450, 3), np.uint8)
    points = click_keypoints(image, ['nose', 'tail'], [(0, 1)])
    assert points.tolist() == [[45, 90], [90, 90]]
    assert shown[0].shape == (600, 900, 3)
    assert shown[-1][180, 180].any()


def test_no_window_without_a_display(monkeypatch):
    monkeypatch.delenv('DISPLAY', raising=False)
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)
    with pytest.raises(InputError, match='no display'):
        click_keypoints(np.zeros((3, 4, 3), np.uint8))
