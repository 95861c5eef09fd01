"""Body plans of animals with wings or fins."""

from __future__ import annotations

from .builder import HEADING_BACKWARDS, AnatomyBuilder, Segment
from .limbs import BACKWARDS, add_head, stalk
from .shapes import capsule, disc, ellipse, fan, leaf, polygon


def bird(b: AnatomyBuilder) -> None:
    """A body with two spread wings and a fanned tail, seen from above."""
    rng = b.rng
    length = rng.uniform(0.6, 0.9)
    width = rng.uniform(0.16, 0.24)
    body = b.part('body', ellipse(length, width), layer=1)
    back = b.landmark('back', body, 0.7 * length)
    add_head(b, body, 0.9 * length, back, size=rng.uniform(0.28, 0.42))

    size = rng.uniform(0.5, 0.7)
    spread = rng.uniform(0.35, 0.7)
    tail = b.part(
        'tail',
        fan(size, spread, int(rng.integers(2, 5))),
        parent=body,
        anchor=(0.15, 0.0),
        angle=BACKWARDS,
        bend=0.15,
    )
    rump = b.landmark('tail_base', body, 0.08, 0.0, back)
    for side, sign in HEADING_BACKWARDS:
        across = sign * 0.7 * spread
        b.landmark(
            f'{side}_tail_corner', tail, 0.72 * size, across * size, rump
        )
    b.twins(
        'wing',
        _wing(b),
        parent=body,
        anchor=(0.65 * length, 0.6 * width),
        angle=rng.uniform(1.2, 1.5),
        root=back,
    )


def fish(b: AnatomyBuilder) -> None:
    """A fish in profile: no twins, the fins above and below differ."""
    rng = b.rng
    length = rng.uniform(1.1, 1.5)
    half = rng.uniform(0.25, 0.42)
    up = int(rng.choice([-1, 1]))
    body = b.part('body', leaf(length, half, rng.uniform(0.5, 0.65)))
    eye = b.part(
        'eye',
        disc(rng.uniform(0.09, 0.13)),
        texture=b.wardrobe.texture('rings', 'plain'),
        parent=body,
        anchor=(0.8 * length, 0.2 * up * half),
        layer=3,
    )
    look = b.landmark('eye', eye, 0.0)
    b.landmark('mouth', body, 0.97 * length, 0.0, look)
    middle = b.landmark('flank', body, 0.45 * length, 0.0, look)
    _add_tail(b, body, middle, up)
    for name, sign, place in (
        ('dorsal', up, 0.6),
        ('second_dorsal', up, 0.3),
        ('belly', -up, 0.6),
        ('anal', -up, 0.3),
    ):
        if place < 0.5 and rng.random() < 0.4:
            continue
        blade = leaf(rng.uniform(0.3, 0.5), 0.15, 0.35)
        fin = [
            Segment(blade, b.wardrobe.texture(), 0.3, ''),
            b.tip('fin', rng.uniform(0.1, 0.13)),
        ]
        b.limb(
            name,
            fin,
            parent=body,
            anchor=(place * length, 0.75 * half),
            angle=rng.uniform(1.6, 2.2),
            root=middle,
            sign=sign,
        )


def _wing(b: AnatomyBuilder) -> list[Segment]:
    """Returns the arm, the vane and the tip of a wing."""
    rng = b.rng
    inner, outer = rng.uniform(0.4, 0.6), rng.uniform(0.45, 0.7)
    depth = rng.uniform(0.26, 0.4)
    arm = polygon([(0, -0.1), (inner, -0.1), (inner, depth), (0, depth)])
    vane = polygon(
        [(0, -0.1), (outer, 0), (0.6 * outer, 0.7 * depth), (0, depth)]
    )
    fold = rng.uniform(0.1, 0.5)
    return [
        Segment(arm, b.wardrobe.texture(), inner, 'wrist', bend=0.15),
        Segment(vane, b.wardrobe.texture(), outer, '', angle=fold),
        b.tip('tip', rng.uniform(0.1, 0.14)),
    ]


def _add_tail(b: AnatomyBuilder, body: int, root: int, up: int) -> None:
    """Adds the forked tail of a fish whose back is on the side `up`."""
    stem = b.part(
        'tail',
        capsule(0.25, 0.12, 0.11),
        parent=body,
        anchor=(0.08, 0.0),
        angle=BACKWARDS,
        bend=0.2,
    )
    base = b.landmark('tail_base', stem, 0.1, 0.0, root)
    for name, sign in (('upper', -up), ('lower', up)):
        b.limb(
            f'{name}_lobe',
            stalk(b, 'tip', 0.2, 0.4),
            parent=stem,
            anchor=(0.22, 0.0),
            angle=b.rng.uniform(0.5, 0.9),
            root=base,
            sign=sign,
        )
