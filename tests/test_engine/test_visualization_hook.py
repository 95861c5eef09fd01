from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmpose.registry import MODELS

from mmcape.apis.episode_sets import open_episodes
from mmcape.apis.model_loading import load_config
from mmcape.engine import EpisodeVisualizationHook
from mmcape.visualization import EpisodeVisualizer


@pytest.fixture(scope='module')
def config(puppets_dir):
    cfg = load_config('capeformer_tiny_puppets_1shot')
    for subset in ('train', 'test'):
        cfg[f'{subset}_dataloader'].dataset.data_root = str(puppets_dir)
    cfg.test_dataloader.sampler.update(num_queries=2, num_episodes=2)
    return cfg


@pytest.fixture(scope='module')
def runner(config):
    """What the hook needs of mmengine's runner."""
    dataset, episodes = open_episodes(config, 'test')
    loader = SimpleNamespace(dataset=dataset)
    loop = SimpleNamespace(dataloader=loader, fp16=False)
    train = SimpleNamespace(dataset=open_episodes(config, 'train')[0])
    return SimpleNamespace(
        model=MODELS.build(config.model),
        visualizer=EpisodeVisualizer(panel=60),
        episodes=episodes,
        train_dataloader=train,
        val_loop=loop,
        test_loop=loop,
        epoch=2,
        iter=40,
    )


def outputs(runner):
    """The samples of all episodes, as a loop hands them over."""
    dataset = runner.test_loop.dataloader.dataset
    return [dataset[episode]['data_samples'] for episode in runner.episodes]


def names(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob('*.jpg'))


def test_episodes_that_are_due_are_drawn(runner, tmp_path):
    hook = EpisodeVisualizationHook(
        True,
        interval=4,
        max_pictures=2,
        figures=['result', 'walk'],
        out_dir=str(tmp_path),
    )
    hook.before_test_epoch(runner)
    samples = outputs(runner)
    hook.after_test_iter(runner, 0, None, samples[:6])
    hook.after_test_iter(runner, 1, None, samples[6:])
    drawn = [f'{i:06d}_{samples[i].category_name}' for i in (0, 4)]
    assert names(tmp_path) == [
        f'{name}_{figure}.jpg'
        for name in drawn
        for figure in ('result', 'walk')
    ]
    hook.after_val_iter(runner, 0, None, samples)  # there were two already
    hook.before_val_epoch(runner)
    hook.after_val_iter(runner, 0, None, samples[:1])
    assert f'val_epoch_2/{drawn[0]}_walk.jpg' in names(tmp_path)


def test_a_test_asks_for_nothing_of_training(runner, tmp_path):
    """Where there is no training data its loop cannot be built."""
    there = ('model', 'visualizer', 'test_loop')
    testing = SimpleNamespace(**{name: vars(runner)[name] for name in there})
    hook = EpisodeVisualizationHook(
        True, interval=1, max_pictures=1, out_dir=str(tmp_path)
    )
    hook.after_test_iter(testing, 0, None, outputs(runner)[:1])
    assert names(tmp_path)


def test_what_is_drawn_is_the_episode_of_the_sample(runner, monkeypatch):
    seen = []
    monkeypatch.setattr(
        EpisodeVisualizer,
        'add_episode',
        lambda self, name, found, **options: seen.append((found, options)),
    )
    hook = EpisodeVisualizationHook(True, interval=1)
    samples = outputs(runner)
    hook.after_test_iter(runner, 0, None, samples)
    assert len(seen) == len(samples) > 4
    for sample, (found, options) in zip(samples, seen):
        for key in ('id', 'support_ids', 'episode_index', 'draw'):
            assert found.sample.metainfo[key] == sample.metainfo[key]
        count = sample.num_keypoints
        assert len(options['category']['keypoint_names']) == count


def test_training_shows_the_batch_as_it_was_augmented(
    runner, config, tmp_path
):
    dataset, episodes = open_episodes(config, 'train', seed=3)
    batch = pseudo_collate([dataset[episode] for episode in episodes[:2]])
    runner.model.train()
    hook = EpisodeVisualizationHook(
        True, train_interval=2, out_dir=str(tmp_path)
    )
    for step in range(2):
        hook.after_train_iter(runner, step, batch, {})
    name = f'{episodes[0].index:06d}_{batch["data_samples"][0].category_name}'
    assert names(tmp_path) == [f'train_epoch_3/{name}_result.jpg']
    assert runner.model.training
    assert all(p.grad is None for p in runner.model.parameters())
    runner.model.eval()


def test_nothing_is_drawn_unless_it_is_wanted(runner, tmp_path):
    hook = EpisodeVisualizationHook(out_dir=str(tmp_path), interval=1)
    hook.before_run(runner)
    hook.after_test_iter(runner, 0, None, outputs(runner))
    hook.after_train_iter(runner, 0, {}, {})
    assert not names(tmp_path)


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match=r"\['walks'\].*'walk'"):
        EpisodeVisualizationHook(figures=['walks'])
    other = SimpleNamespace(visualizer=SimpleNamespace())
    with pytest.raises(ValueError, match="type='EpisodeVisualizer'"):
        EpisodeVisualizationHook(True).before_run(other)


def test_pictures_change_no_prediction(runner):
    dataset = runner.test_loop.dataloader.dataset
    data = pseudo_collate([dataset[e] for e in runner.episodes[:3]])

    def predict():
        batch = runner.model.data_preprocessor(data)
        with torch.no_grad():
            samples = runner.model(**batch, mode='predict')
        return [s.pred_instances.keypoints.copy() for s in samples]

    before = predict()
    hook = EpisodeVisualizationHook(True, interval=1, out_dir=None)
    hook.after_test_iter(runner, 0, None, outputs(runner)[:2])
    assert all(map(np.array_equal, before, predict()))
