"""What the parts of the page do when they are used."""

from __future__ import annotations

import html
import logging
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from mmcape.utils.input_error import InputError

from .export import EXPORTS
from .finder import Finder
from .session import Session
from .sessions import Sessions
from .views import query_view, support_view

Update = dict[str, Any]
"""How Gradio calls a change of a component."""


class Page:
    """What the parts of the page do.

    Args:
        finder: The model.
        sessions: Of the visitors.
    """

    def __init__(self, finder: Finder, sessions: Sessions) -> None:
        self.finder = finder
        self.sessions = sessions

    def open(self, request: gr.Request) -> tuple[Any, ...]:
        """What a new visitor sees."""
        session = self._session(request)
        return support_view(session), query_view(session)

    def close(self, request: gr.Request) -> None:
        """Forget a visitor who left."""
        self.sessions.end(str(request.session_hash))

    def add_shots(
        self, files: list[str] | None, request: gr.Request
    ) -> tuple[Any, ...]:
        """Take support pictures; the file field is emptied."""
        return self._add(files, request, Session.add_shots, support_view)

    def add_queries(
        self, files: list[str] | None, request: gr.Request
    ) -> tuple[Any, ...]:
        """Take query pictures or a video; the file field is emptied."""
        return self._add(files, request, Session.add_queries, query_view)

    def _add(
        self,
        files: list[str] | None,
        request: gr.Request,
        add: Callable[[Session, Sequence[str]], list[str]],
        view: Callable[[Session], Any],
    ) -> tuple[Any, ...]:
        session = self._session(request)

        def take() -> None:
            problems = add(session, files or [])
            if problems:
                raise InputError('\n'.join(problems))

        message = _tried(take)
        for file in files or []:
            Path(file).unlink(missing_ok=True)
        return None, view(session), message

    def edit_support(
        self, event: gr.EventData, request: gr.Request
    ) -> tuple[Any, ...]:
        """Carry an action of the support's editor out."""
        session = self._session(request)
        message = _tried(lambda: session.edit_support(dict(event.action)))
        return support_view(session), message

    def edit_query(
        self, event: gr.EventData, request: gr.Request
    ) -> tuple[Any, ...]:
        """Carry an action of the results' editor out."""
        session = self._session(request)
        message = _tried(lambda: session.edit_query(dict(event.action)))
        return query_view(session), message

    def find(
        self,
        category: str,
        request: gr.Request,
        progress: Any = gr.Progress(),  # noqa: B008
    ) -> tuple[Any, ...]:
        """Find the keypoints in all query pictures."""
        session = self._session(request)
        session.category = category.strip() or 'object'
        message = _tried(
            lambda: session.find(
                self.finder,
                lambda done, total: progress((done, total), unit='pictures'),
            )
        )
        return query_view(session), message

    def set_threshold(self, threshold: float, request: gr.Request) -> Any:
        """Leave less certain keypoints out."""
        session = self._session(request)
        session.threshold = threshold
        return query_view(session)

    def export(self, kind: str) -> Callable[[gr.Request], tuple[Any, ...]]:
        """A function that writes a file and tells its path, and a message."""

        def write(request: gr.Request) -> tuple[Any, ...]:
            session = self._session(request)
            folder = session.store.folder / 'export' / kind
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            paths: list[str] = []
            message = _tried(
                lambda: paths.append(str(EXPORTS[kind](session, folder)))
            )
            return ''.join(paths), message

        return write

    def _session(self, request: gr.Request) -> Session:
        return self.sessions.of(str(request.session_hash))


def _tried(action: Callable[[], Any]) -> Update:
    """Do something; the message if it failed, else none."""
    try:
        action()
    except InputError as error:
        return _message(str(error))
    except Exception:
        logging.getLogger(__name__).exception('a request has failed')
        return _message(
            'this went wrong on the server, whose terminal says why; what '
            'was there before is kept'
        )
    return _message('')


def _message(text: str) -> Update:
    """What to show above an editor; nothing hides it."""
    shown = html.escape(text).replace('\n', '<br>')
    return gr.update(
        value=f'<p class="message" role="alert">{shown}</p>',
        visible=bool(text),
    )
