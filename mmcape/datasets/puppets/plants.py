"""Body plans that grow around a core or along a stem."""

from __future__ import annotations

import numpy as np

from .builder import AnatomyBuilder, Segment
from .limbs import stalk
from .shapes import capsule, disc, leaf, trapezoid


def star(b: AnatomyBuilder) -> None:
    """Arms around a core, each with a twin on the other side of arm 0."""
    rng = b.rng
    count = int(rng.integers(4, 10))
    radius = rng.uniform(0.22, 0.34)
    core = b.part('core', disc(radius), layer=1)
    centre = b.landmark('core', core, 0.0)
    joint = 'joint' if rng.random() < 0.6 else ''
    elbow = 'elbow' if joint and rng.random() < 0.4 else ''
    girth = 0.9 / (count + 3)
    arms = [
        [
            b.bar(joint, rng.uniform(0.4, 0.6), 1.2 * girth, girth, bend=0.1),
            b.bar(elbow, rng.uniform(0.2, 0.4), girth, girth),
            b.tip('tip', rng.uniform(1.2, 1.6) * girth),
        ]
        for _ in range(count // 2 + 1)
    ]
    for arm in range(count):
        turn = 2 * np.pi * arm / count
        place = 0.6 * radius
        b.limb(
            f'arm_{arm}',
            arms[min(arm, count - arm)],
            parent=core,
            anchor=(place * np.cos(turn), place * np.sin(turn)),
            angle=turn,
            root=centre,
            curl=0.25,
        )


def plant(b: AnatomyBuilder) -> None:
    """A pot, a stem with leaves on one or both sides, a flower on top."""
    rng = b.rng
    pot = b.part(
        'pot',
        trapezoid(0.4, rng.uniform(0.15, 0.25), rng.uniform(0.25, 0.35)),
        layer=2,
    )
    base = b.landmark('pot', pot, 0.08)
    last = b.landmark('soil', pot, 0.4, 0.0, base)
    parent, reach = pot, 0.36
    side = int(rng.choice([-1, 1]))
    opposite = bool(rng.random() < 0.5)
    for node in range(int(rng.integers(2, 6))):
        length = rng.uniform(0.3, 0.45)
        parent = b.part(
            f'stem_{node}',
            capsule(length, 0.09, 0.08),
            parent=parent,
            anchor=(reach, 0.0),
            bend=0.12,
            curl=0.15,
        )
        reach = length
        last = b.landmark(f'node_{node}', parent, length, 0.0, last)
        branch = _branch(b)
        angle = rng.uniform(0.7, 1.3)
        for sign in (side, -side) if opposite else (side,):
            b.limb(
                f'{"left" if sign < 0 else "right"}_leaf_{node}',
                branch,
                parent=parent,
                anchor=(length - 0.05, 0.0),
                angle=angle,
                root=last,
                sign=sign,
            )
        side = -side
    flower = disc(rng.uniform(0.18, 0.26))
    top = b.part(
        'flower', flower, parent=parent, anchor=(reach + 0.1, 0.0), layer=2
    )
    b.landmark('flower', top, 0.0, 0.0, last)


def _branch(b: AnatomyBuilder) -> list[Segment]:
    """Returns a twig with a leaf and its tip, or with a fruit."""
    rng = b.rng
    if rng.random() < 0.3:
        return stalk(b, 'fruit', 0.3, 0.6)
    length = rng.uniform(0.3, 0.5)
    blade = leaf(length, rng.uniform(0.12, 0.18), 0.4)
    return [
        b.bar('', rng.uniform(0.15, 0.3), 0.08, 0.07),
        Segment(blade, b.wardrobe.texture(), length, ''),
        b.tip('tip', rng.uniform(0.09, 0.13)),
    ]
