"""Writes the data set in the format of MP-100."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from mmcape.utils.atomic_files import write_atomically
from mmcape.utils.file_names import leaves_folder

from .anatomy import Species
from .annotations import (
    Json,
    annotation_entry,
    category_entry,
    read_contents,
)
from .scene import DEFAULT_VARIATION, Scene, Variation, draw_scene
from .species import SPLITS, make_bystanders, make_splits

# Raised with every change that moves a pixel or a keypoint.
GENERATOR_VERSION = 2

_INSTANCE_STREAM = 2
_JPEG_QUALITY = 92

Progress = Callable[[int, int], None]
_Drawn = tuple[list[Json], list[Json]]


class OtherPuppetsError(Exception):
    """The output folder holds puppets that were drawn with other options."""


@dataclass(frozen=True, eq=False)
class _Task:
    """One category to draw; all a worker needs to know."""

    image_root: Path
    species: Species
    bystanders: Sequence[Species]
    seed_words: tuple[int, ...]
    category_id: int
    first_id: int
    count: int
    variation: Variation


def generate(
    out_dir: str | Path,
    *,
    seed: int = 0,
    categories: tuple[int, int, int] = (70, 10, 20),
    instances: tuple[int, int, int] = (40, 24, 30),
    variation: Variation = DEFAULT_VARIATION,
    num_workers: int = 1,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> dict[str, Path]:
    """Draws the Puppets data set, or keeps one that is there already.

    The files depend on seed, categories, instances and variation only, not
    on the number of workers. The annotation files come last: a folder that
    lacks one was interrupted and is drawn anew.

    Args:
        out_dir: Receives 'annotations' and 'images'.
        seed: Seed of all species and instances.
        categories: Number of train, val and test categories.
        instances: Images per train, val and test category.
        variation: How far the instances of a category differ.
        num_workers: Processes to draw with; 1 draws in this one.
        overwrite: Whether to replace puppets of other options.
        progress: Called with the categories done and their total.

    Returns:
        Path of the annotation file by split.

    Raises:
        OtherPuppetsError: If there are puppets of other options and
            overwrite is False.
        ValueError: If an option is out of range.
    """
    info = _describe(seed, categories, instances, variation)
    if num_workers < 1:
        raise ValueError(f'num_workers must be positive, got {num_workers}')
    root = Path(out_dir)
    files = {
        split: root / 'annotations' / f'puppets_{split}.json'
        for split in SPLITS
    }
    if _is_complete(files, info, overwrite):
        return files
    _clear(root / 'images', list(files.values()))

    splits = make_splits(seed, dict(zip(SPLITS, categories)))
    tasks = list(_plan(root / 'images', splits, seed, instances, variation))
    drawn = _run(tasks, num_workers, progress)
    _write_annotations(files, info, splits, drawn)
    return files


def _describe(
    seed: int,
    categories: Sequence[int],
    instances: Sequence[int],
    variation: Variation,
) -> Json:
    """Returns the info entry, by which equal data sets are recognised."""
    if seed < 0:
        raise ValueError(f'seed must not be negative, got {seed}')
    for name, counts in (('categories', categories), ('instances', instances)):
        if len(counts) != len(SPLITS) or min(counts) < 1:
            raise ValueError(
                f'{name} must be three positive numbers, got {counts}'
            )
    if not (0 <= variation.rotation <= 180 and 0 <= variation.hue <= 180):
        raise ValueError(
            f'variation must be in 0..180 degrees, got {variation}'
        )
    return dict(
        description='Puppets: drawn categories in the format of MP-100',
        version=GENERATOR_VERSION,
        seed=seed,
        categories=dict(zip(SPLITS, categories)),
        instances=dict(zip(SPLITS, instances)),
        variation=asdict(variation),
    )


def _is_complete(files: dict[str, Path], info: Json, overwrite: bool) -> bool:
    """Returns whether all files are there and of the wanted options."""
    found = [
        read_contents(file).get('info')
        for file in files.values()
        if file.exists()
    ]
    if any(one != info for one in found) and not overwrite:
        folder = next(iter(files.values())).parent
        raise OtherPuppetsError(
            f'{folder} holds puppets of other options: {found[0]}, '
            f'wanted: {info}; choose another folder or overwrite them'
        )
    return found == [info] * len(files)


def _clear(image_root: Path, files: Sequence[Path]) -> None:
    """Removes annotation files and the images they list in the folder."""
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists():
            images = read_contents(file).get('images', [])
            file.unlink()
            for name in (image['file_name'] for image in images):
                if not leaves_folder(name):
                    (image_root / name).unlink(missing_ok=True)


def _plan(
    image_root: Path,
    splits: dict[str, list[Species]],
    seed: int,
    instances: Sequence[int],
    variation: Variation,
) -> Iterator[_Task]:
    """Yields the categories in the order of their ids."""
    bystanders = make_bystanders(seed)
    category_id, first_id = 1, 1
    for number, split in enumerate(SPLITS):
        for index, species in enumerate(splits[split]):
            yield _Task(
                image_root=image_root,
                species=species,
                bystanders=bystanders,
                seed_words=(seed, _INSTANCE_STREAM, number, index),
                category_id=category_id,
                first_id=first_id,
                count=instances[number],
                variation=variation,
            )
            category_id += 1
            first_id += instances[number]


def _run(
    tasks: Sequence[_Task], num_workers: int, progress: Progress | None
) -> list[_Drawn]:
    """Returns what `_draw_category` makes of the tasks, in their order."""
    drawn: list[_Drawn] = []
    with ExitStack() as stack:
        if num_workers == 1:
            results: Iterator[_Drawn] = map(_draw_category, tasks)
        else:
            # OpenCV's threads, once started, do not survive a fork
            pool = ProcessPoolExecutor(
                num_workers,
                mp_context=get_context('spawn'),
                initializer=cv2.setNumThreads,
                initargs=(1,),
            )
            results = stack.enter_context(pool).map(_draw_category, tasks)
        for result in results:
            drawn.append(result)
            if progress is not None:
                progress(len(drawn), len(tasks))
    return drawn


def _draw_category(task: _Task) -> _Drawn:
    """Writes the images of one category.

    Returns:
        The image and the annotation entries.
    """
    folder = task.image_root / task.species.name
    folder.mkdir(parents=True, exist_ok=True)
    images: list[Json] = []
    annotations: list[Json] = []
    for count in range(task.count):
        rng = np.random.default_rng([*task.seed_words, count])
        scene = draw_scene(task.species, task.bystanders, task.variation, rng)
        item = task.first_id + count
        name = f'{task.species.name}/{item:06d}.jpg'
        _write_jpeg(task.image_root / name, scene)
        height, width = scene.image.shape[:2]
        images.append(
            dict(id=item, file_name=name, width=width, height=height)
        )
        annotations.append(annotation_entry(scene, item, task.category_id))
    return images, annotations


def _write_annotations(
    files: dict[str, Path],
    info: Json,
    splits: dict[str, list[Species]],
    drawn: Sequence[_Drawn],
) -> None:
    """Writes one file per split.

    Args:
        files: Path by split.
        info: Entry by which the options are recognised.
        splits: Species by split, in the order of their ids.
        drawn: Image and annotation entries of every species.
    """
    category_id = 0
    for split, file in files.items():
        contents: Json = dict(
            info=info, images=[], annotations=[], categories=[]
        )
        for species in splits[split]:
            images, annotations = drawn[category_id]
            category_id += 1
            contents['images'] += images
            contents['annotations'] += annotations
            contents['categories'].append(category_entry(species, category_id))
        write_atomically(file, json.dumps(contents).encode())


def _write_jpeg(path: Path, scene: Scene) -> None:
    """Writes the image of a scene."""
    flags = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    done, encoded = cv2.imencode('.jpg', scene.image, flags)
    if not done:
        raise RuntimeError(f'could not encode {path}')
    path.write_bytes(encoded.tobytes())
