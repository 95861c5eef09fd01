from __future__ import annotations

import json
import pickle

import cv2
import numpy as np
import pytest

ONE_BY_ONE = {
    'test_dataloader.batch_size': 1,
    'test_cfg.pairs_per_batch': 1,
}


def run_test(tools, trained, folder, *command, options=()):
    if not command:
        command = ('tools/test.py', tools.config, trained / 'epoch_3.pth')
    folder.mkdir(exist_ok=True)
    output = tools.run(
        *command,
        '--work-dir',
        folder,
        '--dump',
        folder / 'dump.pkl',
        options=options,
    )
    report = json.loads((folder / 'test_results.json').read_text())
    samples = pickle.loads((folder / 'dump.pkl').read_bytes())
    return output, report, samples


@pytest.fixture(scope='module')
def single(tools, trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp('single')
    return run_test(tools, trained, folder)


def test_report(single):
    output, report, samples = single
    assert report['pairs'] == len(samples) == 3 * 2 * 3
    assert set(report['metrics']) == {
        *(f'PCK@{t}' for t in (0.05, 0.1, 0.15, 0.2, 0.25)),
        'mPCK',
        'mPCK4',
        'AUC',
        'EPE',
        'NME',
        'PCK@0.2_ci95',
    }
    assert len(report['per_category']) == 3
    for kind in ('instances', 'episodes'):
        assert f'{kind} sha256: {report[f"{kind}_sha256"]}' in output


@pytest.fixture(scope='module')
def one_by_one(tools, trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp('one_by_one')
    options = ONE_BY_ONE
    return run_test(tools, trained, folder, options=options)


def test_two_processes_give_the_same_metrics(
    one_by_one, tools, trained, tmp_path
):
    """To the last digit, in batches of one pair.

    Matrix products of other sizes round differently.
    """
    command = ('tools/dist_test.sh', tools.config, trained / 'epoch_3.pth', 2)
    options = ONE_BY_ONE
    _, report, samples = run_test(
        tools, trained, tmp_path, *command, options=options
    )
    assert report == one_by_one[1]
    assert len(samples) == len(one_by_one[2]) == 18


def predictions(samples):
    return {
        s['episode_index']: s['pred_instances']['keypoints'] for s in samples
    }


def test_batch_size_changes_nothing(one_by_one, tools, trained, tmp_path):
    options = {'test_dataloader.batch_size': 8, 'test_cfg.pairs_per_batch': 6}
    _, report, samples = run_test(tools, trained, tmp_path, options=options)
    expected = predictions(one_by_one[2])
    for index, keypoints in predictions(samples).items():
        np.testing.assert_allclose(keypoints, expected[index], atol=2e-3)
    for name, value in report['metrics'].items():
        assert value == pytest.approx(one_by_one[1]['metrics'][name], abs=1e-4)


def test_mixed_precision(single, tools, trained, tmp_path):
    command = ('tools/test.py', tools.config, trained / 'epoch_3.pth', '--amp')
    _, report, samples = run_test(tools, trained, tmp_path, *command)
    expected = predictions(single[2])
    distances = [
        np.abs(keypoints - expected[index]).max()
        for index, keypoints in predictions(samples).items()
    ]
    assert 1e-4 < np.median(distances) < 2
    assert report['episodes_sha256'] == single[1]['episodes_sha256']


def test_five_shots_and_pictures(tools, trained, tmp_path):
    tools.run(
        'tools/test.py',
        tools.config,
        trained / 'epoch_3.pth',
        '--work-dir',
        tmp_path,
        '--show-dir',
        tmp_path / 'pictures',
        '--figures',
        'result',
        'attention',
        '--interval',
        4,
        options={'test_dataloader.sampler.num_shots': 5},
    )
    results = sorted((tmp_path / 'pictures').glob('*_result.jpg'))
    assert len(results) == 5  # pairs 0, 4, 8, 12 and 16 of 18
    assert len(list((tmp_path / 'pictures').glob('*_attention.jpg'))) == 5
    height, width, _ = cv2.imread(str(results[0])).shape
    # two supports, proposals, prediction, annotation, and space between
    assert width == 5 * 384 + 4 * 6
    assert height > 384


def test_real_images(tools, trained, realdata_dir, tmp_path):
    options = {
        'test_dataloader.dataset.data_root': realdata_dir,
        'test_dataloader.dataset.ann_file': 'annotations/all.json',
        'test_dataloader.dataset.data_prefix.img': '',
        'test_dataloader.sampler.num_queries': 1,
        'test_dataloader.sampler.num_episodes': 2,
        'test_dataloader.batch_size': 8,
    }
    _, report, samples = run_test(tools, trained, tmp_path, options=options)
    assert len(report['per_category']) == 13
    assert report['pairs'] == 26
    counts = {s['pred_instances']['keypoints'].shape[1] for s in samples}
    assert {4, 8, 9, 17, 21, 68} <= counts
    assert 0 <= report['metrics']['PCK@0.2'] <= 1


def test_trivial_model_needs_no_checkpoint(tools, tmp_path):
    only_test = type(tools)(None)
    only_test.options = {
        key: value
        for key, value in tools.options.items()
        if key.startswith('test_')
    }
    only_test.run(
        'tools/test.py',
        'configs/trivial/crop-centre_puppets_1shot.py',
        'none',
        '--work-dir',
        tmp_path,
    )
    report = json.loads((tmp_path / 'test_results.json').read_text())
    assert 0 < report['metrics']['PCK@0.2'] < 0.6


def test_checkpoint_of_another_model_is_refused(tools, trained, tmp_path):
    process = tools.start(
        'tools/test.py',
        tools.config,
        trained / 'epoch_3.pth',
        '--work-dir',
        tmp_path,
        options={'model.head.embed_dims': 16},
    )
    output, _ = process.communicate(timeout=120)
    assert process.returncode != 0
    assert 'epoch_3.pth is not a checkpoint of this config' in output
    assert (
        'head.support_proj.weight has shape (32, 32), not (16, 32)' in output
    )


def test_broken_checkpoint_is_named(tools, trained, tmp_path):
    broken = tmp_path / 'broken.pth'
    broken.write_bytes((trained / 'epoch_3.pth').read_bytes()[:5000])
    process = tools.start('tools/test.py', tools.config, broken)
    output, _ = process.communicate(timeout=120)
    assert process.returncode != 0
    assert 'broken.pth cannot be read as a checkpoint' in output
