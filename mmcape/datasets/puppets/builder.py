"""Puts a species together; the vocabulary that all families share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .anatomy import Landmark, Part, Point, Species
from .appearance import Texture, Wardrobe
from .shapes import Array, capsule, claw, disc, leaf, trapezoid

Sides = tuple[tuple[str, int], ...]

# Which sign of y is left depends on where a creature is seen from. From above
# and heading along x, left is y < 0. If it faces the viewer, head along x, or
# is seen from above and heads against x, left is y > 0.
SEEN_FROM_ABOVE: Sides = (('left', -1), ('right', 1))
FACING_VIEWER: Sides = (('left', 1), ('right', -1))
HEADING_BACKWARDS: Sides = FACING_VIEWER


@dataclass(frozen=True, eq=False)
class Segment:
    """One piece of a limb; shared by twin limbs.

    Attributes:
        outline: (N, 2) points in the part frame.
        texture: Look of the piece.
        reach: Where on the x axis the next piece is hinged.
        joint: Name of the landmark at `reach`, empty for none.
        angle: Rest direction relative to the piece before.
        bend: Standard deviation of the joint angle.
    """

    outline: Array
    texture: Texture
    reach: float
    joint: str
    angle: float = 0.0
    bend: float = 0.22


class AnatomyBuilder:
    """Collects the parts, landmarks and links of one species.

    Args:
        rng: Source of all random choices about the species.

    Attributes:
        rng: The same generator, for the families' own choices.
        wardrobe: Textures of the species' palette.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.wardrobe = Wardrobe(rng)
        self._parts: list[Part] = []
        self._landmarks: list[Landmark] = []
        self._links: list[tuple[int, int]] = []

    def part(
        self,
        name: str,
        outline: Array,
        *,
        texture: Texture | None = None,
        parent: int = -1,
        anchor: Point = (0.0, 0.0),
        angle: float = 0.0,
        mirrored: bool = False,
        bend: float = 0.0,
        curl: float = 0.0,
        layer: int = 0,
    ) -> int:
        """Adds a part and returns its index; see `Part`."""
        if texture is None:
            texture = self.wardrobe.texture()
        part = Part(
            name=name,
            parent=parent,
            anchor=anchor,
            angle=angle,
            mirrored=mirrored,
            outline=outline,
            texture=texture,
            bend=bend,
            curl=curl,
            layer=layer,
        )
        self._parts.append(part)
        return len(self._parts) - 1

    @property
    def last_part(self) -> int:
        """Index of the part added last."""
        return len(self._parts) - 1

    def landmark(
        self, name: str, part: int, x: float, y: float = 0.0, *to: int
    ) -> int:
        """Adds a keypoint, linked to those in `to`; returns its index."""
        self._landmarks.append(Landmark(name, part, (x, y)))
        index = len(self._landmarks) - 1
        self._links.extend((other, index) for other in to)
        return index

    def link(self, *indices: int) -> None:
        """Links each landmark to the next one."""
        self._links.extend(zip(indices[:-1], indices[1:]))

    def limb(
        self,
        name: str,
        segments: Sequence[Segment],
        *,
        parent: int,
        anchor: Point,
        angle: float,
        root: int | None = None,
        sign: int = 1,
        curl: float = 0.0,
        layer: int = -1,
    ) -> list[int]:
        """Adds a chain of parts with a landmark at every named joint.

        Args:
            name: Prefix of the part and landmark names.
            segments: The pieces, from the body outwards.
            parent: Part that carries the limb.
            anchor: Joint position, for sign = 1.
            angle: Rest direction, for sign = 1.
            root: Landmark to which the first one is linked.
            sign: -1 mirrors the limb at the x axis of the parent.
            curl: As in `Part`, for every piece.
            layer: As in `Part`, for every piece.

        Returns:
            Indices of the added landmarks.
        """
        chain = [] if root is None else [root]
        for count, piece in enumerate(segments):
            outward = 1 if count else sign
            parent = self.part(
                f'{name}_{count}',
                piece.outline,
                texture=piece.texture,
                parent=parent,
                anchor=(anchor[0], outward * anchor[1]),
                angle=outward * (angle + piece.angle),
                mirrored=outward < 0,
                bend=piece.bend,
                curl=curl,
                layer=layer,
            )
            anchor, angle = (piece.reach, 0.0), 0.0
            if piece.joint:
                joint, before = f'{name}_{piece.joint}', chain[-1:]
                mark = self.landmark(joint, parent, piece.reach, 0.0, *before)
                chain.append(mark)
        return chain if root is None else chain[1:]

    def twins(
        self,
        name: str,
        segments: Sequence[Segment],
        *,
        parent: int,
        anchor: Point,
        angle: float,
        sides: Sides = SEEN_FROM_ABOVE,
        root: int | None = None,
        layer: int = -1,
    ) -> None:
        """Adds a left and a right limb of the same looks; see `limb`."""
        for side, sign in sides:
            self.limb(
                f'{side}_{name}',
                segments,
                parent=parent,
                anchor=anchor,
                angle=angle,
                root=root,
                sign=sign,
                layer=layer,
            )

    def bar(
        self,
        joint: str,
        length: float,
        start: float,
        end: float,
        *,
        angle: float = 0.0,
        bend: float = 0.22,
    ) -> Segment:
        """Returns a limb piece of the given length and half widths."""
        return Segment(
            outline=capsule(length, start, end),
            texture=self.wardrobe.texture(),
            reach=length,
            joint=joint,
            angle=angle,
            bend=bend,
        )

    def tip(self, joint: str, size: float) -> Segment:
        """Returns a random end piece (ball, claw, blade, spade, block)."""
        kind = self.rng.integers(5)
        outline = (
            disc(size),
            claw(2.2 * size, 1.1 * size),
            leaf(2.8 * size, 0.9 * size, 0.35),
            leaf(2.4 * size, 1.1 * size, 0.65),
            trapezoid(1.8 * size, 0.7 * size, 1.1 * size),
        )[kind]
        reach = 0.0 if kind == 0 else 0.8 * size
        texture = self.wardrobe.texture('plain', 'rings', 'halves', 'midline')
        return Segment(outline, texture, reach, joint, bend=0.1)

    def build(self, name: str, family: str) -> Species:
        """Returns the finished species."""
        return Species(
            name=name,
            family=family,
            parts=tuple(self._parts),
            landmarks=tuple(self._landmarks),
            links=tuple(self._links),
            heading=float(self.rng.uniform(0.0, 2 * np.pi)),
        )
