from __future__ import annotations

import pytest
from mmengine.runner import checkpoint

from mmcape.compat import torchvision_weights


@pytest.fixture
def without_torchvision(monkeypatch):
    def missing(name):
        raise ImportError(f'no module {name}')

    schemes = dict(checkpoint.CheckpointLoader._schemes)
    monkeypatch.setattr(checkpoint.CheckpointLoader, '_schemes', schemes)
    monkeypatch.setattr(torchvision_weights, 'import_module', missing)
    monkeypatch.setattr(
        checkpoint, 'load_from_http', lambda url, map_location: url
    )
    torchvision_weights.register_torchvision_weights()


@pytest.mark.usefixtures('without_torchvision')
def test_the_default_backbone_has_an_address():
    load = checkpoint.CheckpointLoader.load_checkpoint
    address = load('torchvision://resnet50', map_location='cpu')
    assert address.endswith('/resnet50-0676ba61.pth')
    with pytest.raises(ValueError, match='install torchvision'):
        load('torchvision://resnet9000', map_location='cpu')


def test_a_sound_torchvision_is_asked_itself(monkeypatch):
    calls = []
    monkeypatch.setattr(torchvision_weights, 'import_module', calls.append)
    before = dict(checkpoint.CheckpointLoader._schemes)
    torchvision_weights.register_torchvision_weights()
    assert calls == ['torchvision']
    assert checkpoint.CheckpointLoader._schemes == before
