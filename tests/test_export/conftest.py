"""Very small models, each exported once."""

from __future__ import annotations

from functools import cache

import pytest
import torch

from mmcape.apis.model_loading import build_model, load_config
from mmcape.export import export_model

CASES = dict(
    capeformer=(
        'capeformer_tiny_puppets_1shot',
        dict(identifier=dict(type='LearnedKeypointIdentifier', length=9)),
    ),
    one_stage=('ablation_detr-encoder-one-stage_tiny_puppets_1shot', {}),
    pomnet=('pomnet_tiny_puppets_1shot', {}),
    protonet=('protonet_tiny_puppets_1shot', {}),
)
STAGE = dict(
    num_stages=1,
    strides=(2,),
    dilations=(1,),
    out_indices=(0,),
    stem_channels=8,
    base_channels=8,
)


class SmallModel:
    """One stage of a backbone on crops of 48 x 64 pixels, random weights."""

    def __init__(self, name, folder):
        config, changes = CASES[name]
        self.cfg = load_config(config)
        for part in ('backbone', 'support_backbone'):
            if part in self.cfg.model:
                self.cfg.model[part].update(STAGE)
        head = self.cfg.model.head
        head.codec.update(input_size=(48, 64), heatmap_size=(12, 16))
        narrow = dict(in_channels=8, embed_dims=16)
        head.update({key: narrow[key] for key in narrow if key in head})
        if 'matcher' in head:
            head.matcher.update(num_deconvs=1, deconv_channels=8)
        head.update(changes)
        pipeline = self.cfg.test_dataloader.dataset.pipeline
        pipeline[0].transforms[-1].input_size = (48, 64)

        torch.manual_seed(0)
        self.model = build_model(self.cfg, None, 'cpu')
        for parameter in self.model.head.parameters():
            if parameter.dim() > 1:
                torch.nn.init.normal_(parameter, std=0.3)
        self.folder = folder
        self.checkpoint = str(folder / 'weights.pth')
        torch.save(dict(state_dict=self.model.state_dict()), self.checkpoint)

    def export(self):
        self.exported = export_model(
            self.model, self.cfg, self.folder / 'files'
        )
        return self


@pytest.fixture(scope='session')
def small_model(tmp_path_factory):
    """Makes the model of a name, without files."""
    return lambda name: SmallModel(name, tmp_path_factory.mktemp(name))


@pytest.fixture(scope='session')
def exported_model(small_model):
    """Makes the model of a name and exports it, once."""
    return cache(lambda name: small_model(name).export())


@pytest.fixture(scope='session')
def capeformer(exported_model):
    return exported_model('capeformer')
