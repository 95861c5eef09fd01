"""Body plans of animals that crawl, seen from above."""

from __future__ import annotations

from .builder import HEADING_BACKWARDS, AnatomyBuilder
from .limbs import BACKWARDS, add_head, add_leg_pair, stalk
from .shapes import capsule, disc, ellipse, leaf


def quadruped(b: AnatomyBuilder) -> None:
    """Four legs, a head with or without ears, a tail."""
    rng = b.rng
    width = rng.uniform(0.14, 0.25)
    front = rng.uniform(0.35, 0.65)
    hips = b.part('hips', capsule(0.5, 0.8 * width, width), layer=1)
    chest = b.part(
        'chest',
        capsule(front, width, 0.8 * width),
        parent=hips,
        anchor=(0.5, 0.0),
        bend=0.15,
        curl=0.15,
        layer=1,
    )
    back = b.landmark('back', chest, 0.0)
    neck = b.landmark('neck', chest, front, 0.0, back)
    rump = b.landmark('tail_base', hips, 0.0, 0.0, back)
    add_head(b, chest, front, neck, size=rng.uniform(0.3, 0.5))

    b.limb(
        'tail',
        [
            b.bar('middle', rng.uniform(0.2, 0.5), 0.11, 0.09),
            *stalk(b, 'tip', 0.2, 0.4),
        ],
        parent=hips,
        anchor=(0.0, 0.0),
        angle=BACKWARDS,
        root=rump,
        curl=0.2,
    )
    knee = bool(rng.random() < 0.7)
    for name, parent, place, root, angle in (
        ('front_leg', chest, 0.7 * front, neck, 1.1),
        ('hind_leg', hips, 0.08, rump, 1.7),
    ):
        add_leg_pair(
            b,
            name,
            parent=parent,
            anchor=(place, 0.7 * width),
            angle=angle + rng.uniform(-0.2, 0.2),
            root=root,
            knee=knee,
            girth=0.1,
        )


def insect(b: AnatomyBuilder) -> None:
    """Head, thorax and abdomen with three to six pairs of legs."""
    rng = b.rng
    pairs = int(rng.integers(3, 7))
    width = rng.uniform(0.15, 0.25)
    length = 0.2 * pairs
    thorax = b.part('thorax', ellipse(length, width), layer=1)
    back = b.landmark('thorax', thorax, length / 2)
    size = rng.uniform(0.5, 0.8)
    abdomen = b.part(
        'abdomen',
        leaf(size, rng.uniform(0.18, 0.3), rng.uniform(0.35, 0.6)),
        parent=thorax,
        anchor=(0.1, 0.0),
        angle=BACKWARDS,
        bend=0.15,
        layer=1,
    )
    b.landmark('abdomen_tip', abdomen, 0.92 * size, 0.0, back)
    _add_feelers(b, thorax, length, back)
    knee = bool(rng.random() < 0.5)
    for pair in range(pairs):
        behind = pair / (pairs - 1)
        add_leg_pair(
            b,
            f'leg_{pair}',
            parent=thorax,
            anchor=(length * (0.88 - 0.76 * behind), 0.7 * width),
            angle=1.0 + 1.1 * behind,
            root=back,
            knee=knee,
            girth=0.065,
        )


def worm(b: AnatomyBuilder) -> None:
    """A chain of rings that curls, with a head, a tail and a few fins."""
    rng = b.rng
    count = int(rng.integers(3, 13))
    step = 1.8 / count
    width = rng.uniform(0.13, 0.19)
    radius = width * rng.uniform(1.1, 1.5)
    finned = rng.permutation(count)[: int(rng.integers(0, 4))]
    fin = stalk(b, 'tip', 0.25, 0.35)

    parent = b.part('head', ellipse(2 * radius, radius), layer=2)
    last = b.landmark('head', parent, radius)
    anchor, angle = (0.3 * radius, 0.0), BACKWARDS
    for ring in range(count):
        parent = b.part(
            f'ring_{ring}',
            capsule(step, width, width),
            parent=parent,
            anchor=anchor,
            angle=angle,
            bend=0.12,
            curl=2.2 / count,
            layer=1,
        )
        last = b.landmark(f'ring_{ring}', parent, step / 2, 0.0, last)
        if ring in finned:
            b.twins(
                f'fin_{ring}',
                fin,
                parent=parent,
                anchor=(step / 2, 0.7 * width),
                angle=1.5,
                sides=HEADING_BACKWARDS,
                root=last,
            )
        anchor, angle = (step, 0.0), 0.0
    tail = stalk(b, 'tip', 0.15, 0.3)
    b.limb('tail', tail, parent=parent, anchor=anchor, angle=0.0, root=last)


def _add_feelers(
    b: AnatomyBuilder, thorax: int, place: float, root: int
) -> None:
    """Adds the head of an insect with a pair of feelers."""
    radius = b.rng.uniform(0.14, 0.2)
    head = b.part(
        'head',
        disc(radius),
        parent=thorax,
        anchor=(place + 0.5 * radius, 0.0),
        bend=0.1,
        layer=2,
    )
    face = b.landmark('head', head, 0.0, 0.0, root)
    b.twins(
        'feeler',
        [b.bar('', 0.35, 0.06, 0.055), b.tip('tip', 0.12)],
        parent=head,
        anchor=(0.05, 0.06),
        angle=b.rng.uniform(0.35, 0.7),
        root=face,
    )
