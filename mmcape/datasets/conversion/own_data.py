"""What every reader makes of a user's annotations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

Box = tuple[float, float, float, float]


class ConversionError(ValueError):
    """Annotations that can be read in no way, or in several."""


@dataclass(frozen=True)
class Category:
    """A kind of object.

    Args:
        keypoints: Names of its keypoints.
        skeleton: Pairs of positions in them, counting from 0.
    """

    keypoints: tuple[str, ...]
    skeleton: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class OwnImage:
    """An image file and its (width, height)."""

    path: Path
    size: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Instance:
    """An object in an image.

    Args:
        image: Name of the image.
        category: Name of its category.
        keypoints: (K, 3) x, y in pixels, and 0 not labelled, 1 occluded or 2
            visible.
        bbox: (x, y, w, h), None if it was not annotated.
        iscrowd: 1 for a crowd, which is never sampled.
    """

    image: str
    category: str
    keypoints: np.ndarray
    bbox: Box | None = None
    iscrowd: int = 0


@dataclass
class OwnData:
    """A user's annotations.

    Args:
        categories: By name.
        images: By name, a relative path with '/'.
        instances: In the order of the input.
        unlabelled: Images of the input that have no label.
    """

    categories: dict[str, Category] = field(default_factory=dict)
    images: dict[str, OwnImage] = field(default_factory=dict)
    instances: list[Instance] = field(default_factory=list)
    unlabelled: int = 0

    def add_category(
        self, name: str, category: Category, where: object
    ) -> None:
        """Add a category, or find that it is there.

        Args:
            name: Its name.
            category: What it is.
            where: File that it comes from, for the message.

        Raises:
            ConversionError: If it is there and differs.
        """
        known = self.categories.setdefault(name, category)
        if known.keypoints != category.keypoints:
            raise ConversionError(
                f'{where}: category {name!r} has keypoints '
                f'{list(category.keypoints)}, but {list(known.keypoints)} '
                'elsewhere; name one of them differently'
            )


def merge(parts: Iterable[tuple[str, OwnData]]) -> OwnData:
    """Join annotations; names of images start with that of their part.

    Args:
        parts: Name and annotations of each; one alone keeps its names.

    Raises:
        ConversionError: If parts have the same name, or categories differ.
    """
    parts = list(parts)
    names = [name for name, _ in parts]
    if len(set(names)) < len(names):
        raise ConversionError(
            f'inputs have equal names: {sorted(names)}; rename the folders'
        )
    if len(parts) == 1:
        return parts[0][1]
    merged = OwnData()
    for prefix, part in parts:
        merged.unlabelled += part.unlabelled
        for name, category in part.categories.items():
            merged.add_category(name, category, prefix)
        for name, image in part.images.items():
            merged.images[f'{prefix}/{name}'] = image
        merged.instances += [
            Instance(
                f'{prefix}/{one.image}',
                one.category,
                one.keypoints,
                one.bbox,
                one.iscrowd,
            )
            for one in part.instances
        ]
    return merged


def box_around(
    keypoints: np.ndarray, size: tuple[int, int], margin: float
) -> Box:
    """A box around labelled keypoints, within the image.

    Args:
        keypoints: (K, 3) with at least one labelled.
        size: (width, height) of the image.
        margin: Part of the longer side that is added on each side; at least
            4 pixels are.
    """
    points = keypoints[keypoints[:, 2] > 0, :2]
    low, high = points.min(axis=0), points.max(axis=0)
    pad = max(margin * float((high - low).max()), 4.0)
    x1, y1 = np.maximum(low - pad, 0)
    x2, y2 = np.minimum(high + pad, size)
    return float(x1), float(y1), float(x2 - x1), float(y2 - y1)
