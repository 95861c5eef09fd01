from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import torch

TOOLS = Path(__file__).parents[2] / 'tools'
CONVERTER = 'model_converters/published_to_mmcape.py'


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


def convert(content, tmp_path):
    """Run the converter on a checkpoint; its result and what it wrote."""
    source, target = tmp_path / 'published.pth', tmp_path / 'ours.pth'
    torch.save(content, source)
    result = subprocess.run(
        [sys.executable, TOOLS / CONVERTER, source, target],
        capture_output=True,
        text=True,
        check=False,
    )
    return result, target
