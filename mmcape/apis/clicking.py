"""Annotating a support by clicks in an OpenCV window."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from mmcape.utils.input_error import InputError
from mmcape.visualization import draw_keypoints, require_display

_WINDOW = 'mmcape: click the keypoints'
_SIDE = 900
_ENTER, _ESCAPE, _BACKSPACE, _DELETE = (10, 13), 27, 8, 127


class ClickSession:
    """The keypoints clicked so far; a point is where the mouse went down.

    Args:
        names: Names of the keypoints in order, or None for any number.
    """

    def __init__(self, names: Sequence[str] | None = None) -> None:
        self.names = names
        self.points: list[tuple[float, float]] = []

    @property
    def complete(self) -> bool:
        """Whether there is a click, or a skip, for every name."""
        return self.names is not None and len(self.points) == len(self.names)

    @property
    def caption(self) -> str:
        """What to do next."""
        place = len(self.points)
        if self.complete:
            wanted = 'all done: Enter'
        elif self.names is None:
            wanted = f'keypoint {place + 1}'
        else:
            wanted = f'{self.names[place]} ({place + 1} of {len(self.names)})'
        return f'{wanted} | n: not visible, Backspace: undo, Esc: give up'

    def click(self, x: float, y: float) -> None:
        """Add a keypoint at a place of the image, unless all are there."""
        if not self.complete:
            self.points.append((x, y))

    def skip(self) -> None:
        """The next keypoint is not visible."""
        self.click(np.nan, np.nan)

    def undo(self) -> None:
        """Take the last click or skip back."""
        del self.points[-1:]

    def key(self, code: int) -> bool:
        """React to a key; whether the session has ended.

        Raises:
            InputError: If the user gives up.
        """
        if code == _ESCAPE:
            raise InputError('no support: the window was left with Esc')
        if code in (_BACKSPACE, _DELETE):
            self.undo()
        elif code == ord('n'):
            self.skip()
        return code in _ENTER and (
            self.complete or (self.names is None and bool(self.points))
        )


def click_keypoints(
    image: np.ndarray,
    names: Sequence[str] | None = None,
    skeleton: Sequence[tuple[int, int]] = (),
) -> np.ndarray:
    """Let the user click the keypoints of an image.

    Args:
        image: (H, W, 3) uint8 BGR.
        names: Names of the keypoints, in the order of the clicks.
        skeleton: Pairs of keypoints to connect, counted from 0.

    Returns:
        (K, 2) in pixels, NaN for what is not visible.

    Raises:
        InputError: If there is no display, or the user gives up.
    """
    require_display()
    session = ClickSession(names)
    zoom = _SIDE / max(image.shape[:2])
    size = round(image.shape[1] * zoom), round(image.shape[0] * zoom)
    canvas = cv2.resize(image, size)

    def on_mouse(event: int, x: int, y: int, *_: object) -> None:
        if event == cv2.EVENT_LBUTTONDOWN:
            session.click(x / zoom, y / zoom)
        elif event == cv2.EVENT_RBUTTONDOWN:
            session.undo()

    cv2.namedWindow(_WINDOW)
    try:
        cv2.setMouseCallback(_WINDOW, on_mouse)
        while True:
            cv2.imshow(_WINDOW, _drawn(canvas, session, zoom, skeleton))
            if session.key(cv2.waitKey(30) & 0xFF):
                return np.array(session.points)
            if cv2.getWindowProperty(_WINDOW, cv2.WND_PROP_VISIBLE) < 1:
                raise InputError('no support: the window was closed')
    finally:
        cv2.destroyAllWindows()


def _drawn(
    canvas: np.ndarray,
    session: ClickSession,
    zoom: float,
    skeleton: Sequence[tuple[int, int]],
) -> np.ndarray:
    """The canvas with the clicks so far, BGR."""
    picture = np.ascontiguousarray(canvas[..., ::-1])
    points = np.reshape(session.points, (-1, 2))
    placed = np.isfinite(points).all(axis=1)
    count = len(points)
    edges = [edge for edge in skeleton if max(edge) < count]
    draw_keypoints(
        picture, np.where(placed[:, None], points, 0) * zoom, placed, edges
    )
    cv2.putText(
        picture,
        session.caption,
        (8, 22),
        cv2.FONT_HERSHEY_SIMPLEX,
        0.55,
        (255, 255, 0),
        1,
        cv2.LINE_AA,
    )
    return picture[..., ::-1]
