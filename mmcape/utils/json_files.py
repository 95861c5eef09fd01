"""Reading JSON that somebody else has written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


class JsonError(ValueError):
    """A file that is no JSON."""


def read_json(path: str | os.PathLike[str]) -> Any:
    """Content of a JSON file in UTF-8.

    Raises:
        JsonError: If it is no JSON, or nested too deeply to be read.
        OSError: If there is no such file.
    """
    content = Path(path).read_bytes()
    try:
        return json.loads(content.decode('utf-8'))
    except RecursionError:
        raise JsonError(
            f'{path} is not valid JSON for us: it is nested too deeply'
        ) from None
    except ValueError as error:
        raise JsonError(f'{path} is not valid JSON: {error}') from error
