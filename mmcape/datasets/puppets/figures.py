"""Body plans that face the viewer."""

from __future__ import annotations

from .builder import FACING_VIEWER, AnatomyBuilder, Segment
from .limbs import BACKWARDS, stalk
from .shapes import disc, ellipse, leaf, polygon, trapezoid


def humanoid(b: AnatomyBuilder) -> None:
    """A person or robot: head, arms and legs around an upright torso."""
    rng = b.rng
    height = rng.uniform(0.6, 0.9)
    shoulder = rng.uniform(0.2, 0.32)
    hip = rng.uniform(0.14, 0.26)
    torso = b.part('torso', trapezoid(height, hip, shoulder), layer=1)
    neck = b.landmark('neck', torso, 0.95 * height)
    pelvis = b.landmark('pelvis', torso, 0.05, 0.0, neck)
    _add_face(b, torso, height, neck)

    arm = [
        b.bar('elbow', rng.uniform(0.32, 0.5), 0.11, 0.1, bend=0.4),
        b.bar('', rng.uniform(0.25, 0.45), 0.1, 0.09, bend=0.4),
        b.tip('hand', rng.uniform(0.11, 0.15)),
    ]
    leg = [
        b.bar('knee', rng.uniform(0.35, 0.5), 0.12, 0.11),
        b.bar('', rng.uniform(0.3, 0.45), 0.11, 0.1),
        b.tip('foot', rng.uniform(0.12, 0.16)),
    ]
    for name, pieces, anchor, angle, root in (
        ('arm', arm, (0.92 * height, shoulder), rng.uniform(1.2, 2.4), neck),
        ('leg', leg, (0.05, 0.7 * hip), rng.uniform(2.5, 2.9), pelvis),
    ):
        b.twins(
            name,
            pieces,
            parent=torso,
            anchor=anchor,
            angle=angle,
            sides=FACING_VIEWER,
            root=root,
        )
    if rng.random() < 0.6:
        for side, sign in FACING_VIEWER:
            across = sign * shoulder
            b.landmark(f'{side}_shoulder', torso, 0.92 * height, across, neck)
            b.landmark(f'{side}_hip', torso, 0.05, sign * 0.7 * hip, pelvis)


def hand(b: AnatomyBuilder) -> None:
    """A palm with a thumb and fingers of different lengths."""
    rng = b.rng
    count = int(rng.integers(3, 8))
    width = 0.1 * count + 0.12
    length = rng.uniform(0.5, 0.7)
    palm = b.part('palm', trapezoid(length, 0.6 * width, width), layer=1)
    wrist = b.landmark('wrist', palm, 0.03)
    side = int(rng.choice([-1, 1]))
    b.limb(
        'thumb',
        [
            b.bar('joint', rng.uniform(0.25, 0.35), 0.11, 0.1),
            b.tip('tip', 0.15),
        ],
        parent=palm,
        anchor=(0.3 * length, 0.8 * width),
        angle=rng.uniform(0.8, 1.2),
        root=wrist,
        sign=side,
    )
    for finger in range(count):
        across = (1 - 2 * finger / (count - 1)) * side
        place = (0.92 * length, 0.85 * across * width)
        base = b.landmark(f'finger_{finger}_base', palm, *place, wrist)
        b.limb(
            f'finger_{finger}',
            [
                b.bar('joint', rng.uniform(0.3, 0.5), 0.1, 0.09, bend=0.12),
                *stalk(b, 'tip', 0.15, 0.4),
            ],
            parent=palm,
            anchor=place,
            angle=0.35 * across,
            root=base,
            curl=0.1,
        )


def mask(b: AnatomyBuilder) -> None:
    """A face: eyes, ears or horns, a nose, a mouth, perhaps a beard."""
    rng = b.rng
    height = rng.uniform(1.1, 1.5)
    half = height * rng.uniform(0.38, 0.5)
    outline = (
        ellipse(height, half),
        leaf(height, half, rng.uniform(0.4, 0.6)),
        trapezoid(height, 0.7 * half, half),
    )[rng.integers(3)]
    calm = b.wardrobe.texture('plain', 'gradient', 'stripes', 'midline')
    face = b.part('face', outline, texture=calm)
    nose = b.part(
        'nose',
        leaf(0.35, 0.12, 0.3),
        parent=face,
        anchor=(0.4 * height, 0.0),
        bend=0.05,
        layer=2,
    )
    centre = b.landmark('nose', nose, 0.08)
    _add_mouth(b, face, rng.uniform(0.25, 0.3) * height, centre)
    _add_spots(b, face, height, half, centre)
    b.twins(
        'ear',
        stalk(b, 'tip', 0.15, 0.4),
        parent=face,
        anchor=(rng.uniform(0.5, 0.9) * height, 0.75 * half),
        angle=rng.uniform(0.3, 1.4),
        sides=FACING_VIEWER,
        root=centre,
    )
    chin = b.landmark('chin', face, 0.06 * height, 0.0, centre)
    if rng.random() < 0.6:
        b.limb(
            'beard',
            stalk(b, 'tip', 0.15, 0.4),
            parent=face,
            anchor=(0.08, 0.0),
            angle=BACKWARDS,
            root=chin,
        )


def _add_face(b: AnatomyBuilder, torso: int, place: float, neck: int) -> None:
    """Adds a round head with a crest or a pair of horns, or neither."""
    rng = b.rng
    radius = rng.uniform(0.17, 0.25)
    head = b.part(
        'head',
        ellipse(2 * radius, 0.9 * radius),
        parent=torso,
        anchor=(place, 0.0),
        bend=0.2,
        layer=2,
    )
    kind = rng.integers(3)
    if kind == 0:
        b.limb(
            'crest',
            stalk(b, 'tip', 0.08, 0.2),
            parent=head,
            anchor=(1.8 * radius, 0.0),
            angle=0.0,
            root=neck,
        )
        return
    top = b.landmark('head_top', head, 1.7 * radius, 0.0, neck)
    if kind == 1:
        b.twins(
            'horn',
            stalk(b, 'tip', 0.1, 0.2),
            parent=head,
            anchor=(1.4 * radius, 0.6 * radius),
            angle=rng.uniform(0.6, 1.2),
            sides=FACING_VIEWER,
            root=top,
        )


def _add_spots(
    b: AnatomyBuilder, face: int, height: float, half: float, centre: int
) -> None:
    """Adds a pair of eyes, perhaps with cheeks and brows."""
    rng = b.rng
    spots = (('eye', 0.62, 0.45), ('cheek', 0.42, 0.65), ('brow', 0.8, 0.35))
    for name, up, out in spots[: int(rng.integers(1, 4))]:
        texture = b.wardrobe.texture('rings', 'plain', 'halves')
        shape = disc(rng.uniform(0.1, 0.15))
        b.twins(
            name,
            [Segment(shape, texture, 0.0, 'centre', bend=0.0)],
            parent=face,
            anchor=(up * height, out * half),
            angle=0.0,
            sides=FACING_VIEWER,
            root=centre,
            layer=2,
        )


def _add_mouth(
    b: AnatomyBuilder, face: int, place: float, centre: int
) -> None:
    """Adds a mouth with two corners."""
    mouth = b.part(
        'mouth',
        polygon([(0, -0.28), (0, 0.28), (-0.14, 0.14), (-0.14, -0.14)]),
        parent=face,
        anchor=(place, 0.0),
        bend=0.08,
        layer=2,
    )
    for side, sign in FACING_VIEWER:
        b.landmark(f'{side}_mouth_corner', mouth, -0.02, 0.25 * sign, centre)
