"""Groups of parts that several families have."""

from __future__ import annotations

from .anatomy import Point
from .builder import AnatomyBuilder, Segment
from .shapes import disc, ellipse, leaf, trapezoid

# Half a turn, for parts that point away from where their parent does.
BACKWARDS = 3.14159


def add_head(
    b: AnatomyBuilder, parent: int, place: float, root: int, size: float
) -> None:
    """Adds a head that points along the parent, perhaps with ears."""
    rng = b.rng
    half = size * rng.uniform(0.4, 0.55)
    outline = (
        ellipse(size, half),
        leaf(size, half, 0.35),
        trapezoid(size, half, 0.6 * half),
    )[rng.integers(3)]
    head = b.part(
        'head',
        outline,
        parent=parent,
        anchor=(place, 0.0),
        bend=0.2,
        layer=2,
    )
    nose = b.part(
        'nose',
        disc(rng.uniform(0.08, 0.11)),
        texture=b.wardrobe.texture('plain', 'rings'),
        parent=head,
        anchor=(0.92 * size, 0.0),
        layer=3,
    )
    b.landmark('nose', nose, 0.0, 0.0, root)
    if rng.random() < 0.5:
        ear = [b.bar('', 0.1, 0.07, 0.07), b.tip('tip', 0.12)]
        b.twins(
            'ear',
            ear,
            parent=head,
            anchor=(0.25 * size, 0.7 * half),
            angle=rng.uniform(0.9, 2.0),
            root=root,
            layer=1,
        )


def add_leg_pair(
    b: AnatomyBuilder,
    name: str,
    *,
    parent: int,
    anchor: Point,
    angle: float,
    root: int,
    knee: bool,
    girth: float,
) -> None:
    """Adds a left and a right leg that look the same."""
    rng = b.rng
    upper, lower = rng.uniform(0.35, 0.5), rng.uniform(0.22, 0.4)
    bend = 2 * girth
    leg = [
        b.bar('knee' if knee else '', upper, 1.1 * girth, girth, bend=bend),
        b.bar(
            '',
            lower,
            girth,
            0.9 * girth,
            angle=rng.uniform(-0.6, 0.3),
            bend=bend,
        ),
        b.tip('foot', rng.uniform(1.3, 1.7) * girth),
    ]
    b.twins(name, leg, parent=parent, anchor=anchor, angle=angle, root=root)


def stalk(
    b: AnatomyBuilder, joint: str, shortest: float, longest: float
) -> list[Segment]:
    """Returns a bar of random length with a random end piece."""
    return [
        b.bar('', b.rng.uniform(shortest, longest), 0.09, 0.08),
        b.tip(joint, b.rng.uniform(0.11, 0.16)),
    ]
