"""Folders of sources -> the images of MP-100."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .annotation_files import (
    AnnotationFile,
    Progress,
    WantedImage,
    wanted_images,
)
from .finder import FOUND, MISSING, Choice
from .hdf5_frames import MissingPackageError
from .image_files import has_size
from .marker import describe_build, read_marker, write_marker
from .placing import place, write_image
from .source_folders import Find, make_finder
from .sources import SOURCES, source_of_category

IMAGE_FOLDER = 'images'
NO_SOURCE = 'no source'
"""In place of a source's key for categories that no source has."""


@dataclass(frozen=True)
class NotPlaced:
    """An image that is not there, and why."""

    file_name: str
    status: str
    detail: str


@dataclass
class BuildReport:
    """What a build did.

    Args:
        made: Images put into place, by source.
        kept: Images that were there, by source.
        absent: Images that are not there, by source and category.
        settled: How a file was chosen where the annotation left it open, by
            name of the image.
        marker: What the marker file says.
    """

    made: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    kept: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    absent: dict[str, dict[str, list[NotPlaced]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    settled: dict[str, str] = field(default_factory=dict)
    marker: dict[str, Any] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every image is there."""
        return not self.absent


def build(
    data_root: Path,
    files: Sequence[AnnotationFile],
    folders: Mapping[str, Path],
    *,
    how: str = 'link',
    rebuild: bool = False,
    progress: Progress | None = None,
) -> BuildReport:
    """Put every image that can be found into place.

    A second run goes on where the first one ended. What is there at the end
    is described by a marker file with a hash.

    Args:
        data_root: Gets ``images/<category>/<image>`` and the marker.
        files: The annotation files.
        folders: Folder of each source that the user has, by key.
        how: 'link', 'hardlink' or 'copy'.
        rebuild: Whether to find and place images anew that are there.
        progress: Called as images are found and hashed.

    Raises:
        AnnotationError: If the annotation files cannot be used.
        OSError: If a file cannot be placed.
    """
    wanted = wanted_images(files)
    report = BuildReport()
    earlier = read_marker(data_root).get('settled', {})
    done = 0
    for key, images in _by_source(wanted).items():
        todo = {}
        for name, image in images.items():
            if not rebuild and _is_there(data_root, image):
                report.kept[key] += 1
                if name in earlier:
                    report.settled[name] = earlier[name]
            else:
                todo[name] = image
        done += len(images) - len(todo)
        find = _finder(key, folders, todo)
        for image in todo.values():
            _place(image, find, key, data_root, how, report)
            done += 1
            if progress is not None:
                progress('found', done, len(wanted))
    report.marker = describe_build(
        data_root, files, wanted, report.settled, _keys(wanted), progress
    )
    report.marker['missing'] = {
        key: {
            category: [vars(entry) for entry in entries]
            for category, entries in categories.items()
        }
        for key, categories in report.absent.items()
    }
    write_marker(data_root, report.marker)
    return report


def _by_source(
    wanted: Mapping[str, WantedImage],
) -> dict[str, dict[str, WantedImage]]:
    """The images by source, in the order of the sources."""
    groups: dict[str, dict[str, WantedImage]] = {
        source.key: {} for source in SOURCES
    }
    keys = _keys(wanted)
    for name, image in wanted.items():
        groups.setdefault(keys[name], {})[name] = image
    return {key: images for key, images in groups.items() if images}


def _keys(wanted: Mapping[str, WantedImage]) -> dict[str, str]:
    """Key of the source of each image."""
    keys = {}
    for name, image in wanted.items():
        source = source_of_category(image.category)
        keys[name] = NO_SOURCE if source is None else source.key
    return keys


def _finder(
    key: str, folders: Mapping[str, Path], todo: Mapping[str, WantedImage]
) -> Find:
    if key == NO_SOURCE:
        return _never('no source of MP-100 has this category')
    if key not in folders:
        return _never(f'the folder of {key} was not given')
    (source,) = (source for source in SOURCES if source.key == key)
    if not todo:
        return _never('')
    try:
        return make_finder(source, folders[key], todo)
    except (MissingPackageError, ValueError) as error:
        return _never(str(error))


def _never(why: str) -> Find:
    choice = Choice(MISSING, detail=why)
    return lambda _: choice


def _place(
    image: WantedImage,
    find: Find,
    key: str,
    data_root: Path,
    how: str,
    report: BuildReport,
) -> None:
    target = data_root / IMAGE_FOLDER / image.file_name
    choice = find(image)
    if choice.status == FOUND:
        if choice.path is not None:
            place(choice.path, target, how)
        else:
            write_image(choice.frame, target)
        report.made[key] += 1
        if choice.settled:
            report.settled[image.file_name] = choice.settled
    elif _is_there(data_root, image):
        report.kept[key] += 1
    else:
        report.absent[key][image.category].append(
            NotPlaced(image.file_name, choice.status, choice.detail)
        )


def _is_there(data_root: Path, image: WantedImage) -> bool:
    """Whether the image is in place, in the annotated size."""
    return has_size(data_root / IMAGE_FOLDER / image.file_name, image.size)


def summary(report: BuildReport) -> Iterator[str]:
    """What a person needs to know of a build, line by line."""
    keys = sorted({*report.made, *report.kept, *report.absent})
    for key in keys:
        absent = report.absent.get(key, {})
        count = sum(map(len, absent.values()))
        yield (
            f'{key}: {report.made.get(key, 0)} placed, '
            f'{report.kept.get(key, 0)} there before, {count} absent'
        )
        for category, entries in sorted(absent.items()):
            reasons: dict[str, list[NotPlaced]] = defaultdict(list)
            for entry in entries:
                reasons[entry.status].append(entry)
            for status, some in sorted(reasons.items()):
                yield (
                    f'  {category}: {len(some)} {status}, e.g. '
                    f'{some[0].file_name}: {some[0].detail}'
                )
    settled: dict[str, int] = defaultdict(int)
    for how in report.settled.values():
        settled[how] += 1
    for how, count in sorted(settled.items()):
        yield f'{count} images chosen by: {how} (see "settled" in the marker)'
