"""The README's files are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / 'README.md').read_text()


def test_every_named_file_is_there():
    names = re.findall(r'(?:configs|docs|mmcape|tools)/[\w./-]+', README)
    assert len(names) > 20
    for name in names:
        if name.endswith(('.py', '.md', '.sh', '.jpg')):
            assert (ROOT / name).is_file(), name
