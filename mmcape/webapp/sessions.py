"""The sessions of all visitors, bounded in number and age."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path

from .session import Session
from .uploads import Limits


class Sessions:
    """Holds a session for each visitor as long as it is in use.

    Args:
        folder: Receives a folder for each session.
        limits: Of each session.
        max_keypoints: Of the model.
        max_sessions: The one that rested longest makes way for one more.
        max_age: Seconds of rest after which a session ends.
        clock: Tells the time in seconds.
    """

    def __init__(
        self,
        folder: Path,
        limits: Limits,
        max_keypoints: int | None,
        max_sessions: int = 20,
        max_age: float = 4 * 3600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._limits = limits
        self._max_keypoints = max_keypoints
        self._max_sessions = max_sessions
        self._max_age = max_age
        self._clock = clock
        self._sessions: dict[str, tuple[Session, float]] = {}
        """In the order of their last use, with its time."""
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._sessions)

    def of(self, visitor: str) -> Session:
        """The session of a visitor, a new one if there is none."""
        with self._lock:
            known = self._sessions.pop(visitor, None)
            self._end_old()
            session = known[0] if known else self._open()
            self._sessions[visitor] = (session, self._clock())
            return session

    def end(self, visitor: str) -> None:
        """End a visitor's session, if there is one."""
        with self._lock:
            known = self._sessions.pop(visitor, None)
            if known:
                known[0].close()

    def _open(self) -> Session:
        # nobody can guess where another visitor's files are
        folder = self._folder / secrets.token_urlsafe(16)
        return Session(folder, self._limits, self._max_keypoints)

    def _end_old(self) -> None:
        """Make way for one session, and end those that rested too long."""
        surplus = len(self._sessions) - self._max_sessions + 1
        oldest = self._clock() - self._max_age
        for place, (visitor, (session, used)) in enumerate(
            list(self._sessions.items())
        ):
            if place < surplus or used < oldest:
                session.close()
                del self._sessions[visitor]
