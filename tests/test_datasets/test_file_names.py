"""Names in files that climb out of the folder that they belong to."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmpose.registry import DATASETS

from mmcape.apis.queries import Query
from mmcape.apis.result_writer import ResultWriter
from mmcape.datasets import AnnotationError
from mmcape.datasets.conversion import (
    ConversionError,
    from_coco,
    from_labelme,
)
from mmcape.datasets.preparation.annotation_files import (
    read_annotation_files,
    wanted_images,
)
from mmcape.datasets.puppets import generate
from mmcape.formats import read_poses
from mmcape.utils.file_names import leaves_folder
from mmcape.utils.input_error import InputError

CONVERTER = Path(__file__).parents[2] / 'tools/dataset_converters/to_mp100.py'
CLIMBING = (
    '../secret.png',
    'fox/../../secret.png',
    '..',
    '/etc/secret.png',
    '..\\secret.png',
    'fox\\..\\..\\secret.png',
    '\\secret.png',
    'C:\\secret.png',
    'C:secret.png',
    '\\\\server\\share\\secret.png',
)


@pytest.mark.parametrize('name', CLIMBING)
def test_names_that_leave(name):
    assert leaves_folder(name)


@pytest.mark.parametrize(
    'name', ['a.png', 'fox/a.png', 'fox\\a.png', './a.png', '..a/b..png']
)
def test_names_that_stay(name):
    assert not leaves_folder(name)


@pytest.mark.parametrize('name', CLIMBING)
def test_loader_and_build_refuse(folder, name):
    folder.write()
    folder.content['images'][1]['file_name'] = name
    cfg = folder.write(with_images=False)
    with pytest.raises(AnnotationError, match='leaves the image folder'):
        DATASETS.build(cfg)
    assert len(DATASETS.build(dict(cfg, on_problems='report'))) == 7
    files = read_annotation_files([folder.root / 'a.json'])
    with pytest.raises(AnnotationError, match='leaves the image folder'):
        wanted_images(files)
    with pytest.raises(ConversionError, match='leaves the image folder'):
        from_coco.read_coco(folder.root / 'a.json', folder.root / 'images')
    with pytest.raises(InputError, match='leaves the image folder'):
        read_poses(folder.root / 'a.json')


def test_links_out_of_the_root_are_followed(folder, tmp_path_factory):
    """As `mp100.py build` makes them."""
    cfg = folder.write()
    elsewhere = tmp_path_factory.mktemp('source') / 'original.png'
    image = folder.root / 'images/fox/1.png'
    image.rename(elsewhere)
    image.symlink_to(elsewhere)
    assert len(DATASETS.build(cfg)) == 8


@pytest.fixture
def labelled(tmp_path):
    """Writes a labelme file that names an image; secret.png lies outside."""
    image = np.zeros((40, 60, 3), np.uint8)
    cv2.imwrite(str(tmp_path / 'secret.png'), image)
    folder = tmp_path / 'own' / 'results' / 'labels'
    (tmp_path / 'own' / 'images').mkdir(parents=True)
    folder.mkdir(parents=True)
    cv2.imwrite(str(tmp_path / 'own/images/a.png'), image)

    def write(name):
        point = dict(label='nose', points=[[1, 2]], shape_type='point')
        content = dict(shapes=[point], imagePath=name)
        (folder / 'a.json').write_text(json.dumps(content))
        return folder / 'a.json'

    return write


def test_labelme_finds_images_beside_its_folder(labelled):
    (pose,) = read_poses(labelled('../../images/a.png')).poses
    assert pose.image.endswith('own/images/a.png')


def test_labelme_does_not_reach_further(labelled, tmp_path):
    for name in ('../../../secret.png', str(tmp_path / 'secret.png')):
        with pytest.raises(InputError, match='give the folder of the images'):
            read_poses(labelled(name))
    path = labelled('../../../secret.png')
    with pytest.raises(InputError, match='give the folder of the images'):
        read_poses(path, img_root=tmp_path / 'own' / 'images')
    (pose,) = read_poses(path, img_root=tmp_path).poses
    assert pose.image == str(tmp_path / 'secret.png')


@pytest.mark.parametrize('root', ['absolute', '.'])
def test_conversion_of_labelme_stays_inside(labelled, monkeypatch, root):
    path = labelled('../../secret.png')
    monkeypatch.chdir(path.parent)
    with pytest.raises(ConversionError, match='leaves the folder'):
        from_labelme.read_labelme(
            path.parent if root == 'absolute' else type(path)(root), 'fox'
        )


def test_conversion_writes_nothing_outside(
    labelled, monkeypatch, tmp_path, capsys
):
    path = labelled('..\\..\\secret.png')
    monkeypatch.chdir(path.parent)
    out = tmp_path / 'out' / 'deep'
    command = ['to_mp100.py', 'labelme', '.', '--category', 'fox']
    command += ['--no-split', '--out', str(out)]
    monkeypatch.setattr(sys, 'argv', command)
    before = sorted(tmp_path.rglob('*'))
    with pytest.raises(SystemExit):
        runpy.run_path(str(CONVERTER), run_name='__main__')
    assert 'leaves the folder' in capsys.readouterr().err
    assert sorted(tmp_path.rglob('*')) == before


def test_drawing_anew_deletes_nothing_outside(tmp_path):
    """Old images are deleted by the names in the old file."""
    root = tmp_path / 'puppets'
    files = generate(root, categories=(1, 1, 1), instances=(1, 1, 1))
    secret = tmp_path / 'secret.png'
    secret.touch()
    path = files['train']
    content = json.loads(path.read_text())
    for name in ('../../secret.png', str(secret)):
        content['images'].append(dict(content['images'][0], file_name=name))
    content['info'] = 'other'
    path.write_text(json.dumps(content))
    generate(root, categories=(1, 1, 1), instances=(1, 1, 1), overwrite=True)
    assert secret.exists()


def test_results_stay_in_their_folder(tmp_path):
    from mmengine.structures import InstanceData
    from mmpose.structures import PoseDataSample

    image = np.zeros((40, 60, 3), np.uint8)
    sample = PoseDataSample()
    sample.pred_instances = InstanceData(
        keypoints=np.zeros((1, 2, 2)), keypoint_scores=np.zeros((1, 2))
    )
    out = tmp_path / 'deep' / 'out'
    writer = ResultWriter(out, 25.0)
    names = ('../../a.png', '/etc/b.png', '..', '.png', '..\\c.png')
    for name in names:
        writer.write(Query(name, 0, image), sample, image)
    written = [p for p in tmp_path.rglob('*') if p.is_file()]
    assert len(written) == 2 * len(names)
    assert all(out in path.parents for path in written)
