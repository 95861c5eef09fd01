"""DeepLabCut tables, which Lightning Pose uses as well.

Columns are named by three rows, scorer, bodyparts and coords, or by four with
individuals in between. A row is an image, named in one cell or in three
(labeled-data, video, image), or a frame of a video by its number.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mmcape.utils.input_error import InputError

from .files import find_image
from .poses import LabelledPoses, NamedPoints, Pose

_HEADERS = ('scorer', 'individuals', 'bodyparts', 'coords')
_SCORER = 'mmcape'

Table = list[list[str]]


def read_deeplabcut(
    path: str | Path, img_root: str | Path | None = None
) -> LabelledPoses:
    """Read labels, or predictions, of images.

    A body part without coordinates is not visible, nor is one whose
    Lightning Pose column ``visible`` says that it was not labelled.

    Args:
        path: A .csv file, or the .h5 file that DeepLabCut writes beside it
            (needs pandas and PyTables).
        img_root: Folder that image paths are relative to; by default it is
            looked for, beside the file and above it.

    Raises:
        InputError: If it is no such table, or images are missing.
    """
    path = Path(path)
    table = _read_h5(path) if path.suffix == '.h5' else _read_csv(path)
    header = {row[0]: row for row in table[:4] if row and row[0] in _HEADERS}
    if not {'bodyparts', 'coords'} <= header.keys():
        raise InputError(
            f'{path} is no table of DeepLabCut: its first rows must be '
            'scorer, bodyparts and coords (or individuals between them)'
        )
    first = next(
        (i for i, cell in enumerate(header['coords']) if i and cell),
        len(header['coords']),
    )

    found: list[tuple[NamedPoints, str]] = []
    for row in table[len(header) :]:
        image = '/'.join(row[:first])
        for instance in _instances(row, header, first, path):
            found.append((instance, find_image(image, path, img_root)))
    if not found:
        raise InputError(f'{path} has no row with a labelled body part')
    names = list(dict.fromkeys(header['bodyparts'][first:]))
    return LabelledPoses(
        names=names,
        poses=[one.as_pose(image, names) for one, image in found],
    )


def _instances(
    row: Sequence[str], header: dict[str, list[str]], first: int, path: Path
) -> Iterator[NamedPoints]:
    """Labelled individuals of a row."""
    cells: dict[str, dict[str, dict[str, float]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    individuals = header.get('individuals', header['bodyparts'][:1] * len(row))
    columns = zip(
        individuals[first:],
        header['bodyparts'][first:],
        header['coords'][first:],
        row[first:],
    )
    for individual, part, coordinate, cell in columns:
        try:
            cells[individual][part][coordinate] = float(cell or 'nan')
        except ValueError as error:
            raise InputError(
                f'{path}, row {row[0]}: {coordinate} of {part} is {cell!r}, '
                'not a number'
            ) from error
    for parts in cells.values():
        instance = NamedPoints()
        for part, cell_of in parts.items():
            x, y = cell_of.get('x', np.nan), cell_of.get('y', np.nan)
            if np.isfinite([x, y]).all() and cell_of.get('visible', 1) != 0:
                instance.points[part] = (x, y)
                if np.isfinite(cell_of.get('likelihood', np.nan)):
                    instance.scores[part] = cell_of['likelihood']
        if instance.points:
            yield instance


def _read_csv(path: Path) -> Table:
    try:
        with path.open(newline='', encoding='utf-8-sig') as file:
            return [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f'{path} cannot be read: {error}') from error


def _read_h5(path: Path) -> Table:
    """The same cells as those of the .csv file.

    Raises:
        InputError: If the libraries for it are not there.
    """
    try:
        import pandas
        import tables  # noqa: F401  (pandas needs it)
    except ImportError as error:
        raise InputError(
            f'{path} needs pandas and PyTables (pip install pandas tables); '
            'or give the .csv file that DeepLabCut writes beside it'
        ) from error
    try:
        frame = pandas.read_hdf(path)
    except Exception as error:
        raise InputError(f'pandas cannot read {path}: {error}') from error
    labels = [
        '/'.join(map(str, key)) if isinstance(key, tuple) else str(key)
        for key in frame.index
    ]
    header = [
        [str(level), *map(str, frame.columns.get_level_values(level))]
        for level in frame.columns.names
    ]
    rows = [
        [label, *('' if np.isnan(cell) else repr(cell) for cell in values)]
        for label, values in zip(labels, frame.to_numpy(float).tolist())
    ]
    return [*header, *rows]


def write_deeplabcut(path: str | Path, labelled: LabelledPoses) -> None:
    """Write poses with the confidence as likelihood.

    Images are named 'labeled-data', their folder and their file name, so
    that a file written into such a folder of a project is one of its own
    (deeplabcut.convertcsv2h5 makes the .h5 file); frames of a video by their
    number, as in DeepLabCut's analysis of a video. Several instances of an
    image are individuals.

    Args:
        path: A .csv file.
        labelled: The poses.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    groups = list(labelled.by_image())
    count = max((len(poses) for poses in groups), default=1)
    of_video = bool(groups) and groups[0][0].frame is not None
    coordinates = ('x', 'y', 'likelihood')
    padding = [''] * (0 if of_video else 2)
    columns = [
        (f'individual{i}', name, coordinate)
        for i in range(1, count + 1)
        for name in labelled.names
        for coordinate in coordinates
    ]
    header = [['scorer', *padding, *[_SCORER] * len(columns)]]
    if count > 1:
        header.append(['individuals', *padding, *(c[0] for c in columns)])
    header.append(['bodyparts', *padding, *(c[1] for c in columns)])
    header.append(['coords', *padding, *(c[2] for c in columns)])
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerows(header)
        for poses in groups:
            cells = [cell for pose in poses for cell in _cells(pose)]
            missing = len(columns) - len(cells)
            writer.writerow([*_row_name(poses[0]), *cells, *[''] * missing])


def _row_name(pose: Pose) -> list[str]:
    if pose.frame is not None:
        return [str(pose.frame)]
    image = Path(pose.image).absolute()
    return ['labeled-data', image.parent.name, image.name]


def _cells(pose: Pose) -> Iterator[str]:
    for i, (x, y) in enumerate(pose.keypoints):
        if pose.visible[i]:
            score = 1.0 if pose.scores is None else pose.scores[i]
            yield from (f'{x:.2f}', f'{y:.2f}', f'{score:.4f}')
        else:
            yield from ('', '', '')
