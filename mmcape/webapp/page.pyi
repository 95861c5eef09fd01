"""The layout of the page, and what its parts do; needs Gradio."""

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

_FOLDER = Path(__file__).parent
CSS = (_FOLDER / 'page.css').read_text(encoding='utf-8')
THEME = gr.themes.Default(
    font=['system-ui', 'sans-serif'], font_mono=['ui-monospace', 'monospace']
)
"""With fonts that every computer has: nothing is fetched from elsewhere."""
_EDITOR = (_FOLDER / 'editor.js').read_text(encoding='utf-8')
_DOWNLOAD = """(path) => {
    if (!path) return;
    const link = document.createElement('a');
    link.href = new URL('gradio_api/file=' + path, document.baseURI);
    link.download = path.split('/').pop();
    link.click();
}"""
_CACHE_SECONDS = 3600
_IMAGES = ['image']
_IMAGES_AND_VIDEOS = ['image', 'video']

from gradio.events import Dependency

class Editor(gr.HTML):
    """A picture with keypoints to click and drag, and their list.

    Its value is a view; the event ``edit`` carries an ``action``.

    Args:
        kind: 'support' or 'query'.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(
            empty_view(kind),
            elem_id=kind,
            html_template='<div class="editor"></div>',
            js_on_load=_EDITOR,
            apply_default_css=False,
        )
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component


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
        problems: list[str] = []
        message = _tried(lambda: problems.extend(add(session, files or [])))
        for file in files or []:
            Path(file).unlink(missing_ok=True)
        return None, view(session), message or _message('\n'.join(problems))

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
        self, category: str, request: gr.Request, progress: Any = gr.Progress()  # noqa: B008
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

    def export(self, kind: str) -> Callable[[gr.Request], tuple[str, str]]:
        """A function that writes a file and tells its path, and a message."""

        def write(request: gr.Request) -> tuple[str, str]:
            session = self._session(request)
            folder = session.store.folder / kind
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            paths: list[str] = []
            message = _tried(
                lambda: paths.append(str(EXPORTS[kind](session, folder)))
            )
            return ''.join(paths), message

        return write

    def _session(self, request: gr.Request) -> Session:
        return self.sessions.of(str(request.session_hash))


def _tried(action: Callable[[], Any]) -> str:
    """Do something; the message if it failed, else an empty one."""
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


def _message(text: str) -> str:
    if not text:
        return ''
    shown = html.escape(text).replace('\n', '<br>')
    return f'<p class="message" role="alert">{shown}</p>'


def build_page(page: Page) -> gr.Blocks:
    """The page with everything on it."""
    edits: dict[str, Any] = dict(
        show_progress='hidden',
        trigger_mode='multiple',
        concurrency_id='edits',
        concurrency_limit=1,
    )
    with gr.Blocks(
        title='mmcape',
        analytics_enabled=False,
        delete_cache=(_CACHE_SECONDS, _CACHE_SECONDS),
    ) as blocks:
        gr.Markdown(
            '## Click keypoints in one picture, find them in all the others'
        )
        with gr.Row():
            with gr.Column():
                gr.Markdown('### 1. Show the keypoints')
                shots = gr.File(
                    label='Support: one or several pictures',
                    file_count='multiple',
                    file_types=_IMAGES,
                    height=110,
                    elem_id='shots',
                )
                support_message = gr.HTML(elem_id='support-message')
                support = Editor(elem_id='support')
            with gr.Column():
                gr.Markdown('### 2. Find and correct them')
                queries = gr.File(
                    label='Queries: pictures, or a short video',
                    file_count='multiple',
                    file_types=_IMAGES_AND_VIDEOS,
                    height=110,
                    elem_id='queries',
                )
                query_message = gr.HTML(elem_id='query-message')
                query = Editor(elem_id='query')
                with gr.Row():
                    category = gr.Textbox(
                        'object', label='What it is', max_lines=1
                    )
                    threshold = gr.Slider(
                        0,
                        1,
                        value=0,
                        step=0.05,
                        label='Leave out below this confidence',
                    )
                with gr.Row():
                    find = gr.Button(
                        'Find keypoints', variant='primary', elem_id='find'
                    )
                    downloads = {
                        kind: gr.Button(f'Download {kind}', elem_id=kind)
                        for kind in EXPORTS
                    }
        path = gr.Textbox(visible='hidden')

        blocks.load(page.open, None, [support, query])
        blocks.unload(page.close)
        shots.upload(page.add_shots, shots, [shots, support, support_message])
        queries.upload(
            page.add_queries, queries, [queries, query, query_message]
        )
        support.edit(
            page.edit_support, None, [support, support_message], **edits
        )
        query.edit(page.edit_query, None, [query, query_message], **edits)
        threshold.change(page.set_threshold, threshold, query, **edits)
        find.click(
            page.find,
            category,
            [query, query_message],
            concurrency_id='model',
            concurrency_limit=1,
        )
        for kind, download in downloads.items():
            download.click(
                page.export(kind), None, [path, query_message]
            ).then(None, path, None, js=_DOWNLOAD)
    return blocks