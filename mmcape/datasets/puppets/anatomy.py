"""What a species consists of."""

from __future__ import annotations

from dataclasses import dataclass

from .appearance import Texture
from .shapes import Array

Point = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Part:
    """A rigid piece, hinged to its parent.

    Attributes:
        name: Unique inside the species.
        parent: Index of the parent part, -1 for the root.
        anchor: Joint position in the frame of the parent.
        angle: Rest direction relative to the parent, clockwise radians.
        mirrored: Whether the frame is mirrored relative to the parent.
        outline: (N, 2) points in the part frame.
        texture: Look; twin parts share the very same one.
        bend: Standard deviation of the joint angle over instances.
        curl: Share in the curl that all parts of an instance have in common.
        layer: Parts of higher layers are drawn over those of lower ones.
    """

    name: str
    parent: int
    anchor: Point
    angle: float
    mirrored: bool
    outline: Array
    texture: Texture
    bend: float
    curl: float
    layer: int


@dataclass(frozen=True)
class Landmark:
    """A keypoint: a name and a position in the frame of a part."""

    name: str
    part: int
    position: Point


@dataclass(frozen=True, eq=False)
class Species:
    """Anatomy and looks of one category.

    Attributes:
        name: Category name, e.g. 'insect_03'.
        family: Body plan.
        parts: Parents come before their children.
        landmarks: The K keypoints.
        links: Skeleton as pairs of landmark indices, counted from 0.
        heading: Direction of the root part's x axis in an image around which
            the instances turn, clockwise radians.
    """

    name: str
    family: str
    parts: tuple[Part, ...]
    landmarks: tuple[Landmark, ...]
    links: tuple[tuple[int, int], ...]
    heading: float
