"""A user's annotations -> files in the format of MP-100."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..preparation.placing import place, write_json
from .own_data import ConversionError, OwnData, box_around


def write(
    data: OwnData,
    out: Path,
    subsets: Mapping[str, Sequence[str]],
    *,
    info: Mapping[str, Any],
    box_margin: float = 0.15,
    how: str = 'link',
) -> dict[str, Path]:
    """Write an annotation file for each subset, and place the images.

    Annotation files come last: where they are, images are whole. Ids are
    unique over all subsets.

    Args:
        data: The annotations.
        out: Gets ``<subset>.json`` and ``images/``.
        subsets: Names of the categories of each.
        info: The ``info`` of the files.
        box_margin: Margin of boxes that have to be drawn around keypoints.
        how: How images are placed: 'link', 'hardlink' or 'copy'.

    Returns:
        The annotation files.

    Raises:
        ConversionError: If there is nothing to write, or a box has no area.
    """
    if not data.instances:
        raise ConversionError('there is no labelled instance in the input')
    for name, image in data.images.items():
        place(image.path, out / 'images' / name, how)
    category_ids = {
        name: number for number, name in enumerate(sorted(data.categories), 1)
    }
    image_ids = {name: number for number, name in enumerate(data.images, 1)}
    files = {}
    for subset, names in subsets.items():
        if not names:
            continue
        annotations = _annotations(
            data, names, category_ids, image_ids, box_margin
        )
        used = {ann['image_id'] for ann in annotations}
        files[subset] = out / f'{subset}.json'
        write_json(
            dict(
                info=dict(info),
                images=[
                    dict(
                        id=image_ids[name],
                        file_name=name,
                        width=image.size[0],
                        height=image.size[1],
                    )
                    for name, image in data.images.items()
                    if image_ids[name] in used
                ],
                annotations=annotations,
                categories=[
                    _category(data, name, category_ids[name]) for name in names
                ],
            ),
            files[subset],
        )
    return files


def _category(data: OwnData, name: str, number: int) -> dict[str, Any]:
    category = data.categories[name]
    return dict(
        id=number,
        name=name,
        keypoints=list(category.keypoints),
        skeleton=[[start + 1, end + 1] for start, end in category.skeleton],
    )


def _annotations(
    data: OwnData,
    names: Sequence[str],
    category_ids: Mapping[str, int],
    image_ids: Mapping[str, int],
    box_margin: float,
) -> list[dict[str, Any]]:
    entries = []
    for number, one in enumerate(data.instances, 1):
        if one.category not in names:
            continue
        size = data.images[one.image].size
        bbox = one.bbox or box_around(one.keypoints, size, box_margin)
        if min(bbox[2:]) <= 0:
            raise ConversionError(
                f'{data.images[one.image].path}: the box {bbox} of a '
                f'{one.category!r} has no area; correct it'
            )
        entries.append(
            dict(
                id=number,
                image_id=image_ids[one.image],
                category_id=category_ids[one.category],
                bbox=list(bbox),
                area=bbox[2] * bbox[3],
                bbox_from_keypoints=one.bbox is None,
                iscrowd=one.iscrowd,
                num_keypoints=int((one.keypoints[:, 2] > 0).sum()),
                keypoints=[
                    value
                    for x, y, visible in one.keypoints.tolist()
                    for value in (x, y, int(visible))
                ],
            )
        )
    return entries


def conversion_lines(
    data: OwnData,
    subsets: Mapping[str, Sequence[str]],
    needed: int = 16,
) -> Iterator[str]:
    """What was converted, line by line.

    Args:
        data: The annotations.
        subsets: Names of the categories of each.
        needed: Instances that an evaluated category must have: a support and
            the queries of an episode.
    """
    counts = Counter(one.category for one in data.instances)
    drawn = sum(one.bbox is None for one in data.instances)
    for subset, names in subsets.items():
        listed = ', '.join(f'{name} ({counts[name]})' for name in names)
        yield f'{subset}: {listed or "nothing"}'
        few = [name for name in names if counts[name] < needed]
        if few and subset != 'train':
            yield (
                f'  {", ".join(few)}: fewer than {needed} instances, so lower '
                'sampler.num_queries'
            )
    shared = Counter(
        image
        for names in subsets.values()
        for image in {
            one.image for one in data.instances if one.category in names
        }
    )
    several = sum(count > 1 for count in shared.values())
    if several:
        yield f'{several} images have categories of more than one subset'
    if drawn:
        yield f'{drawn} boxes drawn around keypoints'
    if data.unlabelled:
        yield f'{data.unlabelled} images without a label left out'
