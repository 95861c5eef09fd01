from __future__ import annotations

import csv
import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from mmcape.formats import (
    LabelledPoses,
    Pose,
    read_coco,
    read_deeplabcut,
    read_labelme,
    read_poses,
    write_coco,
    write_deeplabcut,
    write_labelme,
)
from mmcape.utils.input_error import InputError

from .conftest import assert_same


def test_coco_round_trip(predicted, tmp_path):
    path = tmp_path / 'found.json'
    write_coco(path, predicted, img_root=tmp_path)
    found = read_poses(path)
    assert_same(found, predicted)
    assert found.skeleton == predicted.skeleton
    assert found.category == 'mouse'

    content = json.loads(path.read_text())
    names = [image['file_name'] for image in content['images']]
    assert names == [f'labeled-data/mouse/img{i}.png' for i in range(2)]
    ann = content['annotations'][1]
    assert ann['keypoints'][3:6] == [0, 0, 0]
    assert ann['num_keypoints'] == 2
    scores = predicted.poses[1].scores
    assert ann['score'] == pytest.approx(scores[[0, 2]].mean(), abs=1e-4)
    assert content['categories'][0]['skeleton'] == [[1, 2], [1, 3]]
    # what CVAT's import of COCO keypoints does not go without
    assert (ann['iscrowd'], ann['segmentation']) == (0, [])
    assert len(ann['bbox']) == 4


def test_coco_results_are_read_by_the_benchmark(predicted, tmp_path):
    from mmcape.datasets import MP100Dataset

    write_coco(tmp_path / 'found.json', predicted, img_root=tmp_path)
    dataset = MP100Dataset(
        ann_file='found.json',
        data_root=str(tmp_path),
        data_prefix=dict(img=''),
    )
    assert dataset.num_instances == 3
    record = dataset.get_data_info(2)
    np.testing.assert_allclose(record['bbox'][0], predicted.poses[2].box)


def test_labelme_round_trip(predicted, tmp_path):
    files = write_labelme(tmp_path / 'out', predicted)
    assert [file.name for file in files] == ['img0.json', 'img1.json']
    found = read_poses(tmp_path / 'out')
    assert_same(found, predicted)
    assert found.skeleton == predicted.skeleton
    assert found.category == 'mouse'
    content = json.loads(files[0].read_text())
    assert {'version', 'flags', 'imageData'} <= content.keys()
    assert {shape['group_id'] for shape in content['shapes']} == {0, 1}
    kinds = [shape['shape_type'] for shape in content['shapes']]
    assert kinds.count('rectangle') == 2
    assert kinds.count('point') == 5


def test_labelme_images_of_one_name_do_not_overwrite(predicted, tmp_path):
    other = tmp_path / 'elsewhere' / 'img0.png'
    poses = [
        predicted.poses[0],
        replace(predicted.poses[2], image=str(other)),
    ]
    files = write_labelme(tmp_path, replace(predicted, poses=poses))
    assert [file.name for file in files] == ['img0.json', 'img0_2.json']


def test_deeplabcut_round_trip_of_several_individuals(predicted, images):
    path = f'{images[0][:-8]}machinelabels.csv'
    write_deeplabcut(path, predicted)
    assert_same(read_poses(path), predicted, box=False)
    with open(path, newline='') as file:
        rows = list(csv.reader(file))
    assert [row[0] for row in rows[:4]] == [
        *('scorer', 'individuals', 'bodyparts', 'coords')
    ]
    assert {len(row) for row in rows} == {3 + 2 * 3 * 3}
    assert rows[4][:3] == ['labeled-data', 'mouse', 'img0.png']


def test_deeplabcut_table_is_what_pandas_reads(predicted, images):
    pandas = pytest.importorskip('pandas')
    path = f'{images[0][:-8]}found.csv'
    write_deeplabcut(path, replace(predicted, poses=predicted.poses[1:]))
    frame = pandas.read_csv(path, header=[0, 1, 2], index_col=[0, 1, 2])
    assert list(frame.index) == [
        ('labeled-data', 'mouse', f'img{i}.png') for i in range(2)
    ]
    scorer = frame.columns.get_level_values(0)[0]
    values = frame[scorer]['tail'][['x', 'y', 'likelihood']].to_numpy()
    pose = predicted.poses[1]
    np.testing.assert_allclose(
        values[0], [*pose.keypoints[2], pose.scores[2]], atol=1e-4
    )
    assert np.isnan(values[1]).all()


def test_deeplabcut_labels_as_the_tool_writes_them(images):
    """One cell names the image, in older versions and Lightning Pose."""
    path = f'{images[0][:-8]}CollectedData_me.csv'
    with open(path, 'w') as file:
        file.write(
            'scorer,me,me,me,me\n'
            'bodyparts,nose,nose,tail,tail\n'
            'coords,x,y,x,y\n'
            'labeled-data/mouse/img1.png,10.5,20.25,,\n'
        )
    found = read_deeplabcut(path)
    assert found.names == ['nose', 'tail']
    (pose,) = found.poses
    assert pose.image.endswith('img1.png')
    assert pose.keypoints[0].tolist() == [10.5, 20.25]
    assert pose.visible.tolist() == [True, False]
    assert pose.scores is None


@pytest.mark.parametrize('several', [False, True])
def test_deeplabcut_h5_as_the_tool_writes_it(images, several):
    pandas = pytest.importorskip('pandas')
    pytest.importorskip('tables', reason='needs PyTables, as .h5 files do')
    names = ['scorer', 'individuals', 'bodyparts', 'coords']
    levels = [['me'], ['m1', 'm2'], ['nose', 'tail'], ['x', 'y']]
    if not several:
        del names[1], levels[1]
    columns = pandas.MultiIndex.from_product(levels, names=names)
    values = np.arange(2.0 * len(columns)).reshape(2, -1) + 0.25
    values[1, 2:4] = np.nan
    index = pandas.MultiIndex.from_tuples(
        [('labeled-data', 'mouse', f'img{i}.png') for i in range(2)]
    )
    path = f'{images[0][:-8]}CollectedData_me.h5'
    frame = pandas.DataFrame(values, index=index, columns=columns)
    frame.to_hdf(path, key='df_with_missing', mode='w')
    found = read_deeplabcut(path)
    assert found.names == ['nose', 'tail']
    per_image = 2 if several else 1
    assert [p.image for p in found.poses] == [
        image for image in images for _ in range(per_image)
    ]
    first, damaged = found.poses[0], found.poses[per_image]
    assert first.keypoints.tolist() == [[0.25, 1.25], [2.25, 3.25]]
    assert damaged.visible.tolist() == [True, False]


def test_frames_of_a_video(predicted, tmp_path):
    poses = [
        replace(pose, image='clip.mp4', frame=number)
        for number, pose in enumerate(predicted.poses)
    ]
    of_video = replace(predicted, poses=poses)
    write_deeplabcut(tmp_path / 'clip.csv', of_video)
    rows = (tmp_path / 'clip.csv').read_text().splitlines()
    assert [row.split(',')[0] for row in rows[3:]] == ['0', '1', '2']
    write_coco(tmp_path / 'clip.json', of_video)
    content = json.loads((tmp_path / 'clip.json').read_text())
    assert content['images'][2]['file_name'] == 'clip_000002.png'
    assert content['images'][2]['frame_id'] == 2
    with pytest.raises(InputError, match='frames of a video'):
        write_labelme(tmp_path, of_video)


def test_unsure_keypoints_can_be_left_out(predicted):
    (pose, *_) = predicted.sure(0.6).poses
    scores = predicted.poses[0].scores
    assert 0 < pose.visible.sum() < 3
    assert np.array_equal(pose.visible, scores >= 0.6)


def test_puppets_as_supports(puppets_dir):
    path = puppets_dir / 'annotations/puppets_test.json'
    content = json.loads(path.read_text())
    category = content['categories'][1]
    found = read_coco(path, category['name'])
    assert list(found.names) == category['keypoints']
    (ann, *_) = (
        a for a in content['annotations'] if a['category_id'] == category['id']
    )
    triples = np.array(ann['keypoints']).reshape(-1, 3)
    np.testing.assert_allclose(found.poses[0].keypoints, triples[:, :2])
    assert found.skeleton[0] == tuple(i - 1 for i in category['skeleton'][0])
    assert read_coco(path, category['id']).names == found.names


def test_real_annotations_of_every_format(realdata_dir, tmp_path):
    path = realdata_dir / 'annotations/all.json'
    mice = read_coco(path, 'mouse_openfield')
    assert len(mice.poses) == 60
    ones = np.ones(len(mice.names))
    mice = replace(mice, poses=[replace(p, scores=ones) for p in mice.poses])
    write_labelme(tmp_path, mice)
    folder = realdata_dir / 'mouse_openfield'
    assert len(read_labelme(tmp_path, folder).poses) == 60
    write_deeplabcut(tmp_path / 'mice.csv', mice)
    found = read_deeplabcut(tmp_path / 'mice.csv', folder)
    for ours, theirs in zip(found.poses, mice.poses):
        seen = theirs.visible
        np.testing.assert_allclose(
            ours.keypoints[seen], theirs.keypoints[seen], atol=0.006
        )


@pytest.mark.parametrize(
    ('name', 'text', 'complaint'),
    [
        ('missing.json', None, 'missing.json is missing'),
        ('a.json', '{', 'a.json is not valid JSON'),
        ('a.json', '[]', 'a.json is no COCO file'),
        ('a.txt', '', 'a.txt is of no known format'),
        ('a.csv', 'x,y\n1,2\n', 'a.csv is no table of DeepLabCut'),
        (
            'a.csv',
            'scorer,me,me\nbodyparts,a,a\ncoords,x,y\nimg.png,1,b\n',
            "row img.png: y of a is 'b'",
        ),
        (
            'a.csv',
            'scorer,me,me\nbodyparts,a,a\ncoords,x,y\nimg.png,1,2\n',
            'names the image img.png, which is not found',
        ),
        ('a.json', '{"shapes": [], "imagePath": "no.png"}', 'image no.png'),
        (
            'a.json',
            '{"shapes": ["point"], "imagePath": "a.json"}',
            'a.json has a shape that is none of labelme',
        ),
        (
            'a.json',
            '{"shapes": [{"points": ["a"]}], "imagePath": "a.json"}',
            'a.json has points that are no pairs',
        ),
    ],
)
def test_bad_files_are_named(name, text, complaint, tmp_path):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=complaint):
        read_poses(tmp_path / name)


def test_category_must_be_clear(puppets_dir):
    path = puppets_dir / 'annotations/puppets_test.json'
    with pytest.raises(InputError, match='several categories; choose one of'):
        read_coco(path)
    with pytest.raises(InputError, match="no annotation of 'okapi'"):
        read_coco(path, 'okapi')


def test_two_points_of_one_name(images, tmp_path):
    point = dict(label='nose', points=[[1, 2]], shape_type='point')
    content = dict(shapes=[point, point], imagePath=images[0])
    (tmp_path / 'a.json').write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"a.json has two points 'nose'"):
        read_labelme(tmp_path / 'a.json')


def test_sizes_of_images_are_read_where_a_format_has_none(images, tmp_path):
    pose = Pose(images[0], np.array([[1.0, 2.0]]), np.array([True]))
    write_coco(tmp_path / 'a.json', LabelledPoses(['nose'], [pose]))
    (image,) = json.loads((tmp_path / 'a.json').read_text())['images']
    assert (image['width'], image['height']) == (60, 40)
    missing = replace(pose, image='no.png')
    with pytest.raises(InputError, match='image no.png cannot be read'):
        write_labelme(tmp_path, LabelledPoses(['nose'], [missing]))


def test_sleap_projects_need_sleap_io(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'sleap_io', None)
    (tmp_path / 'a.slp').touch()
    with pytest.raises(InputError, match=r'a.slp needs sleap-io: pip install'):
        read_poses(tmp_path / 'a.slp')


def test_h5_needs_pytables(tmp_path):
    try:
        import tables  # noqa: F401
    except ImportError:
        with pytest.raises(InputError, match='needs pandas and PyTables'):
            read_deeplabcut(tmp_path / 'a.h5')
    else:
        pytest.skip('PyTables is here')
