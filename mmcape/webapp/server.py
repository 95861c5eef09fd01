"""Serving the page on a computer."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gradio as gr

from mmcape.apis import CapeInferencer
from mmcape.utils.input_error import InputError

from .finder import Finder
from .layout import CSS, THEME, build_page
from .page import Page
from .sessions import Sessions
from .uploads import MEGABYTE, Limits

_UPLOADS = 'GRADIO_TEMP_DIR'
"""Tells Gradio where to put uploads."""


@contextmanager
def serving(
    inferencer: CapeInferencer,
    host: str = '127.0.0.1',
    port: int | None = None,
    limits: Limits | None = None,
    looks: int = 2,
) -> Iterator[str]:
    """Serve the page until the context is left; its address.

    All files of visitors are in one temporary folder, which is deleted then.

    Args:
        inferencer: Holds the model.
        host: Address to listen at; by default nobody else can reach it.
        port: By default a free one from 7860 on.
        limits: Of each visitor.
        looks: See :class:`~mmcape.webapp.finder.Finder`.

    Raises:
        InputError: If it cannot listen there.
    """
    limits = limits or Limits()
    folder = Path(tempfile.mkdtemp(prefix='mmcape-web-')).resolve()
    before = os.environ.get(_UPLOADS)
    os.environ[_UPLOADS] = str(folder / 'uploads')
    finder = Finder(inferencer, looks)
    sessions = Sessions(folder / 'sessions', limits, finder.max_keypoints)
    blocks = build_page(Page(finder, sessions))
    try:
        yield _launch(blocks, host, port, limits, folder / 'sessions')
    finally:
        blocks.close(verbose=False)
        shutil.rmtree(folder, ignore_errors=True)
        del os.environ[_UPLOADS]
        if before is not None:
            os.environ[_UPLOADS] = before


def _launch(
    blocks: gr.Blocks,
    host: str,
    port: int | None,
    limits: Limits,
    pictures: Path,
) -> str:
    """Start the server in a thread; its address."""
    try:
        _, address, _ = blocks.launch(
            server_name=host,
            server_port=port,
            share=False,
            inbrowser=False,
            prevent_thread_lock=True,
            quiet=True,
            allowed_paths=[str(pictures)],
            max_file_size=round(limits.upload_mb * MEGABYTE),
            footer_links=[],
            run_history=False,
            enable_monitoring=False,
            ssr_mode=False,
            mcp_server=False,
            pwa=False,
            theme=THEME,
            css=CSS,
        )
    except OSError as error:
        raise InputError(
            f'cannot listen at {host}, port {port or "7860 to 7959"}: is the '
            'port taken, or the address not one of this computer?'
        ) from error
    return address
