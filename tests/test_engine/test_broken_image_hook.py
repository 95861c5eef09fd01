from __future__ import annotations

import logging
from types import SimpleNamespace

from mmengine.logging import MessageHub

from mmcape.engine import BrokenImageHook
from mmcape.engine.hooks import broken_image_hook
from mmcape.structures import EpisodeDataSample


def make_runner():
    return SimpleNamespace(
        message_hub=MessageHub('test'), logger=logging.getLogger('test')
    )


def run_epoch(hook, runner, *batches):
    hook.before_train(runner)
    for files in batches:
        samples = [
            EpisodeDataSample(
                metainfo=dict(broken_images=((name, 'gone'),) if name else ())
            )
            for name in files
        ]
        hook.after_train_iter(runner, 0, dict(data_samples=samples))
    hook.after_train_epoch(runner)


def test_files_are_logged_once_and_counted(caplog):
    runner, hook = make_runner(), BrokenImageHook()
    run_epoch(hook, runner, ['a.jpg', ''], ['a.jpg', 'b.jpg'])
    run_epoch(hook, runner, ['a.jpg'])
    assert caplog.text.count('image a.jpg is skipped: gone') == 1
    assert caplog.text.count('image b.jpg is skipped: gone') == 1
    hook.after_train(runner)
    assert '2 images could not be read' in caplog.text
    assert 'a.jpg: gone (episodes: 3)' in caplog.text
    assert 'b.jpg: gone (episodes: 1)' in caplog.text


def test_counts_go_on_after_a_resume(caplog):
    runner = make_runner()
    run_epoch(BrokenImageHook(), runner, ['a.jpg'])
    resumed, hook = make_runner(), BrokenImageHook()
    resumed.message_hub.load_state_dict(runner.message_hub.state_dict())
    run_epoch(hook, resumed, ['a.jpg'])
    hook.after_train(resumed)
    assert 'a.jpg: gone (episodes: 2)' in caplog.text


def test_counts_of_ranks_are_added(monkeypatch, caplog):
    monkeypatch.setattr(
        broken_image_hook,
        'all_gather_object',
        lambda own: [own, {'a.jpg': ['gone', 5], 'c.jpg': ['cut', 1]}],
    )
    runner, hook = make_runner(), BrokenImageHook()
    run_epoch(hook, runner, ['a.jpg'])
    hook.after_train(runner)
    assert 'image c.jpg is skipped on another rank: cut' in caplog.text
    assert 'a.jpg: gone (episodes: 6)' in caplog.text
    assert 'c.jpg: cut (episodes: 1)' in caplog.text


def test_nothing_is_said_of_intact_images(caplog):
    runner, hook = make_runner(), BrokenImageHook()
    run_epoch(hook, runner, ['', ''])
    hook.after_train(runner)
    assert not caplog.records
