"""Every tool with its options, read from the tools themselves.

A tool's parser is caught at the moment when the tool would read its command
line. So the page shows what ``--help`` knows, and a tool needs to do nothing
for it.
"""

from __future__ import annotations

import argparse
import re
import runpy
import sys
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Iterable, Iterator
from itertools import groupby, takewhile
from pathlib import Path
from textwrap import dedent
from typing import NoReturn
from unittest import mock

from sphinx.application import Sphinx
from sphinx.util import logging

ROOT = Path(__file__).parents[2]
PAGE = 'tools'
MARK = '<!-- every tool -->'
OPTION = re.compile(r'(?<![\w`-])(--[a-z][\w-]*)')
BLOCK = ('', 'text')  # what opens a block of code, or is empty
SILENT = (argparse._HelpAction, argparse._SubParsersAction)

logger = logging.getLogger(__name__)


class ParserCaught(BaseException):
    """Ends a tool; passes through what a tool catches itself."""

    def __init__(self, parser: ArgumentParser) -> None:
        self.parser = parser


def tools(root: Path = ROOT) -> list[Path]:
    """All tools: first those in the folder itself, then folder by folder."""
    files = [
        path
        for path in (root / 'tools').rglob('*')
        if path.suffix in ('.py', '.sh') and not path.name.startswith('_')
    ]
    return sorted(files, key=lambda path: (len(path.parts), path))


def parser_of(path: Path) -> ArgumentParser:
    """The parser that a tool reads its command line with.

    Raises:
        ValueError: If the tool ends without having read it.
    """

    def catch(parser: ArgumentParser, *_: object, **__: object) -> NoReturn:
        raise ParserCaught(parser)

    with (
        mock.patch.object(sys, 'argv', [str(path)]),
        mock.patch.object(sys, 'path', [str(path.parent), *sys.path]),
        mock.patch.object(ArgumentParser, 'parse_args', catch),
        mock.patch.object(ArgumentParser, 'parse_known_args', catch),
    ):
        try:
            runpy.run_path(str(path), run_name='__main__')
        except ParserCaught as end:
            return end.parser
    raise ValueError(f'{path} reads no command line with argparse')


def tool_section(path: Path, root: Path = ROOT) -> str:
    """Markdown that describes one tool.

    Raises:
        ValueError: If an option has no help, or a shell script no usage.
    """
    title = f'## {path.relative_to(root).as_posix()}\n'
    if path.suffix == '.py':
        return '\n'.join([title, *command_lines(parser_of(path))])
    lines = path.read_text().splitlines()[1:]
    comments = takewhile(lambda line: line.startswith('#'), lines)
    usage, *text = [line.lstrip('# ') for line in comments] or ['']
    if not usage:
        raise ValueError('its usage does not follow the first line')
    return '\n'.join([title, '```text', usage, '```\n', *text, ''])


def command_lines(parser: ArgumentParser) -> Iterator[str]:
    """What a parser tells, and then each of its sub-commands."""
    yield description(parser.description or '')
    for group in parser._action_groups:
        actions = [
            action
            for action in group._group_actions
            if not isinstance(action, SILENT) and action.help != SUPPRESS
        ]
        if actions:
            title = (group.title or '').removeprefix('positional ')
            yield f'\n**{title.capitalize()}**\n'
            for action in actions:
                yield option(parser, action)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {one.dest: one.help for one in action._choices_actions}
            for name, command in action.choices.items():
                yield f'### {command.prog}\n\n{prose(helps[name] or "")}\n'
                yield from command_lines(command)


def description(text: str) -> str:
    """Markdown of a docstring: what is indented in it is literal.

    What is indented below an item of a list belongs to the item.
    """
    parts = ['']
    for indented, group in groupby(
        text.splitlines(), lambda line: line.startswith('  ')
    ):
        lines = '\n'.join(group)
        item = re.search(r'(^|\n)- [^\n]*$', parts[-1])
        if indented and not item:
            lines = f'\n```text\n{dedent(lines)}\n```\n'
        else:
            lines = OPTION.sub(r'`\1`', lines)
        parts.append(lines)
    return '\n'.join(parts)


def option(parser: ArgumentParser, action: argparse.Action) -> str:
    """An entry of a definition list.

    Raises:
        ValueError: If there is no help for it.
    """
    formatter = parser._get_formatter()
    name = formatter._format_action_invocation(action)
    if not action.help:
        raise ValueError(f'{parser.prog} has no help for {name}')
    text = formatter._expand_help(action)
    sentences = [text if text.endswith(('.', ')')) else f'{text}.']
    for group in parser._mutually_exclusive_groups:
        if action in group._group_actions:
            others = ', '.join(
                other.option_strings[-1]
                for other in group._group_actions
                if other is not action
            )
            need = 'Either this or' if group.required else 'Not with'
            sentences.append(f'{need} {others}.')
    if action.option_strings:
        if action.required:
            sentences.append('Required.')
        elif 'default' not in text:
            sentences.extend(default(action.default))
    return f'`{name}`\n: {prose(" ".join(sentences))}\n'


def default(value: object) -> Iterator[str]:
    """A sentence on a default, unless it is that nothing is given."""
    if value in (None, False, SUPPRESS):
        return
    values = value if isinstance(value, (list, tuple)) else [value]
    words = ' '.join(map(str, values)).replace(f'{ROOT}/', '')
    if words:
        yield f'Default: `{words}`.'


def prose(text: str) -> str:
    """Markdown of a help text; options and names in backticks are code."""
    text = OPTION.sub(r'`\1`', ' '.join(text.split()))
    text = text[:1].upper() + text[1:]
    parts = re.split(r'(`[^`]*`)', text)
    parts[::2] = [
        re.sub(r'([\\*_<>\[\]{}#|])', r'\\\1', p) for p in parts[::2]
    ]
    return ''.join(parts)


def sections(root: Path = ROOT) -> Iterator[str]:
    """The sections of all tools; one that cannot be described is a warning."""
    for path in tools(root):
        try:
            yield tool_section(path, root)
        except (ImportError, ValueError) as error:
            name = path.relative_to(root)
            logger.warning('%s cannot be described: %s', name, error)


def overview(described: Iterable[str]) -> str:
    """A table of the tools: name and first line of each section."""
    rows = ['| tool | |', '|---|---|']
    for section in described:
        title, *lines = section.splitlines()
        name = title.lstrip('# ')
        first = next(line for line in lines if line.strip('`') not in BLOCK)
        if first.startswith(name):
            first = f'`{first}`'
        anchor = re.sub(r'[^\w-]', '', name)
        rows.append(f'| [{name}](#{anchor}) | {first} |')
    return '\n'.join(rows)


def describe(app: Sphinx, page: str, content: list[str]) -> None:
    """Puts the tools where the page has its mark."""
    if page == PAGE:
        for path in tools():
            app.env.note_dependency(str(path))
        described = list(sections())
        text = '\n\n'.join([overview(described), *described])
        content[0] = content[0].replace(MARK, text)


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls."""
    app.connect('source-read', describe)
    return dict(parallel_read_safe=True, parallel_write_safe=True)
