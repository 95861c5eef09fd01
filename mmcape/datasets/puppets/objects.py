"""Body plans of things, seen in profile."""

from __future__ import annotations

from .anatomy import Point
from .builder import AnatomyBuilder, Segment
from .limbs import stalk
from .shapes import disc, polygon, trapezoid

UPWARDS = -1.5708
DOWNWARDS = 1.5708


def vehicle(b: AnatomyBuilder) -> None:
    """A hull with corners, a cabin, wheels that match, and a mast."""
    rng = b.rng
    length, height = rng.uniform(1.3, 1.8), rng.uniform(0.35, 0.5)
    nose, rear = rng.uniform(0.0, 0.35), rng.uniform(0.0, 0.3)
    corners: dict[str, Point] = {
        'rear_top': (-rear, -height),
        'front_top': (length, -height),
        'front_bottom': (length - nose, 0.0),
        'rear_bottom': (0.0, 0.0),
    }
    hull = b.part('hull', polygon(list(corners.values())))
    ring = [
        b.landmark(name, hull, 0.97 * x + 0.02, 0.9 * y - 0.02)
        for name, (x, y) in corners.items()
    ]
    b.link(*ring, ring[0])
    cabin = _add_cabin(b, hull, (rng.uniform(0.05, 0.8), -height), ring)
    b.limb(
        'mast',
        stalk(b, 'tip', 0.3, 0.6),
        parent=cabin,
        anchor=(0.25, -0.2),
        angle=UPWARDS + rng.uniform(-0.4, 0.4),
        root=ring[0],
        layer=-2,
    )
    if rng.random() < 0.4:
        b.limb(
            'hook',
            stalk(b, 'tip', 0.2, 0.4),
            parent=hull,
            anchor=(length - nose, -0.5 * height),
            angle=rng.uniform(-0.4, 0.4),
            root=ring[2],
        )
    count = int(rng.integers(2, 6))
    radius = rng.uniform(0.7, 1.0) * min(0.24, 0.4 * length / count)
    wheel = Segment(disc(radius), b.wardrobe.texture(), 0.0, 'hub', bend=1.0)
    for index in range(count):
        b.limb(
            f'wheel_{index}',
            [wheel],
            parent=hull,
            anchor=(length * (0.12 + 0.7 * index / (count - 1)), 0.08),
            angle=0.0,
            root=ring[3],
            layer=2,
        )


def furniture(b: AnatomyBuilder) -> None:
    """A seat or table: a board, legs that match, a back with arms."""
    rng = b.rng
    width = rng.uniform(0.9, 1.4)
    board = b.part(
        'board',
        polygon([(0, -0.1), (width, -0.1), (width, 0.1), (0, 0.1)]),
        layer=1,
    )
    rear = b.landmark('board_rear', board, 0.05)
    front = b.landmark('board_front', board, width - 0.05, 0.0, rear)
    knee = 'knee' if rng.random() < 0.5 else ''
    leg = [
        b.bar(knee, rng.uniform(0.3, 0.45), 0.1, 0.09, bend=0.08),
        b.bar('', rng.uniform(0.2, 0.4), 0.09, 0.08, bend=0.08),
        b.tip('foot', rng.uniform(0.11, 0.15)),
    ]
    count = int(rng.integers(2, 5))
    for index in range(count):
        share = index / (count - 1)
        b.limb(
            f'leg_{index}',
            leg,
            parent=board,
            anchor=(width * (0.1 + 0.8 * share), 0.05),
            angle=DOWNWARDS + 0.25 * (0.5 - share),
            root=front if share > 0.5 else rear,
        )
    tall = rng.uniform(0.5, 0.9)
    rest = b.part(
        'rest',
        trapezoid(tall, rng.uniform(0.1, 0.15), rng.uniform(0.12, 0.25)),
        parent=board,
        anchor=(0.12, -0.05),
        angle=UPWARDS - rng.uniform(0.0, 0.4),
        bend=0.1,
    )
    top = b.landmark('rest_top', rest, 0.94 * tall, 0.0, rear)
    for name, place in (('arm', 0.85), ('lamp', 0.5))[: rng.integers(3)]:
        b.limb(
            name,
            [b.bar('joint', 0.3, 0.09, 0.08), b.tip('end', 0.14)],
            parent=rest,
            anchor=(place * tall, 0.0),
            angle=rng.uniform(0.9, 1.5),
            root=top,
        )


def crane(b: AnatomyBuilder) -> None:
    """A foot with an articulated arm that holds a shade."""
    rng = b.rng
    half = rng.uniform(0.3, 0.45)
    foot = b.part('foot', trapezoid(0.25, half, rng.uniform(0.15, 0.3)))
    centre = b.landmark('foot_top', foot, 0.22)
    for name, sign in (('near', 1), ('far', -1)):
        b.landmark(f'{name}_corner', foot, 0.05, sign * 0.88 * half, centre)
    size = rng.uniform(0.35, 0.5)
    pieces = [
        b.bar(f'joint_{index}', rng.uniform(0.4, 0.6), 0.11, 0.1, bend=0.35)
        for index in range(int(rng.integers(1, 6)))
    ]
    shade = Segment(
        trapezoid(size, 0.12, rng.uniform(0.25, 0.4)),
        b.wardrobe.texture(),
        0.9 * size,
        '',
        angle=rng.uniform(0.4, 1.2),
        bend=0.3,
    )
    arm = b.limb(
        'arm',
        [*pieces, shade],
        parent=foot,
        anchor=(0.2, 0.0),
        angle=rng.uniform(-0.3, 0.3),
        root=centre,
        curl=0.25,
    )
    for name, sign in (('near', 1), ('far', -1)):
        across = 0.22 * sign
        b.landmark(f'{name}_rim', b.last_part, 0.9 * size, across, arm[-1])
    if rng.random() < 0.6:
        b.limb(
            'weight',
            stalk(b, 'end', 0.2, 0.35),
            parent=foot,
            anchor=(0.2, 0.5 * half),
            angle=rng.uniform(0.6, 1.1),
            root=centre,
        )


def _add_cabin(
    b: AnatomyBuilder, hull: int, place: Point, ring: list[int]
) -> int:
    """Adds a cabin with two roof corners and returns its index."""
    rng = b.rng
    width, tall = rng.uniform(0.45, 0.7), rng.uniform(0.35, 0.55)
    slope = rng.uniform(0.0, 0.2)
    cabin = b.part(
        'cabin',
        polygon([(0, 0), (slope, -tall), (width - slope, -tall), (width, 0)]),
        parent=hull,
        anchor=(place[0], place[1] + 0.05),
        bend=0.04,
        layer=-1,
    )
    rear = b.landmark('cabin_rear', cabin, slope + 0.03, 0.05 - tall, ring[0])
    front = width - slope - 0.03
    b.landmark('cabin_front', cabin, front, 0.05 - tall, rear, ring[1])
    return cabin
