"""No module and no tool is missing from the site."""

from __future__ import annotations

import logging
import pkgutil
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import mmcape

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / 'docs/extensions'))

import api_pages  # noqa: E402
import tool_pages  # noqa: E402

TOOLS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ('*.py', '*.sh')
    for path in (ROOT / 'tools').rglob(pattern)
)


@pytest.fixture
def pages(tmp_path):
    """The pages of the API reference."""
    (tmp_path / 'api').mkdir()
    (tmp_path / 'api/mmcape.gone.rst').write_text('')
    api_pages.write_pages(SimpleNamespace(srcdir=tmp_path))
    return {
        path.stem: path.read_text() for path in (tmp_path / 'api').iterdir()
    }


def test_every_module_has_a_page_that_another_leads_to(pages):
    found = pkgutil.walk_packages(mmcape.__path__, 'mmcape.')
    modules = {'mmcape', *(module.name for module in found)}
    assert set(pages) == modules
    reached = {'mmcape'}
    for name, page in pages.items():
        assert f'.. automodule:: {name}\n' in page
        _, _, toctree = page.partition('.. toctree::')
        reached |= set(re.findall(r'^   (mmcape\S*)$', toctree, re.M))
    assert modules - reached == set()


def test_exports_lead_to_where_they_are_defined(pages):
    head = 'mmcape.models.heads.capeformer_head.CapeFormerHead'
    assert (
        f':py:class:`CapeFormerHead <{head}>`' in pages['mmcape.models.heads']
    )
    maximum = 'mmcape.codecs.heatmap_maximum.heatmap_maximum'
    assert f'heatmap_maximum <{maximum}>`' in pages['mmcape.codecs']


def test_modules_without_a_page_are_named(caplog):
    modules = dict.fromkeys(api_pages.public_modules())
    del modules['mmcape.codecs.separable_gaussian']
    env = SimpleNamespace(domains={'py': SimpleNamespace(modules=modules)})
    with caplog.at_level(logging.WARNING):
        api_pages.report_missing(None, env)
    (record,) = caplog.records
    assert 'module mmcape.codecs.separable_gaussian' in record.getMessage()


@pytest.mark.parametrize(
    ('target', 'owner', 'name'),
    [
        ('FewShotHead', None, 'FewShotHead'),
        # seen by the module of a base only
        ('SupportMatching', 'CapeFormerHead', 'SupportMatching'),
        ('encode_support', 'CapeFormerHead', 'SupportMatching.encode_support'),
        ('mmcape.models.heads.MapHead', None, 'MapHead'),
    ],
)
def test_names_in_docstrings(target, owner, name):
    module = 'mmcape.models.heads.capeformer_head'
    value = api_pages.named_object(target, module, owner)
    assert value.__qualname__ == name


def test_names_of_nothing():
    module = 'mmcape.models.heads.capeformer_head'
    with pytest.raises((ImportError, AttributeError, ValueError)):
        api_pages.named_object('MapHead', module, 'CapeFormerHead')


def test_every_tool_with_all_its_options():
    sections = '\n'.join(tool_pages.sections())
    assert sorted(re.findall(r'^## (.*)$', sections, re.M)) == TOOLS
    assert '### to_mp100.py deeplabcut' in sections
    for section in sections.split('\n## ')[1:]:
        path = ROOT / section.partition('\n')[0]
        if path.suffix == '.py':
            usage = tool_pages.parser_of(path).format_help()
            options = set(re.findall(r'(?<![\w-])--[a-z][\w-]*', usage))
            missing = {o for o in options if o not in section} - {'--help'}
            assert not missing, path


@pytest.mark.parametrize(
    ('code', 'message'),
    [
        ('print()', 'reads no command line with argparse'),
        ('import not_there', "No module named 'not_there'"),
        (
            'import argparse\n'
            'parser = argparse.ArgumentParser()\n'
            "parser.add_argument('--speed')\n"
            'parser.parse_args(args=None)',
            'has no help for --speed SPEED',
        ),
    ],
)
def test_tools_that_cannot_be_described_are_named(
    code, message, tmp_path, caplog
):
    (tmp_path / 'tools').mkdir()
    (tmp_path / 'tools/fly.py').write_text(code)
    with caplog.at_level(logging.WARNING):
        assert list(tool_pages.sections(tmp_path)) == []
    (record,) = caplog.records
    assert 'tools/fly.py cannot be described' in record.getMessage()
    assert message in record.getMessage()


def test_an_option():
    parser = tool_pages.ArgumentParser()
    one = parser.add_mutually_exclusive_group()
    size = one.add_argument('--size', default=3, help='how *big*\nnot --old')
    one.add_argument('--old')
    assert tool_pages.option(parser, size) == (
        '`--size SIZE`\n: How \\*big\\* not `--old`. Not with `--old`. '
        'Default: `3`.\n'
    )


def test_overview():
    assert tool_pages.overview(
        [
            '## tools/fly.py\n\nFly.\n\n```text\nfly.py\n```',
            '## tools/fly_far.sh\n\n```text\ntools/fly_far.sh MILES\n```\n',
        ]
    ).splitlines()[2:] == [
        '| [tools/fly.py](#toolsflypy) | Fly. |',
        '| [tools/fly_far.sh](#toolsfly_farsh) | `tools/fly_far.sh MILES` |',
    ]
