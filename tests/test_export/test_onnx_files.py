from __future__ import annotations

import json

import numpy as np
import onnxruntime
import pytest

from mmcape.apis.model_loading import build_model, load_config
from mmcape.export import export_model, onnx_files
from mmcape.utils.input_error import InputError


def run(path, **inputs):
    """Outputs of a file by their names."""
    session = onnxruntime.InferenceSession(path)
    names = [value.name for value in session.get_outputs()]
    return dict(zip(names, session.run(None, inputs)))


def annotated(batch, shots, keypoints):
    rng = np.random.default_rng(0)
    pixels = rng.uniform(0, 48, (batch, shots, keypoints, 2))
    return dict(
        crops=rng.integers(0, 256, (batch, shots, 3, 64, 48), np.uint8),
        keypoints=pixels.astype(np.float32),
        visible=np.ones((batch, shots, keypoints), bool),
    )


def test_description(capeformer):
    found = json.loads(capeformer.exported.description.read_text())
    assert found['config'] == 'capeformer_tiny_puppets_1shot'
    assert found['head'] == 'CapeFormerHead'
    assert found['input_size'] == [48, 64]
    assert found['crop_padding'] == 1.25
    assert found['max_keypoints'] == 9
    assert found['mean'] == [123.675, 116.28, 103.53]
    assert found['std'] == [58.395, 57.12, 57.375]
    assert found['support_encoder'] == dict(
        file='support_encoder.onnx',
        inputs=dict(
            crops=dict(type='uint8', shape=['batch', 'shots', 3, 64, 48]),
            keypoints=dict(
                type='float32', shape=['batch', 'shots', 'keypoints', 2]
            ),
            visible=dict(type='bool', shape=['batch', 'shots', 'keypoints']),
        ),
        outputs=dict(
            tokens=dict(type='float32', shape=['batch', 'keypoints', 16]),
            valid=dict(type='bool', shape=['batch', 'keypoints']),
        ),
    )
    assert found['query_matcher'] == dict(
        file='query_matcher.onnx',
        inputs=dict(
            crops=dict(type='uint8', shape=['batch', 3, 64, 48]),
            tokens=dict(type='float32', shape=['batch', 'keypoints', 16]),
            valid=dict(type='bool', shape=['batch', 'keypoints']),
        ),
        outputs=dict(
            keypoints=dict(type='float32', shape=['batch', 'keypoints', 2]),
            scores=dict(type='float32', shape=['batch', 'keypoints']),
        ),
    )


def test_hidden_keypoints_have_no_score(capeformer):
    support = annotated(1, 2, 4)
    support['visible'][0, 1, 2] = False
    code = run(capeformer.exported.support_encoder, **support)
    assert code['valid'].tolist() == [[True, True, False, True]]
    crops = support['crops'][:, 0]
    found = run(capeformer.exported.query_matcher, crops=crops, **code)
    assert (found['scores'] > 0).tolist() == [[True, True, False, True]]


def test_rows_of_a_batch_are_apart(capeformer):
    support = annotated(3, 2, 5)
    code = run(capeformer.exported.support_encoder, **support)
    crops = support['crops'][:, 1]
    found = run(capeformer.exported.query_matcher, crops=crops, **code)
    for row in range(3):
        alone = {name: value[row : row + 1] for name, value in code.items()}
        one = run(
            capeformer.exported.query_matcher,
            crops=crops[row : row + 1],
            **alone,
        )
        np.testing.assert_allclose(
            one['keypoints'][0], found['keypoints'][row], atol=1e-3
        )
    assert np.ptp(found['keypoints'], axis=0).max() > 1


def test_more_keypoints_than_the_identifier_has(capeformer):
    support = annotated(1, 1, 10)
    code = run(capeformer.exported.support_encoder, **support)
    with pytest.raises(Exception, match='broadcast'):
        run(
            capeformer.exported.query_matcher,
            crops=support['crops'][:, 0],
            **code,
        )


def test_what_adapts_by_gradients_is_refused(tmp_path):
    cfg = load_config('maml_tiny_puppets_1shot')
    model = build_model(cfg, None, 'cpu')
    with pytest.raises(InputError, match='AdaptivePoseEstimator .* gradient'):
        export_model(model, cfg, tmp_path / 'files')
    assert not (tmp_path / 'files').exists()


def test_another_preprocessor_is_refused(small_model):
    small = small_model('protonet')
    small.model.data_preprocessor = None
    with pytest.raises(InputError, match='data_preprocessor is a NoneType'):
        small.export()


def test_another_crop_is_refused(small_model):
    small = small_model('protonet')
    del small.cfg.test_dataloader.dataset.pipeline[0].transforms[-2]
    with pytest.raises(InputError, match='no GetSquareCropBox'):
        small.export()


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setattr(
        onnx_files, 'find_spec', lambda name: None if name == 'onnx' else name
    )
    with pytest.raises(InputError, match=r'needs onnx: .*mmcape\[export\]'):
        onnx_files.require_export_packages()


def test_an_old_torch_is_refused(monkeypatch):
    monkeypatch.setattr(onnx_files.torch, '__version__', '2.6.0+cu124')
    with pytest.raises(InputError, match=r'needs torch 2\.13, this is 2\.6'):
        onnx_files.require_export_packages()
