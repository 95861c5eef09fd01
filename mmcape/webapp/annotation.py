"""Keypoints marked in pictures; every change makes a new value.

Places are pixels of the picture, the centre of its first pixel at (0, 0).
Keypoints and shots are counted from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mmcape.apis import AnnotatedSupport, annotate
from mmcape.utils.input_error import InputError

from .uploads import StoredPicture

Place = tuple[float, float]
_LONGEST_NAME = 60


@dataclass(frozen=True)
class Mark:
    """A keypoint in one picture."""

    place: Place | None
    """Where it is, None if it was only said not to be visible."""
    visible: bool = True


@dataclass(frozen=True)
class Shot:
    """A picture and a mark, or None, for each of the K keypoints."""

    picture: StoredPicture
    marks: tuple[Mark | None, ...] = ()

    @property
    def next_open(self) -> int | None:
        """The first keypoint without a mark; None if all have one."""
        return next((i for i, m in enumerate(self.marks) if m is None), None)

    def marked(self, index: int, mark: Mark | None) -> Shot:
        """With another mark for a keypoint."""
        marks = [*self.marks[:index], mark, *self.marks[index + 1 :]]
        return replace(self, marks=tuple(marks))

    def shown(self, index: int, visible: bool) -> Shot:
        """With a keypoint visible or not; it keeps its place.

        Without a place, a keypoint that becomes visible is open again.
        """
        old = self.marks[index]
        place = None if old is None else old.place
        if visible and place is None:
            return self.marked(index, None)
        return self.marked(index, Mark(place, visible))


@dataclass(frozen=True)
class Annotation:
    """Annotated pictures of one object: the support in the making."""

    names: tuple[str, ...] = ()
    """K names of the keypoints."""
    edges: tuple[tuple[int, int], ...] = ()
    """Connected keypoints, each pair in ascending order."""
    shots: tuple[Shot, ...] = ()

    def with_shots(self, pictures: Sequence[StoredPicture]) -> Annotation:
        """With further pictures, in which nothing is marked yet."""
        unmarked = (None,) * len(self.names)
        more = tuple(Shot(picture, unmarked) for picture in pictures)
        return replace(self, shots=self.shots + more)

    def without_shot(self, shot: int) -> Annotation:
        """Without a picture; without the last one, no keypoint is left."""
        shots = self.shots[:shot] + self.shots[shot + 1 :]
        return replace(self, shots=shots) if shots else Annotation()

    def add(self, shot: int, place: Place) -> Annotation:
        """With one more keypoint, which the other pictures lack so far."""
        number = len(self.names) + 1
        while f'keypoint_{number}' in self.names:
            number += 1
        shots = tuple(
            replace(
                one, marks=(*one.marks, Mark(place) if i == shot else None)
            )
            for i, one in enumerate(self.shots)
        )
        names = (*self.names, f'keypoint_{number}')
        return replace(self, names=names, shots=shots)

    def with_shot(self, shot: int, changed: Shot) -> Annotation:
        """With a picture's marks changed."""
        shots = [*self.shots[:shot], changed, *self.shots[shot + 1 :]]
        return replace(self, shots=tuple(shots))

    def remove(self, index: int) -> Annotation:
        """Without a keypoint and its edges."""
        keep = [i for i in range(len(self.names)) if i != index]
        new = {old: place for place, old in enumerate(keep)}
        return Annotation(
            names=tuple(self.names[i] for i in keep),
            edges=tuple(
                (new[i], new[j]) for i, j in self.edges if index not in (i, j)
            ),
            shots=tuple(
                replace(shot, marks=tuple(shot.marks[i] for i in keep))
                for shot in self.shots
            ),
        )

    def rename(self, index: int, name: str) -> Annotation:
        """With another name for a keypoint.

        Raises:
            InputError: If it is empty, too long, or another keypoint's.
        """
        name = ' '.join(name.split())
        if not 0 < len(name) <= _LONGEST_NAME:
            raise InputError(
                f'a keypoint needs a name of 1 to {_LONGEST_NAME} characters'
            )
        if name in self.names[:index] + self.names[index + 1 :]:
            raise InputError(f'another keypoint is called {name!r} already')
        names = (*self.names[:index], name, *self.names[index + 1 :])
        return replace(self, names=names)

    def toggle_edge(self, start: int, end: int) -> Annotation:
        """With two keypoints connected, or no longer.

        Raises:
            InputError: If both are the same keypoint.
        """
        if start == end:
            raise InputError('an edge connects two different keypoints')
        edge = (min(start, end), max(start, end))
        edges = tuple(one for one in self.edges if one != edge)
        if edges == self.edges:
            edges = (*edges, edge)
        return replace(self, edges=edges)

    def support(self, category: str) -> AnnotatedSupport:
        """What a model takes.

        Raises:
            InputError: If there is nothing, or a keypoint has no mark.
        """
        if not self.shots:
            raise InputError('drop a picture that shows the object first')
        if not self.names:
            raise InputError('click at least one keypoint in the picture')
        for number, shot in enumerate(self.shots, start=1):
            if shot.next_open is not None:
                raise InputError(
                    f'{self.names[shot.next_open]!r} has no place in picture '
                    f'{number} ({shot.picture.name}): click it, or mark it '
                    'as not visible'
                )
        marks = [[m for m in shot.marks if m] for shot in self.shots]
        return annotate(
            images=[shot.picture.path for shot in self.shots],
            keypoints=np.array(
                [[m.place or (np.nan, np.nan) for m in row] for row in marks]
            ),
            visible=np.array([[m.visible for m in row] for row in marks]),
            skeleton=self.edges,
            names=self.names,
            category=category,
        )
