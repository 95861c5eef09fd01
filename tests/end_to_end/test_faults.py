"""Rows of the table in docs/faults_run.md, each through the tools."""

from __future__ import annotations

import re
import shutil
import socket
import time
from pathlib import Path

import pytest
import torch

from mmcape.datasets import MP100Dataset
from mmcape.datasets.episodes import training_episodes

FAULTY = """
_base_ = '{base}'
custom_imports = dict(imports=['mmcape', 'injected_faults'])
custom_hooks = [
    *_base_.custom_hooks,
    {hooks},
]
"""
SHORT = {
    'train_cfg.max_epochs': 2,
    'train_cfg.val_begin': 3,
    'default_hooks.checkpoint.interval': 1,
    'default_hooks.checkpoint.save_best': None,
}
TRAIN = 'train_dataloader.dataset'


class FaultyRun:
    """Trains a copy of the data set, with faults in it."""

    def __init__(self, tools, puppets_dir, folder):
        self.tools = tools
        self.folder = folder
        self.work_dir = folder / 'work'
        self.data = folder / 'data'
        shutil.copytree(puppets_dir, self.data)
        self.dataset = MP100Dataset(
            ann_file='annotations/puppets_train.json', data_root=self.data
        )

    def episodes(self, epoch):
        """Epoch of the tools, which have seed 0."""
        groups = self.dataset.category_instances()
        return training_episodes(groups, 1, 0, epoch, 8)

    def train(self, *hooks, tool=('tools/train.py',), status=1, **options):
        """Train until the end that is expected; what was printed."""
        config = self.folder / 'faulty.py'
        base = Path(self.tools.config).resolve()
        config.write_text(
            FAULTY.format(base=base, hooks=', '.join(map(repr, hooks)))
        )
        script, *arguments = tool
        process = self.tools.start(
            script,
            config,
            *arguments,
            '--work-dir',
            self.work_dir,
            options={
                **SHORT,
                f'{TRAIN}.data_root': self.data,
                **options,
            },
        )
        output, _ = process.communicate(timeout=240)
        assert process.returncode == status, output
        return output

    def train_ranks(self, *hooks, **arguments):
        """Train with two processes."""
        tool = ('tools/dist_train.sh', 2)
        return self.train(*hooks, tool=tool, **arguments)


@pytest.fixture
def run(tools, puppets_dir, tmp_path, monkeypatch):
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        monkeypatch.setenv('PORT', str(free.getsockname()[1]))
    monkeypatch.setenv('PYTHONPATH', str(Path(__file__).parent), prepend=':')
    return FaultyRun(tools, puppets_dir, tmp_path)


def name_of(run, position):
    record = run.dataset.get_data_info(position)
    return f'annotation {record["id"]} of {record["img_path"]}'


def test_lost_image_stops_the_training_with_its_name(run):
    lost = run.dataset.get_data_info(0)['img_path']
    output = run.train(
        dict(type='BreakImage', epoch=1, truncated=[lost]),
        **{'train_dataloader.num_workers': 1},
    )
    assert (
        f'of image {lost}: the file is missing or no intact image. Restore '
        'the file, or go on without'
    ) in output
    assert f'The last checkpoint is {run.work_dir}/epoch_1.pth' in output
    assert 'Traceback' not in output


def test_lost_images_are_skipped_counted_and_reported(run):
    groups = run.dataset.category_instances()
    deleted, cut = (list(groups.values())[i][0] for i in (0, 1))
    paths = {
        i: run.dataset.get_data_info(i)['img_path'] for i in (deleted, cut)
    }
    output = run.train(
        dict(
            type='BreakImage',
            epoch=1,
            deleted=[paths[deleted]],
            truncated=[paths[cut]],
        ),
        status=0,
        **{
            f'{TRAIN}.on_broken_image': 'skip',
            'train_dataloader.num_workers': 2,
            'train_dataloader.persistent_workers': True,
        },
    )
    assert 'Epoch(train) [2][8/8]' in output
    assert '2 images could not be read' in output
    for position, path in paths.items():
        count = sum(
            position in (*episode.support, episode.query)
            for episode in run.episodes(epoch=1)
        )
        assert count > 0
        assert output.count(f'image {path} is skipped: the file is') == 1
        assert re.search(
            rf'{re.escape(path)}: .* \(episodes: {count}\)', output
        )


def test_lost_image_stops_a_test(run):
    path = sorted((run.data / 'images').glob('*/*.jpg'))
    for image in path:  # whichever the episodes draw
        image.write_bytes(image.read_bytes()[:-500])
    process = run.tools.start(
        'tools/test.py',
        run.tools.config,
        'none',
        '--work-dir',
        run.work_dir,
        options={'test_dataloader.dataset.data_root': run.data},
    )
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 1, output
    assert re.search(r'annotation \d+ of image \S+\.jpg: the file is', output)
    assert 'an evaluation skips none' in output
    assert 'Traceback' not in output


def test_lost_number_stops_with_the_episode(run):
    output = run.train(dict(type='LoseNumber', step=9, row=2))
    offender = run.episodes(epoch=1)[1 * 4 + 2]
    assert (
        'the loss of iteration 10 (epoch 2) is not finite:\n  '
        f'{name_of(run, offender.query)} with support '
    ) in output
    assert f'The last checkpoint is {run.work_dir}/epoch_1.pth' in output
    assert 'Traceback' not in output


def test_lost_numbers_are_skipped_by_all_ranks(run):
    output = run.train_ranks(
        dict(type='LoseNumber', step=2, row=1, rank=1),
        dict(type='LoseNumber', step=5, row=0, rank=0),
        status=0,
        **{'custom_hooks.4.on_nonfinite': 'skip'},
    )
    first = run.episodes(epoch=0)[(2 * 4 + 1) * 2 + 1]
    second = run.episodes(epoch=1)[1 * 4 * 2]
    assert '2 steps were left out' in output
    for rank, episode in ((1, first), (0, second)):
        line = f'\n  rank {rank}: {name_of(run, episode.query)} with'
        assert output.count(line) == 2  # when it happens, and at the end
    assert 'loss: nan' not in output
    assert 'grad_norm: nan' not in output
    saved = torch.load(run.work_dir / 'epoch_2.pth', weights_only=True)
    for name, value in saved['state_dict'].items():
        assert value.isfinite().all(), name


def test_dead_worker_is_one_error(run):
    output = run.train(
        dict(type='KillWorker', step=9), **{'train_dataloader.num_workers': 1}
    )
    assert 'a process that loads images has died: DataLoader worker' in output
    assert 'use fewer workers' in output
    assert f'The last checkpoint is {run.work_dir}/epoch_1.pth' in output
    assert 'Traceback' not in output


def test_dead_rank_ends_the_others(run):
    output = run.train_ranks(
        dict(type='KillRank', step=5, rank=1, stamp=str(run.folder / 'stamp'))
    )
    ended = time.time() - float((run.folder / 'stamp').read_text())
    assert ended < 30
    assert re.search(r'error on rank 0: .*: rank 1 \(process \d+ on', output)
    assert f'The last checkpoint is {run.work_dir}/epoch_1.pth' in output


def test_rank_with_an_error_ends_the_others(run):
    output = run.train_ranks(
        dict(type='FailRank', step=5, rank=1, stamp=str(run.folder / 'stamp'))
    )
    ended = time.time() - float((run.folder / 'stamp').read_text())
    assert ended < 30
    assert "KeyError: 'an ordinary error'" in output
    assert re.search(r'error on rank 0: .*: rank 1 \(process \d+ on', output)
    assert f'The last checkpoint is {run.work_dir}/epoch_1.pth' in output


def test_rank_that_hangs_is_waited_for_as_configured(run):
    output = run.train_ranks(
        dict(
            type='HangRank',
            step=5,
            rank=1,
            seconds=200,
            stamp=str(run.folder / 'stamp'),
        ),
        **{'env_cfg.dist_cfg.timeout': 5},
    )
    ended = time.time() - float((run.folder / 'stamp').read_text())
    assert 5 <= ended < 35
    assert (
        'error on rank 0: not all ranks met within the seconds of '
        'env_cfg.dist_cfg.timeout: all processes live, so one of them hangs'
    ) in output
    assert (
        'error on rank 1: ended by the launcher (SIGTERM): rank 0 (process'
    ) in output
    assert f'The last checkpoint is {run.work_dir}/epoch_1.pth' in output
