"""A model -> two ONNX files, and a JSON file that describes them."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.utils import digit_version
from torch import Tensor, nn

from mmcape.datasets.transforms import GetSquareCropBox
from mmcape.utils.input_error import InputError

from .example import make_example
from .steps import QueryMatcher, SupportEncoder, check_exportable

OPSET = 20
"""The first with GELU; onnxruntime knows it since 1.17."""
MIN_TORCH = '2.13'
"""The oldest that was tried and works; 2.6 cannot translate BatchNorm."""
DESCRIPTION = 'export.json'
_NEEDED = ('onnx', 'onnxscript', 'onnxruntime')
_FORMAT = 'mmcape export 1'

Axes = Mapping[str, Sequence[str]]
"""Names of the leading axes of every input that may have any length."""

SUPPORT_ENCODER = 'support_encoder'
QUERY_MATCHER = 'query_matcher'
_INPUTS: Mapping[str, Axes] = {
    SUPPORT_ENCODER: dict(
        crops=('batch', 'shots'),
        keypoints=('batch', 'shots', 'keypoints'),
        visible=('batch', 'shots', 'keypoints'),
    ),
    QUERY_MATCHER: dict(
        crops=('batch',),
        tokens=('batch', 'keypoints'),
        valid=('batch', 'keypoints'),
    ),
}
_OUTPUTS = {
    SUPPORT_ENCODER: ('tokens', 'valid'),
    QUERY_MATCHER: ('keypoints', 'scores'),
}


@dataclass(frozen=True)
class ExportedModel:
    """Where the files of an export lie."""

    folder: Path

    @property
    def support_encoder(self) -> Path:
        """Crops and keypoints to a support code."""
        return self.folder / f'{SUPPORT_ENCODER}.onnx'

    @property
    def query_matcher(self) -> Path:
        """Crops and a support code to keypoints."""
        return self.folder / f'{QUERY_MATCHER}.onnx'

    @property
    def description(self) -> Path:
        """What goes in and comes out, and how crops are cut out."""
        return self.folder / DESCRIPTION


def require_export_packages() -> None:
    """Refuse to start without what an export needs.

    Raises:
        InputError: If a package is missing, or torch is too old.
    """
    if digit_version(torch.__version__) < digit_version(MIN_TORCH):
        raise InputError(
            f'an export needs torch {MIN_TORCH}, this is {torch.__version__}: '
            'export in another environment, any torch can train'
        )
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise InputError(
            f'an export needs {", ".join(missing)}: '
            'pip install "mmcape[export]"'
        )


def export_model(model: Any, cfg: Config, folder: Path) -> ExportedModel:
    """Write the files of a model.

    The lengths of batch, shots and keypoints stay free.

    Args:
        model: Estimator on the CPU, in evaluation mode.
        cfg: Its config; the test pipeline tells how crops are cut out.
        folder: Where to, made if it is missing.

    Raises:
        InputError: If the model cannot be exported, see
            :func:`~mmcape.export.steps.check_exportable` and
            :func:`require_export_packages`.
    """
    require_export_packages()
    check_exportable(model)
    padding = _crop_padding(cfg)
    folder.mkdir(parents=True, exist_ok=True)
    exported = ExportedModel(folder)

    support, crops = make_example(model, batch=2, shots=3, keypoints=5)
    encoder = SupportEncoder(model)
    with torch.no_grad():
        code = encoder(*support)
    limit = model.head.max_keypoints
    _export(encoder, support, SUPPORT_ENCODER, exported.support_encoder, limit)
    _export(
        QueryMatcher(model),
        (crops, *code),
        QUERY_MATCHER,
        exported.query_matcher,
        limit,
    )
    description = _describe(model, cfg, exported, padding)
    exported.description.write_text(json.dumps(description, indent=2) + '\n')
    return exported


def _export(
    step: nn.Module,
    example: tuple[Tensor, ...],
    name: str,
    path: Path,
    max_keypoints: int | None,
) -> None:
    """Write one step, all in one file."""
    axes = {
        axis: torch.export.Dim(
            axis, max=max_keypoints if axis == 'keypoints' else None
        )
        for axis in ('batch', 'shots', 'keypoints')
    }
    inputs = _INPUTS[name]
    with _quiet():
        torch.onnx.export(
            step.eval(),
            example,
            path,
            dynamo=True,
            external_data=False,
            opset_version=OPSET,
            verbose=False,
            input_names=list(inputs),
            output_names=list(_OUTPUTS[name]),
            dynamic_shapes=tuple(
                {place: axes[axis] for place, axis in enumerate(of_input)}
                for of_input in inputs.values()
            ),
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's warnings, which are about its own code."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    finally:
        logging.disable(before)


def _crop_padding(cfg: Config) -> float:
    """Side of a crop relative to the longer side of its box.

    Raises:
        InputError: If the test pipeline does not say it.
    """
    for outer in cfg.test_dataloader.dataset.pipeline:
        for step in outer.get('transforms', ()):
            if step['type'] == 'GetSquareCropBox':
                return GetSquareCropBox(**_arguments(step)).padding
    raise InputError(
        'the pipeline of test_dataloader has no GetSquareCropBox: export '
        'describes the square that it cuts out'
    )


def _arguments(step: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in step.items() if name != 'type'}


def _describe(
    model: Any, cfg: Config, exported: ExportedModel, padding: float
) -> dict[str, Any]:
    preprocessor = model.data_preprocessor
    return dict(
        format=_FORMAT,
        config=Path(cfg.filename).stem if cfg.filename else None,
        head=type(model.head).__name__,
        input_size=list(model.head.codec.input_size),
        crop_padding=padding,
        max_keypoints=model.head.max_keypoints,
        crops='BGR, 0 to 255; the files normalise them',
        mean=[round(one, 4) for one in preprocessor.mean.flatten().tolist()],
        std=[round(one, 4) for one in preprocessor.std.flatten().tolist()],
        channel_order_of_mean='RGB' if preprocessor.bgr_to_rgb else 'BGR',
        support_encoder=_signature(exported.support_encoder),
        query_matcher=_signature(exported.query_matcher),
    )


def _signature(path: Path) -> dict[str, Any]:
    """File name, inputs and outputs; axes of any length by their name."""
    import onnx

    graph = onnx.load(path).graph

    def shapes(values: Any) -> dict[str, Any]:
        tensors = {value.name: value.type.tensor_type for value in values}
        return {
            name: dict(
                type=onnx.helper.tensor_dtype_to_np_dtype(one.elem_type).name,
                shape=[
                    axis.dim_param or axis.dim_value for axis in one.shape.dim
                ],
            )
            for name, one in tensors.items()
        }

    inputs, outputs = shapes(graph.input), shapes(graph.output)
    return dict(file=path.name, inputs=inputs, outputs=outputs)
