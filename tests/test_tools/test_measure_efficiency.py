from __future__ import annotations

import json
import subprocess
import sys

import mmengine
import pytest

from .conftest import TOOLS

TINY = 'configs/capeformer/capeformer_tiny_puppets_1shot.py'
DOCS = TOOLS.parent / 'docs'


@pytest.fixture
def tool(load_tool):
    return load_tool('analysis_tools/measure_efficiency.py')


@pytest.fixture
def call(tool, monkeypatch):
    """Call the tool with arguments."""

    def main(*arguments):
        monkeypatch.setattr(sys, 'argv', ['tool', *map(str, arguments)])
        return tool.main()

    return main


def figures(number):
    return dict(
        device='cpu',
        parameters_m=number,
        gflops=2 * number,
        fps=3 * number,
        peak_memory_mib=4 * number,
    )


def test_a_raising_and_a_killed_config_do_not_lose_the_other(tmp_path):
    killed, raising = tmp_path / 'killed.py', tmp_path / 'raising.py'
    # mmengine would not run a config that has an import statement
    killed.write_text("os = __import__('os')\nos.kill(os.getpid(), 9)\n")
    raising.write_text("raise ValueError('one | two\\nthree')\n")
    paper = {'CapeFormer': {'parameters_m': 31.14, 'gflops': None}}
    run = subprocess.run(
        [sys.executable, TOOLS / 'analysis_tools/measure_efficiency.py']
        + [killed, raising, TINY, '--names', 'killed', 'raising', 'CapeFormer']
        + ['--paper', json.dumps(paper), '--title', 'Small ones']
        + ['--keypoints', '9', '--repeats', '1', '--out', tmp_path / 'new/e'],
        cwd=TOOLS.parent,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 1
    table = (tmp_path / 'new/e.md').read_text()
    assert table in run.stdout
    assert '[3/3] CapeFormer: configs/capeformer/' in run.stdout
    report = json.loads((tmp_path / 'new/e.json').read_text())
    assert (report['title'], report['keypoints']) == ('Small ones', 9)
    first, second, row = report['rows']
    assert first['error'] == 'its process died, perhaps for lack of memory'
    assert second['error'] == 'ValueError: one | two\nthree'
    assert r'| raising | ValueError: one \| two three |  |' in table
    assert row['paper'] == paper['CapeFormer']
    assert row['fps'] > 0
    assert row['peak_memory_mib'] > 0
    # two images through half a ResNet-18 of three stages at 128 px: stem
    # 19.3 M, stages 37.7 M, 33.6 M and 33.6 M multiply-adds each
    images = 2 * 2 * (19.3 + 37.7 + 33.6 + 33.6) / 1e3
    assert row['gflops'] == pytest.approx(images, rel=0.25)
    assert row['gflops'] > images


def test_files_are_written_after_each_config(
    tool, call, tmp_path, monkeypatch
):
    out = tmp_path / 'e'
    seen = []

    def fake(function, config, keypoints, repeats):
        assert (function, keypoints, repeats) == (tool.measure, 100, 2)
        done = []
        if seen:
            done = json.loads(out.with_suffix('.json').read_text())['rows']
            assert tool.markdown('Efficiency', done) == (
                out.with_suffix('.md').read_text()
            )
        seen.append([row['name'] for row in done])
        return figures(len(seen))

    monkeypatch.setattr(tool, 'in_own_process', fake)
    assert call('a/x.py', 'b/y.py', 'z.py', '--repeats', 2, '--out', out) == 0
    assert seen == [[], ['x'], ['x', 'y']]
    (*_, last) = json.loads(out.with_suffix('.json').read_text())['rows']
    assert last == dict(name='z', config='z.py', paper={}, **figures(3))


def test_the_papers_figures_stand_beside_ours(tool):
    rows = [
        dict(name='a', paper={}, **figures(1.234)),
        dict(
            name='b',
            paper=dict(parameters_m=31.14, gflops=None, fps=6.8),
            error='OSError: gone',
        ),
    ]
    assert tool.markdown('Some', rows) == (
        '### Some\n\n'
        '| | parameters (M) | paper (MP-100) | GFLOPs '
        '| queries/s | paper (MP-100) | peak memory (MiB) |\n'
        '|---|---|---|---|---|---|---|\n'
        '| a | 1.23 |  | 2.47 | 3.70 |  | 5 |\n'
        '| b | OSError: gone | 31.14 |  |  | 6.80 |  |\n'
    )


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--names', 'one'], 'as many names as there are configs'),
        (['--paper', '{"c": {}}'], "no row has: ['c']"),
        (['--paper', '{"a": {"fsp": 1}}'], "no row has: ['fsp']"),
    ],
)
def test_wrong_options_are_refused(call, capsys, options, message):
    with pytest.raises(SystemExit, match='2'):
        call('a.py', 'b.py', *options)
    assert message in capsys.readouterr().err


def test_an_old_torch_gets_one_message(load_tool, monkeypatch, capsys):
    for module in ('torch.nn.attention', 'torch.utils.flop_counter'):
        monkeypatch.setitem(sys.modules, module, None)
    tool = load_tool('analysis_tools/measure_efficiency.py')
    monkeypatch.setattr(tool.torch, '__version__', '2.2.2+cpu')
    monkeypatch.setattr(sys, 'argv', ['tool', 'a.py'])
    with pytest.raises(SystemExit, match='2'):
        tool.main()
    assert capsys.readouterr().err.endswith(
        'needs torch 2.3 or later to count attention, this is 2.2.2+cpu\n'
    )


def test_docs_show_what_the_tool_writes(tool):
    report = mmengine.load(DOCS / 'data/tables_efficiency.json')
    heading, _, lines = tool.markdown(
        report['title'], report['rows']
    ).partition('\n\n')
    _, found, section = (
        (DOCS / 'tables.md').read_text().partition(f'\n{heading}\n')
    )
    assert found
    assert lines in section.partition('\n#')[0]

    table = mmengine.load(TOOLS / 'tables.yml')['efficiency']
    assert report['title'] == table['title']
    assert report['keypoints'] == table['keypoints']['mp100']
    (column,), (shots,) = table['columns'], table['shots']
    assert [
        (row['name'], row['config'], row['paper']) for row in report['rows']
    ] == [
        (
            name,
            'configs/' + row['mp100'].format(column=column, shots=shots),
            table['paper'].get(name, {}),
        )
        for name, row in table['rows'].items()
    ]
