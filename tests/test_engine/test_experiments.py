from __future__ import annotations

import json
import sys
from pathlib import Path

import filelock
import pytest
from mmengine.config import Config

from mmcape.engine.experiments import ExperimentRunner, schedule_options
from mmcape.evaluation.paper_tables import Cell

ROOT = Path(__file__).parents[2]
CELL = Cell(
    'CapeFormer',
    'puppets',
    1,
    'capeformer/capeformer_tiny_puppets_1shot.py',
    None,
)


def make_data(folder, text=''):
    (folder / 'annotations').mkdir(parents=True, exist_ok=True)
    for split in ('train', 'val', 'test'):
        path = folder / f'annotations/puppets_{split}.json'
        path.write_text(split + text)


@pytest.fixture
def calls(monkeypatch):
    """Tools that ran, in place of running them."""
    found = []

    def run(self, log, tool, *arguments, options=()):
        found.append((tool, [*map(str, arguments)], [*options]))
        folder = log.parent
        if 'train' in tool:
            epochs = self.epochs or 15
            (folder / f'epoch_{epochs}.pth').write_text('weights')
        elif tool == 'tools/test.py':
            (folder / 'test_1shot.json').write_text(json.dumps(len(found)))

    monkeypatch.setattr(ExperimentRunner, '_run', run)
    return found


@pytest.fixture
def make(tmp_path):
    """Makes runners of one work folder."""
    make_data(tmp_path / 'data')

    def runner(**options):
        settings = dict(data_root=tmp_path / 'data', epochs=2)
        return ExperimentRunner(
            ROOT, tmp_path, said.append, **{**settings, **options}
        )

    said = []
    runner.said = said
    return runner


def tools_of(calls):
    return [tool for tool, _, _ in calls]


def test_finished_work_is_not_done_again(make, calls):
    assert make().finished(CELL) is None
    assert make().result(CELL) == make().result(CELL) == 2
    assert tools_of(calls) == ['tools/train.py', 'tools/test.py']
    assert make().finished(CELL) == 2
    assert make(epochs=3).finished(CELL) is None

    _, arguments, options = calls[0]
    assert {'--resume', '--auto-scale-lr'} <= {*arguments}
    assert 'train_cfg.max_epochs=2' in options


@pytest.mark.parametrize(
    ('options', 'what'),
    [
        (dict(epochs=3), 'epochs'),
        (dict(bfloat16=True), 'options'),
        (dict(overrides=['model.head.embed_dims=64']), 'options'),
        (dict(gpus=2), 'gpus'),
    ],
)
def test_other_settings_are_refused(make, calls, options, what):
    make().result(CELL)
    with pytest.raises(RuntimeError, match=f'with other {what}: remove'):
        make(**options).result(CELL)


def test_other_data_are_refused(make, calls, tmp_path):
    make().result(CELL)
    make_data(tmp_path / 'data', ' of another seed')
    with pytest.raises(RuntimeError, match='with other data: remove'):
        make().result(CELL)


def test_settings_may_change_before_anything_is_trained(make, calls, tmp_path):
    with pytest.raises(RuntimeError, match=r'train\.json is missing'):
        make(data_root=tmp_path / 'later').result(CELL)
    # Puppets were to be drawn, which the fake does not do
    assert tools_of(calls) == ['tools/dataset_converters/make_puppets.py']
    make_data(tmp_path / 'later')
    make(data_root=tmp_path / 'later').result(CELL)
    assert tools_of(calls)[1:] == ['tools/train.py', 'tools/test.py']


def test_missing_mp100_names_the_guide(make, calls, tmp_path):
    cell = Cell(
        'CapeFormer',
        'split1',
        1,
        'capeformer/capeformer_r50_mp100-split1_1shot.py',
        None,
    )
    with pytest.raises(RuntimeError, match=r'is missing: .*docs/mp100\.md'):
        make().result(cell)
    assert calls == []


def test_one_process_a_folder(make, calls, tmp_path):
    folder = tmp_path / Path(CELL.config).stem
    folder.mkdir()
    lock = filelock.FileLock(folder / '.lock', is_singleton=False)
    with lock, pytest.raises(RuntimeError, match='another process works in'):
        make().result(CELL)
    assert calls == []
    make().result(CELL)


def test_several_gpus_use_the_launcher(make, calls):
    make(gpus=4, overrides=['a=1']).result(CELL)
    tool, arguments, options = calls[0]
    assert (tool, arguments[1]) == ('tools/dist_train.sh', '4')
    assert 'a=1' in options
    assert 'a=1' in calls[1][2]


def test_a_shorter_schedule_keeps_its_steps():
    name = 'configs/capeformer/capeformer_r50_mp100-split1_1shot.py'
    assert schedule_options(Config.fromfile(str(ROOT / name)), 20) == [
        'train_cfg.max_epochs=20',
        'param_scheduler.1.end=20',
        'param_scheduler.1.milestones=[16,18]',
    ]


@pytest.fixture
def project(tmp_path):
    """A project with one tool, which ends with the status it is given."""
    (tmp_path / 'tool.py').write_text(
        'import sys\nprint("INFO - 1/2 eta: 1 s  time: 3")\nprint("done")\n'
        'sys.exit(int(sys.argv[1]))\n'
    )
    return tmp_path


@pytest.mark.parametrize('status', [0, 1])
def test_output_goes_to_the_log_and_progress_to_the_screen(project, status):
    said = []
    runner = ExperimentRunner(project, project, said.append)
    log = project / 'log'
    if status:
        with pytest.raises(RuntimeError, match=r'tool\.py failed, see .*log'):
            runner._run(log, 'tool.py', status)
    else:
        runner._run(log, 'tool.py', status, options=['a=1'])
        assert said[0].endswith('tool.py 0 --cfg-options a=1\n')
    assert log.read_text().endswith('done\n')
    assert said[1].strip() == '1/2 eta: 1 s'


def test_a_tool_does_not_outlive_its_caller(project, monkeypatch):
    (project / 'tool.py').write_text(
        'import time\nprint("INFO -  eta: ", flush=True)\ntime.sleep(60)\n'
    )

    def interrupt(text):
        if 'eta' in text:
            raise KeyboardInterrupt

    started = []
    popen = sys.modules['mmcape.engine.experiments'].subprocess.Popen

    def watch(*arguments, **options):
        started.append(popen(*arguments, **options))
        return started[-1]

    monkeypatch.setattr('mmcape.engine.experiments.subprocess.Popen', watch)
    runner = ExperimentRunner(project, project, interrupt)
    with pytest.raises(KeyboardInterrupt):
        runner._run(project / 'log', 'tool.py')
    assert started[0].poll() is not None
