from __future__ import annotations

import cv2
import numpy as np
import pytest
import yaml

from mmcape.formats import read_poses
from mmcape.utils.input_error import InputError

#: class, box of middle (24, 20) and 30 x 20 pixels, three keypoints
LINE = '0 0.4 0.5 0.5 0.5 0.1 0.25 2 0.5 0.75 1 0 0 0'
OTHER = '1 0.4 0.5 0.5 0.5 0.2 0.25 2 0.5 0.75 2 0.9 0.9 2'


@pytest.fixture
def make(tmp_path):
    """Writes a data set as Ultralytics' own are laid out."""

    def write(lines=(LINE,), layout='{kind}/{split}', **config):
        for split in ('train', 'val'):
            for kind in ('images', 'labels'):
                folder = tmp_path / layout.format(kind=kind, split=split)
                folder.mkdir(parents=True, exist_ok=True)
                if kind == 'images':
                    picture = np.zeros((40, 60, 3), np.uint8)
                    cv2.imwrite(str(folder / f'{split}.png'), picture)
                    cv2.imwrite(str(folder / 'background.png'), picture)
                else:
                    text = '\n'.join(lines) + '\n\n'
                    (folder / f'{split}.txt').write_text(text)
        content = dict(
            train=layout.format(kind='images', split='train'),
            val=layout.format(kind='images', split='val'),
            test=None,
            kpt_shape=[3, 3],
            names={0: 'mouse', 1: 'rat'},
        )
        content.update(config)
        file = tmp_path / 'data.yaml'
        file.write_text(yaml.safe_dump(content))
        return file

    return write


def test_splits_boxes_and_keypoints(make, tmp_path):
    names = {0: ['nose', 'ear', 'tail'], 1: ['beak', 'wing', 'foot']}
    file = make(path='../datasets/mice', kpt_names=names)
    found = read_poses(file)
    assert found.names == ['nose', 'ear', 'tail']
    assert found.category == 'mouse'
    assert [pose.image for pose in found.poses] == [
        str(tmp_path / f'images/{split}/{split}.png')
        for split in ('train', 'val')
    ]
    pose = found.poses[0]
    assert pose.visible.tolist() == [True, True, False]
    np.testing.assert_allclose(pose.keypoints[:2], [[6, 10], [30, 30]])
    # a box ends at its last pixel
    np.testing.assert_allclose(pose.box, [9, 10, 38, 29])
    assert pose.image_size == (60, 40)
    assert len(read_poses(tmp_path).poses) == 2


def test_class_must_be_clear(make):
    file = make([LINE, OTHER], names=['mouse', 'rat'])
    with pytest.raises(InputError, match='choose one of: mouse, rat'):
        read_poses(file)
    for category in ('rat', 1):
        found = read_poses(file, category)
        assert found.category == 'rat'
        assert found.names == ['keypoint_1', 'keypoint_2', 'keypoint_3']
        assert [pose.visible.all() for pose in found.poses] == [True, True]


def test_two_values_a_keypoint(make):
    line = '0 0.4 0.5 0.5 0.5 0.1 0.25 0.5 0.75 0 0'
    found = read_poses(make([line], kpt_shape=[3, 2]))
    assert found.poses[0].visible.tolist() == [True, True, False]
    assert found.poses[0].keypoints[1].tolist() == [30, 30]


def test_layout_of_exports(make, tmp_path):
    """Roboflow names folders from beside the file, one level too high."""
    file = make(
        layout='{split}/{kind}',
        train='../train/images',
        val=['../val/images'],
    )
    assert len(read_poses(file).poses) == 2
    moved = tmp_path / 'elsewhere/set.yaml'
    moved.parent.mkdir()
    file.rename(moved)
    with pytest.raises(InputError, match=r'\.\./train/images of train'):
        read_poses(moved)
    assert len(read_poses(moved, img_root=tmp_path).poses) == 2


def test_what_sleap_io_writes(images, tmp_path):
    sio = pytest.importorskip('sleap_io')
    skeleton = sio.Skeleton(['nose', 'ear', 'tail'], edges=[('nose', 'tail')])
    points = np.array([[6.0, 10.0], [np.nan, np.nan], [30.5, 30.25]])
    instance = sio.Instance.from_numpy(points, skeleton=skeleton)
    video = sio.Video.from_filename(images)
    frames = [sio.LabeledFrame(video, i, [instance]) for i in range(2)]
    sio.save_ultralytics(
        sio.Labels(frames),
        str(tmp_path / 'yolo'),
        split_ratios=dict(train=0.5, val=0.5),
        verbose=False,
    )
    found = read_poses(tmp_path / 'yolo')
    assert found.names == ['nose', 'ear', 'tail']
    assert found.skeleton == [(0, 2)]
    assert found.category == 'animal'
    assert len(found.poses) == 2
    for pose in found.poses:
        assert pose.visible.tolist() == [True, False, True]
        np.testing.assert_allclose(
            pose.keypoints[[0, 2]], points[[0, 2]], atol=1e-3
        )


@pytest.mark.parametrize(
    ('lines', 'config', 'complaint'),
    [
        ([LINE[:-2]], {}, r'train.txt, line 1 has not 14 numbers'),
        ([LINE, LINE + 'x'], {}, r"train.txt, line 2: .*'0x'"),
        ([LINE.replace('0.75', 'nan')], {}, 'line 1 has not 14 numbers'),
        ([], {}, 'data set has no labelled instance'),
        ([LINE], {'kpt_shape': None}, 'describes no YOLO-pose data set'),
        ([LINE], {'kpt_shape': [3, 4]}, 'describes no YOLO-pose data set'),
        ([LINE], {'test': 'images/test'}, 'folder images/test of test'),
        ([LINE], {'val': '/etc'}, 'folder /etc of val images'),
    ],
)
def test_bad_files_are_named(make, lines, config, complaint):
    with pytest.raises(InputError, match=complaint):
        read_poses(make(lines, **config))


def test_bad_yaml_is_named(tmp_path):
    (tmp_path / 'data.yaml').write_text('a: [')
    with pytest.raises(InputError, match='data.yaml cannot be read'):
        read_poses(tmp_path)
