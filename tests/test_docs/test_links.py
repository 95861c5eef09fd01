"""Every relative link and picture of the Markdown files leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / 'README.md',
    ROOT / 'CHANGELOG.md',
    *sorted((ROOT / 'docs').rglob('*.md')),
    *sorted((ROOT / 'configs').rglob('*.md')),
]


def text_of(path):
    """A page without its code."""
    text = re.sub(r'^```.*?^```', '', path.read_text(), flags=re.M | re.S)
    return re.sub(r'`[^`]*`', 'code', text)


def anchors(path):
    """Anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r'^```.*?^```', '', path.read_text(), flags=re.M | re.S)
    titles = re.findall(r'^#+ (.+)$', text, re.M)
    return {
        re.sub(r'[^\w\- ]', '', title.lower()).replace(' ', '-')
        for title in titles
    }


def broken_links(path):
    """The relative links of a page that lead nowhere."""
    targets = re.findall(r'\]\(([^)\s]+)\)', text_of(path))
    targets += re.findall(
        r'<(?:img|a)[^>]*(?:src|href)="([^"]+)"', text_of(path)
    )
    for target in targets:
        if re.match(r'[a-z]+:', target):
            continue
        name, _, anchor = target.partition('#')
        file = path.parent / name if name else path
        known = file.suffix != '.md' or not anchor
        if not file.exists() or not (known or anchor in anchors(file)):
            yield target


@pytest.mark.parametrize(
    'path', PAGES, ids=[str(path.relative_to(ROOT)) for path in PAGES]
)
def test_links(path):
    assert list(broken_links(path)) == []


def test_links_that_lead_nowhere_are_named(tmp_path):
    (tmp_path / 'other.md').write_text('# A title, with `code`\n')
    page = tmp_path / 'page.md'
    page.write_text(
        '[a](other.md) [b](other.md#a-title-with-code) [c](https://x.y/z)\n'
        '[d](gone.md) ![e](gone.png) [f](other.md#gone) `[g](gone.md)`\n'
        '<img src="gone.jpg">\n```\n[h](gone.md)\n```\n'
    )
    gone = ['gone.md', 'gone.png', 'other.md#gone', 'gone.jpg']
    assert list(broken_links(page)) == gone
