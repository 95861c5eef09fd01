"""One instance of a species: joint angles, bone lengths, placement.

Note:
    - P, K: parts and keypoints of the species.
    - Matrices are homogeneous 3x3 and act on (x, y, 1) columns.
    - The *body frame* is the frame of the root part. Image coordinates are
      pixels, (0, 0) at the centre of the top left pixel, y downwards.
"""

from __future__ import annotations

import numpy as np

from .anatomy import Species
from .shapes import Array


def pose_parts(species: Species, rng: np.random.Generator) -> Array:
    """Returns (P, 3, 3) part frame -> body frame of a random pose."""
    curl = rng.normal()
    hinges: list[Array] = []
    stretches: list[Array] = []
    matrices = np.empty((len(species.parts), 3, 3))
    for index, part in enumerate(species.parts):
        angle = part.angle + part.bend * np.clip(rng.normal(), -2, 2)
        angle += part.curl * np.clip(curl, -2, 2)
        hinge = rotation(angle)
        if part.mirrored:
            hinge = hinge @ np.diag([1.0, -1.0, 1.0])
        if part.parent >= 0:
            anchor = stretches[part.parent] @ (*part.anchor, 1.0)
            hinge = hinges[part.parent] @ translation(*anchor[:2]) @ hinge
        hinges.append(hinge)
        length, width = np.exp(rng.normal(0.0, (0.08, 0.06)))
        stretches.append(np.diag([length, width, 1.0]))
        matrices[index] = hinge @ stretches[-1]
    return matrices


def place_body(
    points: Array,
    size: tuple[int, int],
    angle: float,
    rng: np.random.Generator,
) -> Array:
    """Returns 3x3 body frame -> image at a random place and viewpoint.

    Args:
        points: (N, 2) silhouette in the body frame.
        size: (width, height) of the image.
        angle: Turn of the body in the image, clockwise radians.
        rng: Source of shear, perspective, scale and shift.
    """
    centre = (points.max(axis=0) + points.min(axis=0)) / 2
    radius = np.linalg.norm(points - centre, axis=1).max()
    shear = np.eye(3)
    shear[0, 1] = rng.uniform(-0.15, 0.15)
    tilt = np.eye(3)
    tilt[2, :2] = rng.uniform(-0.15, 0.15, size=2)
    view = tilt @ shear @ rotation(angle)
    view = view @ scaling(1 / radius) @ translation(*-centre)

    seen = project(view, points)
    low, high = seen.min(axis=0), seen.max(axis=0)
    extent = np.asarray(size) - 1.0
    fill = rng.uniform(0.5, 0.85)
    scale = fill * (extent / (high - low)).min()
    room = extent - scale * (high - low)
    # Now and then the puppet sticks out of the image.
    reach = 0.5 if rng.random() < 0.7 else 0.62
    shift = room * rng.uniform(-reach, reach, size=2)
    middle = extent / 2 + shift - scale * (low + high) / 2
    return translation(*middle) @ scaling(scale) @ view


def silhouette(species: Species, matrices: Array) -> Array:
    """Returns the outline points of all parts, moved by their matrices."""
    outlines = [part.outline for part in species.parts]
    return np.concatenate(
        [project(matrix, one) for matrix, one in zip(matrices, outlines)]
    )


def landmark_points(species: Species, matrices: Array) -> Array:
    """Returns (K, 2) keypoints, given the matrices of the parts."""
    points = [
        project(matrices[mark.part], np.asarray([mark.position]))
        for mark in species.landmarks
    ]
    return np.concatenate(points)


def project(matrix: Array, points: Array) -> Array:
    """Applies a homogeneous 3x3 matrix to (N, 2) points."""
    moved = points @ matrix[:, :2].T + matrix[:, 2]
    return moved[:, :2] / moved[:, 2:]


def rotation(angle: float) -> Array:
    """Returns a turn from x towards y."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def translation(x: float, y: float) -> Array:
    """Returns a shift by (x, y)."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def scaling(factor: float) -> Array:
    """Returns a change of size about the origin."""
    return np.diag([factor, factor, 1.0])
