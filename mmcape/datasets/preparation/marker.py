"""The marker file: what a build holds, and its hash."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..annotation_checks import check_annotations
from ..instances import instances_digest, kept_instances
from .annotation_files import AnnotationFile, Progress, WantedImage
from .image_files import has_size
from .placing import write_json

MARKER = 'mp100_build.json'


def read_marker(data_root: Path) -> dict[str, Any]:
    """What the marker file says, nothing if there is none."""
    try:
        contents = json.loads((data_root / MARKER).read_text())
    except (OSError, ValueError):
        return {}
    return contents if isinstance(contents, dict) else {}


def write_marker(data_root: Path, contents: Mapping[str, Any]) -> None:
    """Write the marker file."""
    write_json(contents, data_root / MARKER)


def describe_build(
    data_root: Path,
    files: Sequence[AnnotationFile],
    wanted: Mapping[str, WantedImage],
    settled: Mapping[str, str],
    source_keys: Mapping[str, str],
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Describe what is there.

    Hashes cover names and bytes of the images; ``instances_sha256`` is the
    hash that ``MP100Dataset`` logs when it goes on without missing images.

    Args:
        data_root: Holds 'images'.
        files: The annotation files.
        wanted: The images that they name.
        settled: How images were chosen that names left open.
        source_keys: Key of the source of each image.
        progress: Called as images are hashed.
    """
    present = {}
    for done, name in enumerate(sorted(wanted), start=1):
        path = data_root / 'images' / name
        if has_size(path, wanted[name].size):
            present[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        if progress is not None:
            progress('hashed', done, len(wanted))
    by_source: dict[str, list[str]] = defaultdict(list)
    for name in sorted(wanted):
        by_source[source_keys[name]].append(name)
    return dict(
        complete=len(present) == len(wanted),
        images=dict(wanted=len(wanted), present=len(present)),
        sha256=_digest(present, sorted(wanted)),
        sources={
            key: dict(
                wanted=len(names),
                present=sum(name in present for name in names),
                sha256=_digest(present, names),
            )
            for key, names in sorted(by_source.items())
        },
        annotation_files={
            file.name: _describe_file(file, data_root, wanted, present)
            for file in files
        },
        settled=dict(sorted(settled.items())),
    )


def _digest(present: Mapping[str, str], names: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for name in names:
        if name in present:
            digest.update(f'{name}\0{present[name]}\n'.encode())
    return digest.hexdigest()


def _describe_file(
    file: AnnotationFile,
    data_root: Path,
    wanted: Mapping[str, WantedImage],
    present: Mapping[str, str],
) -> dict[str, Any]:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name, image in wanted.items():
        if file.name in image.subsets:
            counts[image.category][0] += name in present
            counts[image.category][1] += 1
    problems = check_annotations(
        file.content, str(file.path), str(data_root / 'images')
    )
    records = kept_instances(problems.usable(file.content))
    return dict(
        instances=len(records),
        instances_sha256=instances_digest(records),
        absent_categories=sorted(
            category for category, (have, _) in counts.items() if not have
        ),
        incomplete_categories={
            category: dict(present=have, wanted=total)
            for category, (have, total) in sorted(counts.items())
            if 0 < have < total
        },
    )


def partial_build_lines(marker: Mapping[str, Any]) -> Iterator[str]:
    """Which categories are absent from which split, line by line."""
    images = marker['images']
    if marker['complete']:
        yield f'complete: {images["present"]} images'
    else:
        yield (
            f'PARTIAL: {images["present"]} of {images["wanted"]} images. '
            'Episodes of files below differ from the published ones, so do '
            'not compare their results'
        )
        for name, file in marker['annotation_files'].items():
            if file['absent_categories']:
                yield (
                    f'  {name} lacks '
                    f'{", ".join(file["absent_categories"])} altogether'
                )
            for category, counts in file['incomplete_categories'].items():
                yield (
                    f'  {name} has {counts["present"]} of '
                    f'{counts["wanted"]} images of {category}'
                )
    yield f'sha256 of the images: {marker["sha256"]}'
