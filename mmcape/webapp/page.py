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
from .views import empty_view, query_view, support_view

Update = dict[str, Any]
"""How Gradio calls a change of a component."""
_FOLDER = Path(__file__).parent
CSS = (_FOLDER / 'page.css').read_text(encoding='utf-8')
THEME = gr.themes.Default(
    primary_hue='blue',
    font=['system-ui', 'sans-serif'],
    font_mono=['ui-monospace', 'monospace'],
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
        fill_width=True,
        delete_cache=(_CACHE_SECONDS, _CACHE_SECONDS),
    ) as blocks:
        gr.Markdown(
            '## Click keypoints in one picture, find them in all the others'
        )
        with gr.Row(equal_height=False):
            with gr.Column():
                gr.Markdown(
                    '**1. Show the keypoints** in a picture of the object; '
                    'further pictures of it help.'
                )
                shots = _drop_zone('shots')
                support_message = gr.HTML(visible=False, elem_classes='flat')
                support = _editor('support')
                with gr.Row(equal_height=False, elem_classes='foot'):
                    category = gr.Textbox(
                        'object',
                        label='What the files call it',
                        max_lines=1,
                        min_width=120,
                    )
                    downloads = [_download('Support file')]
            with gr.Column():
                gr.Markdown(
                    '**2. Find them** in other pictures or a short video, and '
                    'drag wrong ones right.'
                )
                queries = _drop_zone('queries', 'video')
                query_message = gr.HTML(visible=False, elem_classes='flat')
                query = _editor('query')
                with gr.Row(equal_height=False, elem_classes='foot'):
                    threshold = gr.Slider(
                        *(0, 1),
                        value=0,
                        step=0.05,
                        label='Leave out below this confidence',
                        min_width=160,
                    )
                    with gr.Column(min_width=160):
                        find = gr.Button(
                            'Find keypoints',
                            variant='primary',
                            size='md',
                            elem_id='find',
                        )
                        with gr.Row():
                            downloads += map(
                                _download, ('COCO JSON', 'labelme')
                            )
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
        for kind, button in downloads:
            message = (
                support_message if kind == 'Support file' else query_message
            )
            button.click(page.export(kind), None, [path, message]).then(
                None, path, None, js=_DOWNLOAD
            )
    return blocks


def _editor(kind: str) -> gr.HTML:
    """A picture with keypoints to click and drag, and their list.

    Its value is a view; its event ``edit`` carries an ``action``.

    Args:
        kind: 'support' or 'query'.
    """
    # no subclass: Gradio writes a .pyi file beside the module of one
    return gr.HTML(
        empty_view(kind),
        elem_id=kind,
        elem_classes='flat',
        html_template='<div class="editor"></div>',
        js_on_load=_EDITOR,
        apply_default_css=False,
    )


def _drop_zone(name: str, *further: str) -> gr.File:
    return gr.File(
        show_label=False,
        file_count='multiple',
        file_types=['image', *further],
        height=48,
        elem_id=name,
        elem_classes='drop-zone',
    )


def _download(kind: str) -> tuple[str, gr.Button]:
    button = gr.Button(
        f'\N{DOWNWARDS ARROW} {kind}',
        elem_id=f'download-{kind.split()[0].lower()}',
        size='md',
        min_width=60,
    )
    return kind, button


def _editor(kind: str) -> gr.HTML:
    """A picture with keypoints to click and drag, and their list.

    Its value is a view; its event ``edit`` carries an ``action``.

    Args:
        kind: 'support' or 'query'.
    """
    # no subclass: Gradio writes a .pyi file beside the module of one
    return gr.HTML(
        empty_view(kind),
        elem_id=kind,
        elem_classes='flat',
        html_template='<div class="editor"></div>',
        js_on_load=_EDITOR,
        apply_default_css=False,
    )


def _drop_zone(name: str, *further: str) -> gr.File:
    return gr.File(
        show_label=False,
        file_count='multiple',
        file_types=['image', *further],
        height=48,
        elem_id=name,
        elem_classes='drop-zone',
    )


def _download(kind: str) -> tuple[str, gr.Button]:
    button = gr.Button(
        f'Download {kind}',
        elem_id=f'download-{kind.lower()}',
        size='md',
        min_width=60,
    )
    return kind, button
