"""Every config builds and runs, and the metafile names every one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml
from mmengine.config import Config
from mmpose.registry import MODELS, TRANSFORMS

from mmcape.testing import make_episode_batch

ROOT = Path(__file__).parents[1]
CONFIGS = sorted(
    path
    for path in (ROOT / 'configs').rglob('*.py')
    if '_base_' not in path.parts
)


def load(name):
    return Config.fromfile(str(ROOT / 'configs' / name))


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
@torch.no_grad()
def test_config_builds_and_predicts(path):
    cfg = Config.fromfile(str(path))
    for part in ('backbone', 'support_backbone'):
        if part in cfg.model:
            cfg.model[part].init_cfg = None  # needs the network
    model = MODELS.build(cfg.model).eval()
    size = cfg.codec.input_size
    shots = cfg.test_dataloader.sampler.num_shots
    if hasattr(model, 'test_steps'):
        model.test_steps = 1  # each takes a second at full size
    inputs, samples = make_episode_batch(1, shots, size=size)
    (predicted,) = model(inputs, samples, mode='predict')
    keypoints = predicted.pred_instances.keypoints
    assert keypoints.shape == (1, 7, 2)
    assert torch.from_numpy(keypoints).isfinite().all()

    for loader in ('train', 'val', 'test'):
        if cfg.get(f'{loader}_dataloader') is None:
            continue
        dataset = cfg[f'{loader}_dataloader'].dataset
        for transform in dataset.pipeline:
            TRANSFORMS.build(transform)
        affine = dataset.pipeline[0].transforms[-1]
        assert tuple(affine.input_size) == tuple(size)


def flat(cfg, prefix=''):
    items = {}
    for key, value in cfg.items():
        if isinstance(value, dict):
            items.update(flat(value, f'{prefix}{key}.'))
        else:
            items[f'{prefix}{key}'] = value
    return items


def differences(a, b):
    a, b = flat(load(a)), flat(load(b))
    return {key for key in a.keys() | b.keys() if a.get(key) != b.get(key)}


METHODS = ('capeformer', 'finetune', 'maml', 'pomnet', 'protonet')


@pytest.mark.parametrize('shots', [1, 5])
@pytest.mark.parametrize('split', [2, 3, 4, 5])
@pytest.mark.parametrize('method', METHODS)
def test_splits_differ_in_nothing_but_the_split(method, split, shots):
    name = f'{method}/{method}_r50_mp100-split{{}}_{{}}shot.py'
    assert differences(name.format(1, shots), name.format(split, shots)) == {
        f'{loader}_dataloader.dataset.split' for loader in LOADERS
    }


@pytest.mark.parametrize('method', METHODS)
def test_shots_differ_in_nothing_but_the_shots(method):
    name = f'{method}/{method}_r50_mp100-split1_{{}}shot.py'
    # what trains without supports has one model for any number of shots
    loaders = LOADERS[method == 'finetune' :]
    assert differences(name.format(1), name.format(5)) == {
        f'{loader}_dataloader.sampler.num_shots' for loader in loaders
    }


LOADERS = ('train', 'val', 'test')


@pytest.mark.parametrize(
    ('category', 'episodes'),
    [
        ('humanbody', 200),
        ('humanface', 200),
        ('vehicle', 100),
        ('furniture', 100),
    ],
)
@pytest.mark.parametrize('method', METHODS)
def test_episodes_of_the_super_categories(method, category, episodes):
    cfg = load(f'{method}/{method}_r50_mp100-cross-{category}_1shot.py')
    assert cfg.test_dataloader.sampler.num_episodes == episodes
    assert cfg.test_dataloader.dataset.split == category
    assert cfg.train_dataloader.dataset.split == category
    assert cfg.train_dataloader.dataset.subset == 'train'


@pytest.mark.parametrize(
    ('name', 'millions'),
    [
        ('capeformer/capeformer_r50_mp100-split1_1shot.py', 36.52),
        ('capeformer/ablation_one-stage_r50_mp100-split1_1shot.py', 28.70),
        ('pomnet/pomnet_r50_mp100-split1_1shot.py', 61.07),
    ],
)
def test_published_model_size(name, millions):
    model = MODELS.build(load(name).model)
    count = sum(p.numel() for p in model.parameters())
    assert count / 1e6 == pytest.approx(millions, abs=0.006)


# by shots, where the numbers of single splits were never published
MEANS = {
    'finetune': {1: 63.58, 5: 64.61},
    'maml': {1: 61.50, 5: 62.50},
    'pomnet': {5: 80.71},
    'protonet': {1: 44.78, 5: 58.56},
}
OWN = 'PCK@0.2 (published)'
MEAN = 'PCK@0.2 (published mean of five splits)'


def metafile_results():
    """Metrics of every config that a metafile names, a list of none or one."""
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    named = {}
    for metafile in index['Import']:
        content = yaml.safe_load((ROOT / metafile).read_text())
        for collection in content['Collections']:
            assert (ROOT / collection['README']).is_file()
        for model in content['Models']:
            # some numbers were never published
            results = model.get('Results', [])
            named[model['Config']] = [r['Metrics'] for r in results]
            assert len(results) <= 1
            assert Path(model['Config']).stem == model['Name']
    return named


def table_numbers():
    """Paper's numbers in tools/tables.yml by config and name of the metric."""
    tables = yaml.safe_load((ROOT / 'tools/tables.yml').read_text())
    numbers = {}
    for table in tables.values():
        for row in table['rows'].values():
            for shots, values in row.get('paper', {}).items():
                for column, value in zip(table['columns'], values):
                    name = row['mp100'].format(column=column, shots=shots)
                    # Fine-tune has one model for any number of shots
                    name = f'{name[: -len("1shot.py")]}{shots}shot.py'
                    numbers[f'configs/{name}', OWN] = value
                    numbers[f'configs/{name}', MEAN] = values[-1]
    return numbers


def test_metafiles_have_the_numbers_of_the_tables():
    published = table_numbers()
    found = {
        (config, metric): value
        for config, results in metafile_results().items()
        for metrics in results
        for metric, value in metrics.items()
    }
    # CapeFormer's of its own, POMNet's with means for 5-shot, means of three
    assert len(found) == (10 + 4 + 7) + (10 + 4) + 3 * 10
    assert found == {key: published.get(key) for key in found}


def test_metafile_names_every_mp100_config():
    named = metafile_results()
    mp100 = {
        str(path.relative_to(ROOT)) for path in CONFIGS if 'mp100' in path.stem
    }
    assert set(named) == mp100
    for method, published in (('capeformer', 89.45), ('pomnet', 84.23)):
        first = f'configs/{method}/{method}_r50_mp100-split1_1shot.py'
        assert named[first] == [{OWN: published}]
    for name, results in named.items():
        means = MEANS.get(name.split('/')[1], {})
        mean = means.get(int(name[-len('1shot.py')]))
        published = [] if 'cross' in name or mean is None else [mean]
        assert [r[MEAN] for r in results if MEAN in r] == published
