"""The commands and the config of docs/own_data.md work as they stand."""

from __future__ import annotations

import json
import shutil

import pytest

from mmcape.datasets.annotation_checks import check_annotations
from mmcape.formats import read_poses, write_labelme

SUBSETS = ('train', 'val', 'test')


@pytest.fixture
def own(page, puppets_dir):
    """The page, with data of the names it uses: all of a small Puppets."""
    own = page('own_data.md', **{'model.head.in_channels': 256})
    (own.folder / 'photos').symlink_to(puppets_dir / 'images')
    merged = dict(images=[], annotations=[], categories=[])
    for subset in SUBSETS:
        path = puppets_dir / f'annotations/puppets_{subset}.json'
        content = json.loads(path.read_text())
        for key, entries in merged.items():
            entries += content[key]
    path = own.folder / 'mine.json'
    path.write_text(json.dumps(merged))

    name = merged['categories'][0]['name']
    images = puppets_dir / 'images' / name
    folder = own.folder / 'FOLDER'
    shutil.copytree(images, folder / name)
    write_labelme(folder, read_poses(path, category=name, img_root=folder))

    video = own.folder / 'PROJECT/labeled-data/video'
    video.mkdir(parents=True)
    shutil.copy(sorted(images.iterdir())[0], video / 'img1.jpg')
    (video / 'CollectedData_me.csv').write_text(
        'scorer,me,me\nbodyparts,snout,snout\ncoords,x,y\n'
        'labeled-data/video/img1.jpg,40,50\n'
    )
    (own.folder / 'PROJECT/config.yaml').write_text('Task: mouse\n')
    return own


def test_commands(own):
    commands = list(own.commands())
    *converters, check, train, tune, test = commands
    for command in (*converters, check):
        own.run(command)
    counts = {
        name: len(json.loads((own.folder / name).read_text())['annotations'])
        for name in ('data/beetle/all.json', 'data/mouse/all.json')
    }
    assert counts == {'data/beetle/all.json': 6, 'data/mouse/all.json': 1}
    mine = [own.folder / f'data/mine/{subset}.json' for subset in SUBSETS]
    categories = [
        len(json.loads(path.read_text())['categories']) for path in mine
    ]
    assert categories == [6, 1, 2]

    config = own.folder / train[-1]
    assert config.parent.is_dir()
    assert not config.exists()
    config.write_text(own.blocks('python')[0])
    own.run([*own.shrunk(train), 'model.backbone.init_cfg=None'])
    run = own.folder / 'work_dirs' / config.stem
    (run / 'epoch_1.pth').rename(own.folder / 'mp100.pth')
    own.run(own.shrunk(tune))
    (run / 'epoch_1.pth').rename(own.folder / test[-1])
    own.run(own.shrunk(test))
    report = json.loads((run / 'test_results.json').read_text())
    assert len(report['per_category']) == 2


def test_the_example_of_the_format_is_without_problems(own):
    (example,) = own.blocks('json')
    problems = check_annotations(json.loads(example), 'example')
    assert not problems, problems.report()
