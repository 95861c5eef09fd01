"""Whether there is a window to draw into."""

from __future__ import annotations

import os
import sys

from mmcape.utils.input_error import InputError


def require_display() -> None:
    """Refuse to open a window where there is no display.

    Raises:
        InputError: If there is none; OpenCV would end the process.
    """
    screens = ('DISPLAY', 'WAYLAND_DISPLAY')
    if sys.platform.startswith('linux') and not any(
        os.environ.get(name) for name in screens
    ):
        raise InputError(
            'there is no display to open a window on (DISPLAY is not set): '
            'write pictures with out_dir instead, and give a support as a file'
        )
