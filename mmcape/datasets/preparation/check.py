"""Every annotation against every file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ..instances import category_name, instances_digest, kept_instances
from .annotation_files import (
    AnnotationFile,
    Progress,
    subset_of,
    wanted_images,
)
from .bounds import box_inside, points_outside
from .image_files import BrokenImageError, image_size
from .sources import source_of_category

KINDS: Mapping[str, str] = {
    'missing': 'image file missing',
    'unreadable': 'image file that cannot be decoded',
    'size': 'image whose size differs from the annotation',
    'annotation': 'annotation or category that cannot be used, such as one '
    'with a wrong keypoint count',
    'box': 'box that reaches out of the image',
    'keypoint': 'visible keypoint outside the image',
    'overlap': 'category with instances in more than one of train, val and '
    'test of a split',
}
"""What is looked for, by the kind's name in reports."""

Finding = dict[str, Any]


def check(
    image_root: Path,
    files: Sequence[AnnotationFile],
    *,
    tolerance: float = 1.0,
    num_workers: int = 2,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Check annotation files and decode all images that they name.

    Args:
        image_root: Folder that names of images are relative to.
        files: The annotation files.
        tolerance: Pixels that a box or keypoint may lie outside the image.
        num_workers: Threads that decode images.
        progress: Called as images are decoded.

    Returns:
        The report of what JSON can hold, with the keys ``ok``, ``counts`` by
        kind, ``findings`` by kind, ``sources`` and ``files``.

    Raises:
        AnnotationError: If the annotation files cannot be used.
    """
    wanted = wanted_images(files)
    findings: dict[str, list[Finding]] = {kind: [] for kind in KINDS}
    outcomes = _decode_all(
        {name: image_root / name for name in wanted}, num_workers, progress
    )
    for name, outcome in outcomes.items():
        image = wanted[name]
        where = dict(file_name=name, files=image.subsets)
        if outcome is None:
            findings['missing'].append(where)
        elif isinstance(outcome, str):
            findings['unreadable'].append({**where, 'detail': outcome})
        elif outcome != image.size:
            findings['size'].append(
                {**where, 'annotated': list(image.size), 'found': [*outcome]}
            )
    for file in files:
        _check_file(file, tolerance, findings)
    findings['overlap'] = list(_overlaps(files))

    counts = {kind: len(found) for kind, found in findings.items()}
    return dict(
        ok=not any(counts.values()),
        counts=counts,
        findings=findings,
        sources=_by_source(outcomes, findings),
        files={file.name: _describe(file) for file in files},
        tolerance=tolerance,
    )


def _decode_all(
    paths: Mapping[str, Path], num_workers: int, progress: Progress | None
) -> dict[str, tuple[int, int] | str | None]:
    """Size of each image, None if it is missing, or what is wrong with it."""
    outcomes = {}
    with ThreadPoolExecutor(num_workers) as pool:
        sizes = pool.map(_decode, paths.values())
        for done, (name, outcome) in enumerate(zip(paths, sizes), start=1):
            outcomes[name] = outcome
            if progress is not None:
                progress('decoded', done, len(paths))
    return outcomes


def _decode(path: Path) -> tuple[int, int] | str | None:
    if not path.is_file():
        return None
    try:
        return image_size(path, decode=True)
    except BrokenImageError as error:
        return str(error)


def _check_file(
    file: AnnotationFile,
    tolerance: float,
    findings: dict[str, list[Finding]],
) -> None:
    """Note what is wrong inside one annotation file."""
    for what, places in file.problems.found.items():
        for place in places:
            findings['annotation'].append(
                dict(file=file.name, problem=what, where=place)
            )
    images = {image['id']: image for image in file.content['images']}
    for ann in file.problems.usable(file.content)['annotations']:
        image = images[ann['image_id']]
        where = dict(
            file=file.name,
            annotation_id=ann['id'],
            file_name=image['file_name'],
            image_size=[image['width'], image['height']],
        )
        size = (image['width'], image['height'])
        if ann.get('bbox') and not box_inside(ann['bbox'], size, tolerance):
            findings['box'].append({**where, 'bbox': ann['bbox']})
        outside = points_outside(ann.get('keypoints') or [], size, tolerance)
        if outside:
            findings['keypoint'].append({**where, 'keypoints': outside})


def _overlaps(files: Sequence[AnnotationFile]) -> Iterator[Finding]:
    """Categories with instances in several subsets of a split.

    Categories are told apart by name and number of keypoints: two of MP-100
    are named 'face'.
    """
    splits: dict[str, dict[tuple[str, int], set[str]]] = defaultdict(
        lambda: defaultdict(set)
    )
    for file in files:
        split = subset_of(file.name)
        if split is None:
            continue
        names = {c['id']: category_name(c) for c in file.content['categories']}
        for ann in file.problems.usable(file.content)['annotations']:
            name = names[ann['category_id']]
            key = (name, len(ann.get('keypoints') or []) // 3)
            splits[split[0]][key].add(file.name)
    for name, categories in splits.items():
        for (category, count), subsets in sorted(categories.items()):
            if len(subsets) > 1:
                yield dict(
                    split=name,
                    category=category,
                    num_keypoints=count,
                    files=sorted(subsets),
                )


def _by_source(
    outcomes: Mapping[str, Any], findings: Mapping[str, list[Finding]]
) -> dict[str, dict[str, int]]:
    """Images of each source: how many, and how many with each problem."""
    counts: dict[str, dict[str, int]] = defaultdict(
        lambda: dict(images=0, missing=0, unreadable=0, size=0)
    )
    keys = {}
    for name in outcomes:
        source = source_of_category(name.split('/')[0])
        keys[name] = 'no source' if source is None else source.key
        counts[keys[name]]['images'] += 1
    for kind in ('missing', 'unreadable', 'size'):
        for finding in findings[kind]:
            counts[keys[finding['file_name']]][kind] += 1
    return {key: counts[key] for key in sorted(counts)}


def _describe(file: AnnotationFile) -> dict[str, Any]:
    records = kept_instances(file.problems.usable(file.content))
    return dict(
        images=len(file.content['images']),
        annotations=len(file.content['annotations']),
        categories=len({record['category_id'] for record in records}),
        instances=len(records),
        instances_sha256=instances_digest(records),
    )


def check_lines(report: Mapping[str, Any], shown: int = 5) -> Iterator[str]:
    """The report for people, line by line.

    Args:
        report: What ``check`` returned.
        shown: Findings of each kind that are shown.
    """
    for name, file in report['files'].items():
        yield (
            f'{name}: {file["images"]} images, {file["instances"]} instances '
            f'of {file["categories"]} categories, '
            f'sha256 {file["instances_sha256"][:12]}'
        )
    for key, counts in report['sources'].items():
        problems = ', '.join(
            f'{count} {kind}'
            for kind, count in counts.items()
            if kind != 'images' and count
        )
        yield f'{key}: {counts["images"]} images, {problems or "all sound"}'
    for kind, found in report['findings'].items():
        if not found:
            continue
        yield f'{kind}: {len(found)} x {KINDS[kind]}'
        for finding in found[:shown]:
            facts = (f'{key} {value}' for key, value in finding.items())
            yield f'  {", ".join(facts)}'
        if len(found) > shown:
            yield f'  and {len(found) - shown} more'
