"""The annotation files of a benchmark, and the images that they name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmcape.utils.json_files import JsonError, read_json

from ..annotation_checks import AnnotationError, Problems, check_annotations

Progress = Callable[[str, int, int], None]
"""Called with what is done to images, the number done and their total."""

ANNOTATION_FOLDERS = ('annotations', 'cross_category_annotations')
SUBSETS = ('train', 'val', 'test')


@dataclass
class WantedImage:
    """An image that annotation files name.

    Args:
        file_name: Its name below the image folder.
        size: Annotated (width, height).
        annotations: Its usable annotations, of the first file that names it.
        subsets: The annotation files that name it.
    """

    file_name: str
    size: tuple[int, int]
    annotations: list[dict[str, Any]] = field(default_factory=list)
    subsets: list[str] = field(default_factory=list)

    @property
    def category(self) -> str:
        """The image folder, which is the category in MP-100."""
        return self.file_name.split('/')[0]

    @property
    def tail(self) -> tuple[str, ...]:
        """The path without the category."""
        parts = tuple(self.file_name.split('/'))
        return parts[1:] or parts


@dataclass(frozen=True)
class AnnotationFile:
    """One annotation file.

    Args:
        path: Where it is.
        name: Its name in reports.
        content: The parsed JSON.
        problems: What is wrong in it, images aside.
    """

    path: Path
    name: str
    content: dict[str, Any]
    problems: Problems


def find_annotation_files(data_root: Path) -> list[Path]:
    """The annotation files below a data root, in a fixed order.

    Raises:
        FileNotFoundError: If there are none.
    """
    found = [
        path
        for folder in ANNOTATION_FOLDERS
        for path in sorted((data_root / folder).glob('*.json'))
    ]
    if not found:
        raise FileNotFoundError(
            f'no annotation files in {data_root / ANNOTATION_FOLDERS[0]}: '
            'download them there (`mp100.py plan` says where from), or name '
            'them with --annotations'
        )
    return found


def read_annotation_files(paths: Iterable[Path]) -> list[AnnotationFile]:
    """Read annotation files that have at least the three lists of COCO.

    Raises:
        AnnotationError: If one is no JSON, or no COCO file.
        FileNotFoundError: If one is missing.
    """
    files = []
    for path in paths:
        try:
            content = read_json(path)
        except FileNotFoundError:
            raise FileNotFoundError(
                f'annotation file {path} is missing'
            ) from None
        except JsonError as error:
            raise AnnotationError(f'{error}; download it again') from error
        problems = check_annotations(content, str(path))
        files.append(AnnotationFile(path, path.name, content, problems))
    return files


def wanted_images(files: Sequence[AnnotationFile]) -> dict[str, WantedImage]:
    """The images that the files name, by name, each once.

    Raises:
        AnnotationError: If an image has no name or size, its name leaves the
            image folder, or files disagree about its size.
    """
    wanted: dict[str, WantedImage] = {}
    for file in files:
        problems = check_annotations(
            dict(file.content, annotations=[], categories=[]), str(file.path)
        )
        if problems:
            raise AnnotationError(
                f'{problems.report()}\nCorrect these entries, or download '
                'the file again'
            )
        annotations = defaultdict(list)
        for annotation in file.problems.usable(file.content)['annotations']:
            annotations[annotation['image_id']].append(annotation)
        for image in file.content['images']:
            name = image['file_name'].replace('\\', '/')
            size = (int(image['width']), int(image['height']))
            entry = wanted.setdefault(
                name, WantedImage(name, size, annotations[image['id']])
            )
            if entry.size != size:
                raise AnnotationError(
                    f'{name} has {entry.size} pixels in {entry.subsets[0]} '
                    f'but {size} in {file.name}: these annotation files are '
                    'of different editions, use those of one'
                )
            entry.subsets.append(file.name)
    return wanted


def subset_of(name: str) -> tuple[str, str] | None:
    """Split and subset that an annotation file's name tells.

    ``mp100_split1_train.json`` is ('mp100_split1', 'train'), and
    ``fewshot_test_vehicle.json`` is ('fewshot_vehicle', 'test'); None if the
    name has no subset, or several.
    """
    parts = re.split('[_-]', Path(name).stem)
    subsets = [part for part in parts if part in SUBSETS]
    if len(subsets) != 1:
        return None
    rest = [part for part in parts if part not in SUBSETS]
    return '_'.join(rest), subsets[0]
