"""The tools of tools/deployment, on the same small models."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmcape.apis import CapeInferencer
from mmcape.export import ExportedModel

TOOLS = Path(__file__).parents[2] / 'tools/deployment'
WITHOUT_TORCH = """
import runpy, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {'torch', 'mmcape', 'mmengine', 'mmpose'}:
            raise ImportError(f'{name} must not be imported')

sys.meta_path.insert(0, Refuse())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')
"""


@pytest.fixture(scope='module')
def pictures(tmp_path_factory):
    """Blobs of 120 x 90 and of 70 x 100 pixels, one of each a file."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp('pictures')
    paths = []
    for index, size in enumerate([(120, 90), (70, 100), (120, 90)]):
        blobs = rng.integers(0, 256, (9, 12, 3), np.uint8)
        paths.append(str(folder / f'{index}.png'))
        cv2.imwrite(paths[-1], cv2.resize(blobs, size))
    return paths


def run(*arguments):
    return subprocess.run(
        [sys.executable, '-c', WITHOUT_TORCH, TOOLS / 'run_onnx.py']
        + list(map(str, arguments)),
        capture_output=True,
        text=True,
    )


def test_run_without_torch_as_the_inferencer(capeformer, pictures):
    support, *queries = pictures
    points = [[30, 20], [100, 25], None, [60.5, 70]]
    result = run(
        capeformer.exported.folder, support, json.dumps(points), *queries
    )
    assert result.returncode == 0, result.stderr
    answers = list(map(json.loads, result.stdout.splitlines()))
    assert [answer['query'] for answer in answers] == queries

    inferencer = CapeInferencer(capeformer.cfg, capeformer.checkpoint, 'cpu')
    inferencer.set_support(support, [p or (np.nan, np.nan) for p in points])
    for answer, expected in zip(answers, inferencer(queries)):
        found = expected['predictions'][0].pred_instances
        distance = np.subtract(answer['keypoints'], found.keypoints[0])
        assert np.abs(distance).max() < 0.1
        assert np.ptp(found.keypoints[0], axis=0).max() > 5
        np.testing.assert_allclose(
            answer['scores'], found.keypoint_scores[0], atol=1e-3
        )
        assert answer['scores'][2] == 0


def test_run_names_what_is_no_image(capeformer, pictures, tmp_path):
    missing = tmp_path / 'missing.png'
    result = run(capeformer.exported.folder, missing, '[[1, 2]]', pictures[0])
    assert result.returncode == 1
    assert result.stderr.endswith(f'error: {missing} is no image\n')


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location(
        'export_onnx', TOOLS / 'export_onnx.py'
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_export_tool(tool, small_model, tmp_path, capsys, monkeypatch):
    small = small_model('protonet')
    small.cfg.dump(tmp_path / 'protonet.py')
    arguments = [
        str(tmp_path / 'protonet.py'),
        small.checkpoint,
        *('--out', str(tmp_path / 'files')),
        *('--cfg-options', 'model.head.metric=squared_distance'),
        *('--time', '1'),
    ]
    args = tool.parse_args(arguments)
    tool.export(args)
    out = capsys.readouterr().out
    assert out.count('\n| ') == 1 + 4 + 1 + 4
    greatest = float(out.split('greatest: ')[1].split(',')[0])
    assert 0 < greatest < 1e-4
    description = ExportedModel(tmp_path / 'files').description
    assert json.loads(description.read_text())['config'] == 'protonet'

    # the same files, but held to more than they can keep
    monkeypatch.setattr(
        tool, 'export_model', lambda *_: ExportedModel(tmp_path / 'files')
    )
    monkeypatch.setattr(tool, 'TOLERANCE', 1e-9)
    monkeypatch.setattr(sys, 'argv', ['export_onnx.py', *arguments])
    with pytest.raises(SystemExit, match='more than 1e-09: do not use them'):
        tool.main()


def test_greatest_is_nan_if_one_is(tool):
    one = tool.Difference(1, 1, 1, 0.0, 0.5, 0.0)
    nan = tool.Difference(1, 1, 1, 0.0, float('nan'), 0.0)
    for order in ([one, nan], [nan, one]):
        assert np.isnan(tool.report(order))
    assert tool.report([one, one]) == 0.5
