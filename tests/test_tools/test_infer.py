from __future__ import annotations

import json
import sys

import cv2
import numpy as np
import pytest
import torch
from mmpose.registry import MODELS

from mmcape.apis.model_loading import load_config
from mmcape.formats import read_poses

CONFIG = 'capeformer_tiny_puppets_1shot'


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    torch.manual_seed(0)
    model = MODELS.build(load_config(CONFIG).model)
    path = tmp_path_factory.mktemp('weights') / 'random.pth'
    torch.save(dict(state_dict=model.state_dict()), path)
    return str(path)


@pytest.fixture(scope='module')
def category(puppets_dir):
    """Name and images of the first category of the test."""
    path = puppets_dir / 'annotations/puppets_test.json'
    name = json.loads(path.read_text())['categories'][0]['name']
    return path, name, puppets_dir / 'images' / name


@pytest.fixture
def tool(load_tool):
    return load_tool('infer.py')


@pytest.fixture
def infer(tool, weights, monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr(
            sys, 'argv', ['infer', CONFIG, weights, *map(str, arguments)]
        )
        tool.main()
        return capsys.readouterr()

    return run


def test_folder_in_all_formats(infer, category, tmp_path):
    path, name, images = category
    output = infer(
        *(images, '--support', path, '--category', name, '--shots', 2),
        *('--out-dir', tmp_path, '--formats', 'coco', 'labelme', 'deeplabcut'),
        *('--looks', 2),
    )
    assert f'2 of 8 labelled instances of {name!r}' in output.out
    assert '8/8 images' in output.err
    coco = read_poses(tmp_path / 'keypoints.json', img_root=images)
    labelme = read_poses(tmp_path / 'labelme')
    table = read_poses(tmp_path / 'keypoints.csv', img_root=images)
    expected = read_poses(path, name)
    assert list(coco.names) == list(table.names) == list(expected.names)
    for poses in (coco, labelme, table):
        assert [p.image for p in poses.poses] == sorted(
            map(str, images.iterdir())
        )
    for a, b in zip(coco.poses, table.poses):
        np.testing.assert_allclose(
            a.keypoints[a.visible], b.keypoints[b.visible]
        )
        np.testing.assert_allclose(a.scores[a.visible], b.scores[b.visible])
    assert len(list((tmp_path / 'visualizations').iterdir())) == 8


def test_results_open_in_sleap(infer, category, tmp_path):
    pytest.importorskip(
        'sleap_io', reason='needs sleap-io: pip install "mmcape[formats]"'
    )
    path, name, images = category
    some = sorted(images.iterdir())[:2]
    options = ('--no-pictures', '--formats', 'coco', 'sleap')
    support = ('--support', path, '--category', name)
    infer(*some, *support, *options, '--out-dir', tmp_path)
    found = read_poses(tmp_path / 'keypoints.slp')
    expected = read_poses(tmp_path / 'keypoints.json', img_root=images)
    assert [pose.image for pose in found.poses] == list(map(str, some))
    assert found.category == name
    for ours, theirs in zip(found.poses, expected.poses):
        np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-4)
        seen = theirs.visible
        np.testing.assert_allclose(
            ours.keypoints[seen], theirs.keypoints[seen], atol=0.01
        )


def test_sleap_io_is_missed_before_the_search(infer, category, monkeypatch):
    path, name, images = category
    monkeypatch.setitem(sys.modules, 'sleap_io', None)
    options = ('--support', path, '--category', name, '--formats', 'sleap')
    with pytest.raises(
        SystemExit, match='--formats sleap needs sleap-io: pip'
    ):
        infer(images, *options)


def test_kept_support_and_threshold(infer, category, tmp_path):
    path, name, images = category
    some = sorted(images.iterdir())[:2]
    kept = tmp_path / 'kept.npz'
    common = ('--formats', 'coco', '--no-pictures', '--boxes', path)
    options = ('--support', path, '--category', name, '--save-support', kept)
    infer(*some, *options, *common, '--out-dir', tmp_path / 'a')
    infer(*some, '--support', kept, *common, '--out-dir', tmp_path / 'b')
    content = (tmp_path / 'a/keypoints.json').read_text()
    assert (tmp_path / 'b/keypoints.json').read_text() == content
    assert not (tmp_path / 'a/visualizations').exists()

    options = ('--support', kept, '--threshold', 1.1)
    infer(*some, *options, *common, '--out-dir', tmp_path / 'c')
    content = json.loads((tmp_path / 'c/keypoints.json').read_text())
    assert [a['num_keypoints'] for a in content['annotations']] == [0, 0]


def test_clicked_support(infer, tool, category, tmp_path, monkeypatch):
    _, _, images = category
    path = sorted(images.iterdir())[0]
    points = np.array([[30.0, 30.0], [np.nan, np.nan], [40.0, 50.0]])
    monkeypatch.setattr(tool, 'click_keypoints', lambda *_: points)
    infer(
        *(path, '--click', path, '--names', 'a', 'b', 'c'),
        *('--skeleton', '0-2', '--out-dir', tmp_path),
    )
    found = read_poses(tmp_path / 'keypoints.json', img_root=images)
    assert found.names == ['a', 'b', 'c']
    assert found.skeleton == [(0, 2)]
    assert found.poses[0].visible.tolist() == [True, False, True]


def test_video(infer, category, tmp_path):
    path, name, images = category
    video = str(tmp_path / 'clip.avi')
    codec = cv2.VideoWriter.fourcc(*'MJPG')
    writer = cv2.VideoWriter(video, codec, 10.0, (160, 120))
    image = cv2.resize(cv2.imread(str(next(images.iterdir()))), (160, 120))
    for shift in range(4):
        writer.write(np.roll(image, 3 * shift, axis=1))
    writer.release()
    options = ('--support', path, '--category', name, '--out-dir', tmp_path)
    output = infer(video, *options, '--formats', 'deeplabcut')
    assert '4/4 images' in output.err
    rows = (tmp_path / 'keypoints.csv').read_text().splitlines()
    assert [row.split(',')[0] for row in rows[3:]] == ['0', '1', '2', '3']
    assert (tmp_path / 'visualizations/clip.mp4').is_file()
    with pytest.raises(SystemExit, match='labelme opens images, not videos'):
        infer(video, *options, '--formats', 'labelme')


def test_bad_image_costs_nothing_but_itself(infer, category, tmp_path):
    path, name, images = category
    broken = tmp_path / 'broken.png'
    broken.write_text('no image')
    good = sorted(images.iterdir())[0]
    output = infer(
        *(broken, good, '--support', path, '--category', name),
        *('--out-dir', tmp_path, '--no-pictures'),
    )
    assert '1 images could not be used' in output.out
    assert 'broken.png is no intact image' in output.out
    content = json.loads((tmp_path / 'keypoints.json').read_text())
    assert [i['file_name'] for i in content['images']] == [good.name]


@pytest.mark.parametrize(
    ('options', 'complaint'),
    [
        (('--support', 'missing.json'), 'missing.json is missing'),
        (('--support', 'SUPPORT'), 'several categories; choose one of'),
        (
            ('--support', 'SUPPORT', '--category', 'CATEGORY', '--shots', 99),
            'has 8 labelled instances, shots is 99',
        ),
        (('--support', 'x.npz', '--boxes', '1,2'), '--boxes 1,2 is neither'),
        (('--click', 'x.png', '--skeleton', 'a'), 'takes pairs as 0-1'),
        (('--click', 'x.png'), 'image x.png cannot be read'),
    ],
)
def test_bad_options_end_with_one_message(infer, category, options, complaint):
    path, name, images = category
    stand_ins = dict(SUPPORT=path, CATEGORY=name)
    options = [stand_ins.get(option, option) for option in options]
    with pytest.raises(SystemExit, match=f'error: .*{complaint}'):
        infer(images, *options)
