"""Results and supports as files to download."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from mmcape.formats import write_coco, write_labelme

from .session import Session


def export_coco(session: Session, folder: Path) -> Path:
    """COCO keypoints of all results.

    Raises:
        InputError: If there is none.
    """
    labelled, pictures = session.labelled()
    named = _distinct_names([picture.name for picture in pictures])
    poses = [
        replace(pose, image=name) for pose, name in zip(labelled.poses, named)
    ]
    path = folder / 'keypoints.json'
    write_coco(path, replace(labelled, poses=poses))
    return path


def export_labelme(session: Session, folder: Path) -> Path:
    """Files of labelme for all results, beside their pictures, zipped.

    Raises:
        InputError: If there is none.
    """
    labelled, pictures = session.labelled()
    named = _distinct_names([picture.name for picture in pictures])
    inside = folder / 'labelme'
    poses = [
        replace(pose, image=str(inside / name))
        for pose, name in zip(labelled.poses, named)
    ]
    files = write_labelme(inside, replace(labelled, poses=poses))
    path = folder / 'labelme.zip'
    with zipfile.ZipFile(path, 'w') as archive:
        for picture, name in zip(pictures, named):
            archive.write(picture.path, f'labelme/{name}')
        for file in files:
            archive.write(file, f'labelme/{file.name}')
    return path


def export_support(session: Session, folder: Path) -> Path:
    """The annotated support, which ``tools/infer.py --support`` takes.

    Raises:
        InputError: If it is not complete.
    """
    path = folder / 'support.npz'
    session.annotation.now.support(session.category).save(path)
    return path


EXPORTS: dict[str, Callable[[Session, Path], Path]] = {
    'COCO JSON': export_coco,
    'labelme': export_labelme,
    'Support file': export_support,
}
"""By what the button is called."""


def _distinct_names(names: list[str]) -> list[str]:
    """Names that differ, in order; a number is added where they do not."""
    taken: dict[str, None] = {}
    for name in names:
        path, free, number = Path(name), name, 2
        while free in taken:
            free, number = f'{path.stem}_{number}{path.suffix}', number + 1
        taken[free] = None
    return list(taken)
