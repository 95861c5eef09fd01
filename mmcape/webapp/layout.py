"""The layout of the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from .page import Page
from .views import empty_view

_FOLDER = Path(__file__).parent
CSS = (_FOLDER / 'page.css').read_text(encoding='utf-8')
THEME = gr.themes.Default(
    primary_hue='blue',
    font=['system-ui', 'sans-serif'],
    font_mono=['ui-monospace', 'monospace'],
)
"""With fonts that every computer has; nothing is fetched from elsewhere."""
_EDITOR = '\n'.join(
    (_FOLDER / name).read_text(encoding='utf-8')
    for name in ('editor.js', 'canvas.js')
)
_DOWNLOAD = """(path) => {
    if (!path) return;
    const link = document.createElement('a');
    link.href = new URL('gradio_api/file=' + path, document.baseURI);
    link.download = path.split('/').pop();
    link.click();
}"""
_CACHE_SECONDS = 3600
_COLUMN = 540
"""Where less is there for it, a column goes below the other."""


def build_page(page: Page) -> gr.Blocks:
    """The page with everything on it.

    Args:
        page: What its parts do.
    """
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
            with gr.Column(min_width=_COLUMN):
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
            with gr.Column(min_width=_COLUMN):
                gr.Markdown(
                    '**2. Find them** in other pictures or a short video, and '
                    'drag wrong ones right.'
                )
                with gr.Row(equal_height=False):
                    queries = _drop_zone('queries', 'video')
                    find = gr.Button(
                        'Find keypoints',
                        variant='primary',
                        elem_id='find',
                        min_width=160,
                    )
                query_message = gr.HTML(visible=False, elem_classes='flat')
                query = _editor('query')
                with gr.Row(equal_height=False, elem_classes='foot'):
                    threshold = gr.Slider(
                        *(0, 1),
                        value=0,
                        step=0.05,
                        label='Least confidence',
                        elem_id='threshold',
                        scale=2,
                        min_width=160,
                    )
                    downloads += map(_download, ('COCO JSON', 'labelme'))
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
        scale=3,
        min_width=260,
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
