"""Tests of mmcape.compat.checkpoints on checkpoints that mmengine writes."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.logging import HistoryBuffer
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import Dataset

from mmcape.compat import listed_pickles, prepare_openmmlab

pytestmark = pytest.mark.skipif(
    not hasattr(torch.serialization, 'add_safe_globals'),
    reason='this torch has no list of safe globals',
)

SCHEDULES: dict[str, list[dict[str, Any]]] = {
    'steps': [
        dict(type='LinearLR', start_factor=0.1, end=2, by_epoch=False),
        dict(type='MultiStepLR', milestones=[1, 2]),
    ],
    'annealing': [
        dict(type='CosineAnnealingLR', T_max=3),
        dict(type='PolyLR', end=4),
        dict(type='ExponentialLR', gamma=0.9),
    ],
    'one_cycle': [dict(type='OneCycleLR', eta_max=0.1, total_steps=9)],
    'plateau': [
        dict(type='ReduceOnPlateauLR', monitor='score', rule='greater')
    ],
}


class Line(BaseModel):
    """A model with two weights."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 1)

    def forward(self, x: list[Tensor], mode: str = 'tensor') -> Any:
        y = self.layer(torch.stack(tuple(x)))
        return dict(loss=y.mean()) if mode == 'loss' else y


class Points(Dataset):
    """Two points, with the kinds of metainfo that mmpose's data have."""

    metainfo = dict(
        sigmas=np.array([0.1, 0.2], dtype=np.float32),
        colors=np.zeros((2, 3), dtype=np.uint8),
        order=np.arange(3),
        visible=np.array([True]),
        names=np.array(['nose', 'tail']),
        count=np.int64(2),
    )

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return dict(x=torch.full((2,), float(index)))


class Score(BaseMetric):
    """A metric that answers with numpy numbers."""

    def process(self, data_batch: Any, data_samples: Any) -> None:
        self.results.append(len(data_samples))

    def compute_metrics(self, results: list[int]) -> dict[str, Any]:
        return dict(score=np.float64(0.5), seen=np.int64(sum(results)))


def make_runner(folder: Path, schedule: str, epochs: int) -> Runner:
    loader = dict(
        dataset=Points(),
        sampler=dict(type='DefaultSampler', shuffle=False),
        batch_size=1,
    )
    return Runner(
        model=Line(),
        work_dir=str(folder),
        train_dataloader=loader,
        val_dataloader=loader,
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        val_cfg=dict(),
        val_evaluator=Evaluator([Score()]),
        optim_wrapper=dict(optimizer=dict(type='AdamW', lr=1e-3)),
        param_scheduler=SCHEDULES[schedule],
        default_hooks=dict(
            checkpoint=dict(
                type='CheckpointHook', save_best='score', rule='greater'
            )
        ),
        custom_hooks=[dict(type='EMAHook')],
        default_scope='mmpose',
        experiment_name=f'{folder.name}_{schedule}_{epochs}',
        resume=epochs > 1,
    )


@pytest.mark.parametrize('schedule', sorted(SCHEDULES))
def test_training_resumes_with_weights_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schedule: str
) -> None:
    make_runner(tmp_path, schedule, epochs=1).train()

    prepare_openmmlab()
    monkeypatch.setenv('TORCH_FORCE_WEIGHTS_ONLY_LOAD', '1')
    resumed = make_runner(tmp_path, schedule, epochs=2)
    resumed.train()
    assert (resumed.epoch, resumed.iter) == (2, 4)
    losses = resumed.message_hub.get_scalar('train/loss')
    assert len(losses.data[0]) == 4
    assert losses.mean() == pytest.approx(losses.data[0].mean())


@pytest.mark.parametrize('core', ['numpy.core', 'numpy._core'])
def test_arrays_of_either_numpy_load(tmp_path: Path, core: str) -> None:
    stored = dict(array=np.arange(3), number=np.float32(0.5))
    original, renamed = tmp_path / 'original.pth', tmp_path / 'renamed.pth'
    torch.save(stored, original)
    own_core = np.arange(3).__reduce__()[0].__module__.rpartition('.')[0]
    with (
        zipfile.ZipFile(original) as old,
        zipfile.ZipFile(renamed, 'w') as new,
    ):
        for name in old.namelist():
            content = old.read(name)
            if name.endswith('data.pkl'):
                assert f'c{own_core}.multiarray\n'.encode() in content
                content = content.replace(own_core.encode(), core.encode())
            new.writestr(name, content)

    prepare_openmmlab()
    loaded = torch.load(renamed, weights_only=True)
    assert loaded['array'].tolist() == [0, 1, 2]
    assert loaded['number'] == np.float32(0.5)


class Call:
    """Pickles as a call of a function."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.call = (function, args)

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize(
    'payload',
    [
        Call(os.system, 'exit 1'),
        Call(eval, '1 + 1'),
        Call(getattr, HistoryBuffer, '__init__'),
        Call(getattr, 'text', 'format'),
        Path('unlisted'),
    ],
    ids=['system', 'eval', 'init', 'str', 'class'],
)
def test_code_is_still_refused(tmp_path: Path, payload: Any) -> None:
    path = tmp_path / 'payload.pth'
    torch.save(payload, path)
    prepare_openmmlab()
    with pytest.raises(Exception, match=r'Unsupported|blocked|no checkpoint'):
        torch.load(path, weights_only=True)


@pytest.mark.parametrize('zipped', [True, False], ids=['zip', 'legacy'])
def test_torch_without_a_list_reads_by_ours(
    tmp_path: Path, zipped: bool
) -> None:
    """What is used below torch 2.4, on this torch's functions."""
    make_runner(tmp_path, 'one_cycle', epochs=1).train()
    path = tmp_path / 'epoch_1.pth'
    stored = torch.load(path, weights_only=True)
    torch.save(stored, path, _use_new_zipfile_serialization=zipped)
    loaded = listed_pickles.load_checkpoint(path, 'cpu')
    assert loaded.keys() == stored.keys()
    for name, value in stored['state_dict'].items():
        assert torch.equal(loaded['state_dict'][name], value)
    losses = loaded['message_hub']['log_scalars']['train/loss']
    assert isinstance(losses, HistoryBuffer)

    for payload in (Call(os.system, 'exit 1'), Call(getattr, 'a', 'format')):
        torch.save(payload, path, _use_new_zipfile_serialization=zipped)
        with pytest.raises(Exception, match=r'neither a tensor|no checkpoint'):
            listed_pickles.load_checkpoint(path, 'cpu')


def test_old_torch_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.serialization, 'add_safe_globals')
    prepare_openmmlab()
