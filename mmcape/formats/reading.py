"""Which reader a file of labelled keypoints needs."""

from __future__ import annotations

from pathlib import Path

from mmcape.utils.input_error import InputError

from .coco import read_coco
from .deeplabcut import read_deeplabcut
from .files import read_json
from .labelme import read_labelme
from .labelstudio import read_labelstudio
from .poses import LabelledPoses
from .sleap import SUFFIXES, read_with_sleap_io
from .yolo import FILE, read_yolo


def read_poses(
    path: str | Path,
    category: str | int | None = None,
    img_root: str | Path | None = None,
) -> LabelledPoses:
    """Read labelled keypoints of any known format.

    Args:
        path: COCO .json, labelme .json or a folder of these, Label Studio
            .json, DeepLabCut .csv or .h5, data.yaml of a YOLO-pose data set
            or its folder, or what sleap-io reads (.slp, .nwb).
        category: See :func:`~mmcape.formats.coco.read_coco`; labelme and
            DeepLabCut have one.
        img_root: Folder of the images, by default looked for near the file.

    Raises:
        InputError: If the file is missing or of no known format.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f'{path} is missing')
    suffix = path.suffix.lower()
    if suffix in ('.yaml', '.yml') or (path / FILE).is_file():
        return read_yolo(path, category, img_root)
    if path.is_dir():
        return read_labelme(path, img_root)
    if suffix in ('.csv', '.h5'):
        return read_deeplabcut(path, img_root)
    if suffix in SUFFIXES:
        return read_with_sleap_io(path, category, img_root)
    if suffix == '.json':
        content = read_json(path)
        if isinstance(content, dict) and 'shapes' in content:
            return read_labelme(path, img_root)
        if isinstance(content, list) and content:
            return read_labelstudio(path, category, img_root)
        return read_coco(path, category, img_root)
    raise InputError(
        f'{path} is of no known format: COCO, labelme or Label Studio .json, '
        'DeepLabCut .csv or .h5, data.yaml of YOLO-pose, or '
        f'{", ".join(SUFFIXES)} through sleap-io'
    )
