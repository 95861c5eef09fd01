"""The command line of tools/dataset_converters/mp100.py."""

from __future__ import annotations

import json
import sys

import cv2
import numpy as np
import pytest


@pytest.fixture
def tool(load_tool, monkeypatch, capsys):
    module = load_tool('dataset_converters/mp100.py')

    def run(*arguments):
        monkeypatch.setattr(sys, 'argv', ['mp100', *map(str, arguments)])
        with pytest.raises(SystemExit) as error:
            module.main()
        output = capsys.readouterr()
        return error.value.code, output.out, output.err

    return run


@pytest.fixture
def folders(tmp_path):
    """One source with one image of the two that are annotated."""
    names = ['human_body/000000000009.jpg', 'human_body/000000000025.jpg']
    content = dict(
        images=[
            dict(id=i, file_name=name, width=30, height=20)
            for i, name in enumerate(names)
        ],
        annotations=[
            dict(
                id=i,
                image_id=i,
                category_id=1,
                bbox=[2, 2, 20, 12],
                keypoints=[4, 5, 2, 8, 9, 1],
                num_keypoints=2,
            )
            for i in range(2)
        ],
        categories=[dict(id=1, name='person', keypoints=['a', 'b'])],
    )
    data, raw = tmp_path / 'data', tmp_path / 'raw'
    (data / 'annotations').mkdir(parents=True)
    (data / 'annotations/mp100_split1_train.json').write_text(
        json.dumps(content)
    )
    (raw / 'coco/train2017').mkdir(parents=True)
    pixels = np.full((20, 30, 3), 90, np.uint8)
    cv2.imwrite(str(raw / 'coco/train2017/000000000009.jpg'), pixels)
    return data, raw, pixels


def test_plan_build_check_stats(tool, folders, tmp_path):
    data, raw, pixels = folders
    status, out, _ = tool('plan', '--root', raw)
    assert status == 0
    assert out.count('## ') == 13
    assert f'found in {raw / "coco"}' in out
    assert out.count('NOT FOUND') == 12
    for trap in ('no tiger', 'DeepFashion2, not', 'other size', 'by an id'):
        assert trap in out
    status, out, _ = tool('plan', '--json', '--source', f'coco={raw}')
    entries = {entry['key']: entry for entry in json.loads(out)}
    assert entries['coco']['found_in'] == str(raw)
    assert entries['cub']['found_in'] is None
    assert entries['cub']['licence']

    status, out, err = tool('build', '--root', raw, '--data-root', data)
    assert status == 1
    assert 'PARTIAL: 1 of 2 images' in out
    assert 'mp100: 2/2 images found' in err
    assert 'mp100: 2/2 images hashed' in err
    report = tmp_path / 'reports/check.json'
    check = ('check', '--data-root', data, '--report', report)
    status, out, _ = tool(*check)
    assert status == 1
    assert 'missing: 1 x' in out
    assert json.loads(report.read_text())['counts']['missing'] == 1
    assert tool(*check, '--ignore', 'missing', 'size')[0] == 0

    cv2.imwrite(str(raw / 'coco/train2017/000000000025.jpg'), pixels)
    status, out, _ = tool('build', '--root', raw, '--data-root', data)
    assert status == 0
    assert 'complete: 2 images' in out
    assert 'coco: 1 placed, 1 there before, 0 absent' in out
    assert tool(*check)[0] == 0

    stats = ('stats', '--data-root', data)
    status, out, _ = tool(*stats)
    assert status == 0
    assert '| mp100_split1_train.json | 1 | 2 | 2 | 2 to 2 |' in out
    written = ('--out', tmp_path / 'a/b.md', '--plot', tmp_path / 'a/b.png')
    assert tool(*stats, *written)[0] == 0
    assert '| person | coco | 2 | 2 | 2 | 2.0 |' in (
        (tmp_path / 'a/b.md').read_text()
    )
    assert cv2.imread(str(tmp_path / 'a/b.png')) is not None


def test_errors_are_one_line_and_status_two(tool, folders, tmp_path):
    data, raw, _ = folders
    for arguments, text in {
        ('build', '--root', tmp_path / 'no'): 'no is no folder',
        ('build', '--source', 'zoo=.', '--root', raw): "no source 'zoo'",
        ('check', '--annotations', tmp_path / 'x.json'): 'x.json is missing',
        ('stats', '--data-root', tmp_path): 'no annotation files',
    }.items():
        given = arguments
        if '--data-root' not in given and '--annotations' not in given:
            given = (*given, '--data-root', data)
        status, _, err = tool(*given)
        assert status == 2
        assert text in err
        assert err.startswith('error: ')
        assert len(err.splitlines()) == 1
    broken = tmp_path / 'broken_train.json'
    broken.write_text('{')
    status, _, err = tool('check', '--annotations', broken)
    assert status == 2
    assert 'broken_train.json is not valid JSON' in err
