"""The tools that look at episodes and results."""

from __future__ import annotations

import json
import pickle
import sys

import cv2
import numpy as np
import pytest
import torch

from mmcape.apis.episode_sets import open_episodes
from mmcape.apis.model_loading import build_model, load_config
from mmcape.visualization import explain

NAME = 'capeformer_tiny_puppets_1shot'


def shapes(folder):
    return {p.name: cv2.imread(str(p)).shape for p in folder.iterdir()}


def browse(load_tool, puppets_dir, out_dir, *options):
    tool = load_tool('misc/browse_dataset.py')
    data = f'{{}}_dataloader.dataset.data_root={puppets_dir}'
    settings = [data.format(subset) for subset in ('train', 'val', 'test')]
    tool.browse(
        tool.parse_args(
            [NAME, '--out-dir', str(out_dir), '--panel', '80']
            + [*map(str, options), '--cfg-options', *settings]
            + ['test_dataloader.sampler.num_shots=3']
            + ['test_dataloader.sampler.num_queries=1']
        )
    )


def test_browsed_episodes_are_a_function_of_the_seed(
    load_tool, puppets_dir, tmp_path
):
    for folder, seed in (('a', 1), ('b', 1), ('c', 2)):
        browse(
            load_tool,
            puppets_dir,
            tmp_path / folder,
            *('--number', 3, '--seed', seed),
        )
    first, again, other = (
        {p.name: p.read_bytes() for p in (tmp_path / folder).iterdir()}
        for folder in 'abc'
    )
    assert len(first) == 3
    assert first == again
    assert first != other
    assert all(
        shape[1] == 2 * 80 + 6 for shape in shapes(tmp_path / 'a').values()
    )


def test_browsed_test_has_a_column_for_each_shot(
    load_tool, puppets_dir, tmp_path
):
    options = ('--subset', 'test', '--number', 1)
    browse(load_tool, puppets_dir, tmp_path, *options)
    (shape,) = shapes(tmp_path).values()
    assert shape[1] == 4 * 80 + 3 * 6


def test_browsing_needs_somewhere_to_draw(load_tool, capsys):
    with pytest.raises(SystemExit):
        load_tool('misc/browse_dataset.py').parse_args([NAME])
    assert 'give --out-dir, or --show' in capsys.readouterr().err


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp('weights') / 'random.pth'
    model = build_model(load_config(NAME), None, 'cpu')
    torch.save(model.state_dict(), path)
    return path


@pytest.fixture
def draw(load_tool, checkpoint, puppets_dir, tmp_path):
    tool = load_tool('misc/draw_episodes.py')

    def run(*options):
        arguments = [NAME, checkpoint, '--data-root', puppets_dir]
        arguments += ['--out-dir', tmp_path / 'out', '--panel', 80, *options]
        tool.draw(tool.parse_args([*map(str, arguments)]))
        return shapes(tmp_path / 'out')

    run.tool = tool
    return run


@pytest.fixture
def few_queries(monkeypatch, draw):
    """A test of 2 queries a support: the small benchmark has no 15."""
    load = draw.tool.load_with_test_set

    def changed(args):
        cfg = load(args)
        cfg.test_dataloader.sampler.num_queries = 2
        return cfg

    monkeypatch.setattr(draw.tool, 'load_with_test_set', changed)


def test_chosen_test_episodes(draw, few_queries):
    found = draw('--episodes', 3, '--figures', 'result', 'walk')
    assert len(found) == 2
    assert all(name.startswith('000003_') for name in found)
    widths = sorted(shape[1] for shape in found.values())
    assert widths == [4 * 80 + 3 * 6] * 2
    with pytest.raises(draw.tool.InputError, match='no episode 9999'):
        draw('--episodes', 9999)


def test_own_pictures(draw, puppets_dir):
    annotations = puppets_dir / 'annotations/puppets_test.json'
    content = json.loads(annotations.read_text())
    category = content['categories'][0]['name']
    images = sorted((puppets_dir / 'images' / category).iterdir())[:2]
    found = draw(
        *('--support', annotations, '--category', category, '--shots', 2),
        *('--query', *images, '--box', '10,10,100,120'),
        *('--figures', 'result', 'attention', '--keypoints', 0, 1),
    )
    assert sorted(found) == [
        f'{image.stem}_{figure}.jpg'
        for image in images
        for figure in ('attention', 'result')
    ]
    # two supports, proposals and prediction; there is no annotation
    assert found[f'{images[0].stem}_result.jpg'][1] == 4 * 80 + 3 * 6
    with pytest.raises(draw.tool.InputError, match='--box 1,b is'):
        draw('--support', annotations, '--query', images[0], '--box', '1,b')


@pytest.fixture
def result_files(puppets_dir, tmp_path):
    """A dump and a report of a model with random weights."""
    from mmcape.evaluation import EpisodePCK

    cfg = load_config(NAME)
    cfg.test_dataloader.dataset.data_root = str(puppets_dir)
    cfg.test_dataloader.sampler.update(num_queries=2, num_episodes=2)
    dataset, episodes = open_episodes(cfg, 'test')
    model = build_model(cfg, None, 'cpu')
    samples = [
        explain(model, dataset[episode]).sample.to_dict()
        for episode in episodes
    ]
    dump, report = tmp_path / 'dump.pkl', tmp_path / 'results.json'
    dump.write_bytes(pickle.dumps(samples, protocol=2))
    metric = EpisodePCK(result_file=str(report))
    metric.dataset_meta = dataset.metainfo
    metric.process(None, samples)
    metric.compute_metrics(metric.results)
    return dump, report


def analyze(load_tool, monkeypatch, *arguments):
    tool = load_tool('analysis_tools/analyze_results.py')
    monkeypatch.setattr(sys, 'argv', ['tool', *map(str, arguments)])
    tool.main()


def test_dump_gives_four_pictures(
    load_tool, monkeypatch, result_files, tmp_path, capsys
):
    out = tmp_path / 'out'
    options = ('--out-dir', out, '--worst', 3)
    analyze(load_tool, monkeypatch, *result_files, *options)
    found = shapes(out)
    assert sorted(found) == [
        'error_by_confidence.png',
        'pck_curves.png',
        'per_category.png',
        'worst_episodes.jpg',
    ]
    # two rows of two, support, prediction and annotation each
    assert found['worst_episodes.jpg'][1] == 2 * (3 * 200 + 2 * 6) + 6
    report = json.loads(result_files[1].read_text())
    text = capsys.readouterr().out
    assert f'PCK@0.2 {report["metrics"]["PCK@0.2"]:.2%}' in text
    analyze(load_tool, monkeypatch, result_files[0], *options)  # no skeletons


def test_report_alone_gives_bars_curves_and_a_list(
    load_tool, monkeypatch, result_files, tmp_path, capsys
):
    out = tmp_path / 'out'
    options = ('--out-dir', out, '--worst', 2)
    analyze(load_tool, monkeypatch, result_files[1], *options)
    assert sorted(shapes(out)) == ['pck_curves.png', 'per_category.png']
    text = capsys.readouterr().out
    assert text.count('draw') == 2
    assert 'need test.py --dump' in text


def test_missing_image_is_named(
    load_tool, monkeypatch, result_files, tmp_path
):
    samples = pickle.loads(result_files[0].read_bytes())
    for sample in samples:
        sample['img_path'] = 'gone.jpg'
    result_files[0].write_bytes(pickle.dumps(samples))
    with pytest.raises(SystemExit, match='gone.jpg.*where the test ran'):
        analyze(
            load_tool,
            monkeypatch,
            result_files[0],
            *('--out-dir', tmp_path / 'out'),
        )
    assert np.all([(tmp_path / 'out/pck_curves.png').is_file()])
