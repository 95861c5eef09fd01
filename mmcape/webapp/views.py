"""What the two editors of the page show, as the browser takes it.

A view is a dict: ``picture`` (``file``, ``width``, ``height``, ``name``) or
None, ``position`` and ``count`` of the picture, ``points`` (``name``, ``x``,
``y``, ``visible``, ``score``, ``faint``, ``corrected``, ``colour``),
``edges``, ``next`` (the keypoint that a click places: a number, 'new', or
None), ``hint``, ``can_undo``, and ``editable``: whether keypoints can be
named, connected and removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmcape.visualization.marks import colour

from .annotation import Annotation, Mark, Shot
from .session import Session
from .uploads import StoredPicture

View = dict[str, Any]
_COLOURS = 8
"""Fewer keypoints have the colours of so many, to change less as they grow."""


def support_view(session: Session) -> View:
    """View of the support picture that is on the page."""
    annotation, shot = session.annotation.now, session.shot
    view = empty_view('support')
    view.update(
        position=shot,
        count=len(annotation.shots),
        can_undo=session.annotation.can_undo,
        editable=True,
    )
    if not annotation.shots:
        return view
    shown = annotation.shots[shot]
    upcoming = shown.next_open
    view.update(
        picture=_picture(shown.picture),
        points=_points(annotation.names, shown.marks),
        edges=[list(edge) for edge in annotation.edges],
        next='new' if upcoming is None and shot == 0 else upcoming,
        hint=_hint(annotation, shown, shot),
    )
    return view


def _hint(annotation: Annotation, shot: Shot, number: int) -> str:
    upcoming = shot.next_open
    if upcoming is not None:
        left = sum(mark is None for mark in shot.marks)
        return (
            f'Click "{annotation.names[upcoming]}", or mark it as not '
            f'visible in the list. {left} to go.'
        )
    if number:
        return 'All keypoints are marked in this picture.'
    if not annotation.names:
        return 'Click the first keypoint.'
    return 'Click the next keypoint; drag one to move it.'


def query_view(session: Session) -> View:
    """View of the query picture that is on the page."""
    queries, place = session.queries, session.query
    if not queries:
        return empty_view('query')
    history = session.findings.get(queries[place])
    view = empty_view('query')
    view.update(
        position=place,
        count=len(queries),
        can_undo=history is not None and history.can_undo,
        picture=_picture(queries[place]),
        hint='Press "Find keypoints".',
    )
    if history is None or session.found_for is None:
        return view
    finding, support = history.now, session.found_for
    points = _points(support.names, finding.marks)
    for index, point in enumerate(points):
        point.update(
            score=round(finding.scores[index], 2),
            faint=not finding.certain(index, session.threshold),
            corrected=index in finding.corrected,
        )
    view.update(
        points=points,
        edges=[list(edge) for edge in support.skeleton],
        hint='Drag what is wrong to its place.',
    )
    return view


def empty_view(kind: str) -> View:
    """View of the ``'support'`` or the ``'query'`` without a picture."""
    return dict(
        kind=kind,
        position=0,
        count=0,
        can_undo=False,
        editable=False,
        picture=None,
        points=[],
        edges=[],
        next=None,
        hint='',
    )


def _picture(picture: StoredPicture) -> View:
    width, height = picture.size
    return dict(
        file=picture.preview, width=width, height=height, name=picture.name
    )


def _points(names: Sequence[str], marks: Sequence[Mark | None]) -> list[View]:
    points = []
    for index, (name, mark) in enumerate(zip(names, marks)):
        place = mark.place if mark else None
        r, g, b = colour(index, max(len(names), _COLOURS))
        points.append(
            dict(
                name=name,
                x=place[0] if place else None,
                y=place[1] if place else None,
                visible=mark.visible if mark else None,
                score=None,
                faint=False,
                corrected=False,
                colour=f'rgb({r}, {g}, {b})',
            )
        )
    return points
