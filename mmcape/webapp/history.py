"""States that can be taken back."""

from __future__ import annotations

from typing import Generic, TypeVar

_State = TypeVar('_State')
_DEPTH = 200


class History(Generic[_State]):
    """An immutable state, and those before it.

    Args:
        start: The first state, which stays.
    """

    def __init__(self, start: _State) -> None:
        self.now = start
        self._before: list[_State] = []

    @property
    def can_undo(self) -> bool:
        """Whether there is a state to go back to."""
        return bool(self._before)

    def do(self, state: _State) -> None:
        """Go on to a state; the oldest of very many are forgotten."""
        if state != self.now:
            self._before = [*self._before, self.now][-_DEPTH:]
            self.now = state

    def undo(self) -> None:
        """Go back one state, if there is one."""
        if self._before:
            self.now = self._before.pop()
