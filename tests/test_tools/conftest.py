from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / 'tools'


@pytest.fixture
def load_tool(monkeypatch):
    """Import a script below tools/ as a module."""

    def load(path):
        spec = importlib.util.spec_from_file_location(
            Path(path).stem, TOOLS / path
        )
        module = importlib.util.module_from_spec(spec)
        # dataclasses look their module up by name
        monkeypatch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        return module

    return load
