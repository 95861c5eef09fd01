"""Sound files, and changes that make them unsound.

MMCAPE_FUZZ_EXAMPLES sets how many files the test of the loader reads, the
other tests a part of it. The draw is fixed: equal numbers read equal files.
"""

from __future__ import annotations

import contextlib
import copy
import json
import logging
import os
import signal

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from ..test_datasets.conftest import make_content

EXAMPLES = int(os.environ.get('MMCAPE_FUZZ_EXAMPLES', '10000'))
SECONDS = 30
"""After which an input counts as a hang, on a machine of any load."""

DEEP = 'nested deeply'
"""Becomes that in the text: json.dumps could not write it."""
VALUES = (
    *(None, True, False, '', [], {}, [[]], [{}], {'id': 1}),
    *(0, 1, 2, 7, -1, 0.5, -0.0, 1e-320, 1e39, -1e39, 1e308, 1e-9),
    *(float('nan'), float('inf'), -float('inf')),
    *(2**31, 2**63, -(2**63), 10**18, 10**400, -(10**400)),
    *('x', '0', 'nan', '\0', '\ud800', '\x1b[2J', 'é' * 300, DEEP),
    *('../fox/1.png', '/etc/passwd', '..\\x.png', 'C:\\x.png', '\\x.png'),
    *('fox/1.png', '.', 'fox', 'point', 'rectangle', 'polygon'),
    *([1.0] * 9, [1e39] * 4, [float('nan')] * 4, ['1', '2', '3', '4']),
    *([[1, 1]], [[0, 10**30]], [[1.0, 2.0]], [['nose', 'tail']]),
)
TEXTS = (
    *(b'\xff', b'\xc0\x80', b'\0', b'"', b'[', b'}', b',', b'NaN', b'-'),
    *(b'9' * 5000, b'1e999', b'[' * 2000, b'\\ud800', b'\xef\xbb\xbf'),
)
OF_A_NODE = ('replace', 'drop', 'copy', 'swap', 'rename', 'wrap', 'cut')
OF_THE_TEXT = ('truncate', 'overwrite', 'insert')

changes = st.lists(
    st.tuples(
        st.sampled_from([*OF_A_NODE, *OF_A_NODE, *OF_THE_TEXT]),
        st.integers(0, 9999),
        st.integers(0, 9999),
    ),
    min_size=1,
    max_size=4,
)


def fuzz(share=1.0):
    """Settings of a test that reads a part of the examples."""
    return settings(
        max_examples=max(1, int(EXAMPLES * share)),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def mutated(content, steps):
    """JSON of ``content`` after the changes, as bytes."""
    content = copy.deepcopy(content)
    for kind, place, choice in steps:
        if kind in OF_A_NODE:
            content = change_node(content, kind, place, choice)
    text = json.dumps(content).replace(json.dumps(DEEP), '[' * 900 + ']' * 900)
    return change_text(text.encode(), steps)


def change_text(text, steps):
    """The changes that concern bytes."""
    for kind, place, choice in steps:
        at = place * len(text) // 10000
        if kind == 'truncate':
            text = text[:at]
        elif kind == 'overwrite':
            new = TEXTS[choice % len(TEXTS)]
            text = text[:at] + new + text[at + len(new) :]
        elif kind == 'insert':
            text = text[:at] + TEXTS[choice % len(TEXTS)] + text[at:]
    return text


def nodes(value):
    """Every (container, key) below a value."""
    if isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, child in list(items):
            yield value, key
            yield from nodes(child)


def change_node(content, kind, place, choice):
    """Change one place of the tree."""
    places = list(nodes(content))
    if not places:
        return VALUES[choice % len(VALUES)]
    owner, key = places[place % len(places)]
    value = owner[key]
    if kind == 'replace':
        owner[key] = copy.deepcopy(VALUES[choice % len(VALUES)])
    elif kind == 'drop':
        del owner[key]
    elif kind == 'copy' and isinstance(owner, list):
        owner.append(copy.deepcopy(value))
    elif kind == 'swap':
        other, other_key = places[choice % len(places)]
        owner[key] = copy.deepcopy(other[other_key])
    elif kind == 'rename' and isinstance(owner, dict):
        names = sorted(owner)
        owner[names[choice % len(names)]] = owner.pop(key)
    elif kind == 'wrap':
        owner[key] = {'id': value} if choice % 2 else [value]
    elif kind == 'cut' and isinstance(value, list):
        owner[key] = value[: choice % (len(value) + 1)]
    return content


@contextlib.contextmanager
def no_hang():
    """Fails what does not end; nothing else stops a loop in C or Python."""

    def stop(*_):
        raise TimeoutError(f'no end after {SECONDS} s')

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(autouse=True)
def quick_and_quiet(monkeypatch):
    """Without warnings by the thousand, or mmengine's call of gc a file."""
    monkeypatch.setattr('gc.collect', lambda *_: 0)
    logging.disable(logging.CRITICAL)
    with np.errstate(all='raise'):
        yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope='session')
def root(tmp_path_factory):
    """A data root with small images."""
    root = tmp_path_factory.mktemp('fuzzed')
    for image in coco_content()['images']:
        path = root / 'images' / image['file_name']
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.zeros((40, 60, 3), np.uint8))
    return root


def coco_content():
    """Two categories of two images."""
    return make_content(per_category=2)
