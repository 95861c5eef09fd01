"""DeepLabCut projects: labeled-data/<video>/CollectedData_<scorer>."""

from __future__ import annotations

import csv
import io
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ..preparation.image_files import BrokenImageError, image_size
from .own_data import Category, ConversionError, Instance, OwnData, OwnImage

HEADERS = ('scorer', 'individuals', 'bodyparts', 'coords')
UNIQUE = 'single'
"""The individual that holds body parts outside of any animal."""

_Column = tuple[str, str, str]


def read_deeplabcut(project: Path, category: str | None = None) -> OwnData:
    """Read the labels of a project.

    Args:
        project: Folder with 'labeled-data'; 'config.yaml' in it gives the
            skeleton and the category.
        category: Name of the category; by default the project's Task.

    Raises:
        ConversionError: If labels can be read in no way, or in several;
            names file and row.
    """
    config = _config(project)
    category = category or config.get('Task')
    if not category:
        raise ConversionError(
            f'{project}: no category; give --category, or config.yaml with '
            '`Task`'
        )
    folders = sorted(
        path for path in (project / 'labeled-data').glob('*') if path.is_dir()
    )
    data = OwnData()
    read = 0
    for folder in folders:
        table = _label_file(folder)
        if table is not None:
            _read_table(table, str(category), config, project, data)
            read += 1
    if not read:
        raise ConversionError(
            f'{project} has no labeled-data/<video>/CollectedData_*.csv; '
            'label frames first, or name the project folder'
        )
    return data


def _config(project: Path) -> Mapping[str, Any]:
    path = project / 'config.yaml'
    if not path.is_file():
        return {}
    try:
        config = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConversionError(f'{path} is not valid YAML: {error}') from error
    return config if isinstance(config, dict) else {}


def _label_file(folder: Path) -> Path | None:
    """The label file of a video: CSV, or HDF5 where there is no CSV."""
    for suffix in ('.csv', '.h5'):
        found = sorted(folder.glob(f'CollectedData_*{suffix}'))
        if len(found) > 1:
            raise ConversionError(
                f'{folder} has labels of several scorers: '
                f'{", ".join(path.name for path in found)}; keep one of them'
            )
        if found:
            return found[0]
    return None


def _rows(path: Path) -> list[list[str]]:
    if path.suffix == '.csv':
        try:
            text = path.read_text(encoding='utf-8-sig')
            return list(csv.reader(io.StringIO(text)))
        except (UnicodeDecodeError, csv.Error) as error:
            raise ConversionError(f'{path} is no table: {error}') from error
    try:
        import pandas as pd

        frame = pd.read_hdf(path)
    except ImportError as error:
        raise ConversionError(
            f'{path} is read with pandas and tables ({error}): '
            '`pip install "mmcape[hdf5]"`, or save labels as CSV'
        ) from None
    return list(csv.reader(io.StringIO(frame.to_csv())))


def _read_table(
    path: Path,
    category: str,
    config: Mapping[str, Any],
    project: Path,
    data: OwnData,
) -> None:
    """Add the labels of one video."""
    rows = _rows(path)
    headers = {row[0]: row for row in rows[:4] if row and row[0] in HEADERS}
    if not {'bodyparts', 'coords'} <= set(headers):
        raise ConversionError(
            f'{path} has no header rows `bodyparts` and `coords`: it is no '
            'label file of DeepLabCut'
        )
    num_index = _index_columns(headers['bodyparts'])
    columns = _columns(headers, num_index, path)
    names = tuple(dict.fromkeys(part for _, part, _ in columns))
    data.add_category(
        category, Category(names, _skeleton(config, names, project)), path
    )
    for number, row in enumerate(rows[len(headers) :], start=1):
        if not any(row):
            continue
        where = f'{path}, row {len(headers) + number}'
        if len(row) != num_index + len(columns):
            raise ConversionError(
                f'{where} has {len(row)} columns, the header '
                f'{num_index + len(columns)}'
            )
        file = (
            path.parent / row[num_index - 1].replace('\\', '/').split('/')[-1]
        )
        animals = _animals(row[num_index:], columns, names, where)
        if not animals:
            data.unlabelled += 1
            continue
        name = file.relative_to(project).as_posix()
        if name in data.images:
            raise ConversionError(f'{where}: {name} is there twice')
        try:
            data.images[name] = OwnImage(file, image_size(file))
        except BrokenImageError as error:
            raise ConversionError(f'{where}: {error}') from None
        data.instances += [
            Instance(name, category, keypoints) for keypoints in animals
        ]


def _index_columns(header: Sequence[str]) -> int:
    """Columns that name the frame: one, or one for each part of its path."""
    count = 1
    while count < len(header) and not header[count]:
        count += 1
    return count


def _columns(
    headers: Mapping[str, Sequence[str]], num_index: int, path: Path
) -> list[_Column]:
    """Individual, body part and coordinate of each column."""
    parts, coords = headers['bodyparts'], headers['coords']
    animals = headers.get('individuals') or [''] * len(parts)
    columns = list(zip(animals, parts, coords))[num_index:]
    for column in columns:
        if column[2] not in ('x', 'y'):
            raise ConversionError(
                f'{path}: column {column} is neither x nor y; labels made by '
                'a model are no annotation'
            )
        if column[0] == UNIQUE:
            raise ConversionError(
                f'{path}: body part {column[1]!r} belongs to no animal '
                f'(individual {UNIQUE!r}); remove these columns'
            )
    if len(set(columns)) < len(columns):
        repeated = next(c for c in columns if columns.count(c) > 1)
        raise ConversionError(f'{path}: column {repeated} is there twice')
    return columns


def _animals(
    cells: Sequence[str],
    columns: Sequence[_Column],
    names: Sequence[str],
    where: str,
) -> list[np.ndarray]:
    """Keypoints of each animal that has a label in the row."""
    values: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for (animal, part, coord), cell in zip(columns, cells):
        try:
            value = float(cell or 'nan')
        except ValueError:
            raise ConversionError(
                f'{where}: {coord} of {part!r} is {cell!r}, no number'
            ) from None
        if math.isfinite(value):
            values[animal, part][coord] = value
    found = []
    for animal in dict.fromkeys(animal for animal, _, _ in columns):
        keypoints = np.zeros((len(names), 3))
        for index, part in enumerate(names):
            point = values.get((animal, part), {})
            if len(point) == 1:
                raise ConversionError(
                    f'{where}: {part!r} has {list(point)[0]} alone'
                )
            if point:
                keypoints[index] = point['x'], point['y'], 2
        if keypoints[:, 2].any():
            found.append(keypoints)
    return found


def _skeleton(
    config: Mapping[str, Any], names: Sequence[str], project: Path
) -> tuple[tuple[int, int], ...]:
    edges = []
    for edge in config.get('skeleton') or []:
        if not (
            isinstance(edge, list)
            and len(edge) == 2
            and all(end in names for end in edge)
        ):
            raise ConversionError(
                f'{project / "config.yaml"}: skeleton edge {edge} is no pair '
                f'of the body parts {list(names)}'
            )
        edges.append((names.index(edge[0]), names.index(edge[1])))
    return tuple(edges)
