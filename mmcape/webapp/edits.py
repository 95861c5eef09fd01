"""What the browser says the visitor did, checked and carried out.

An action is a dict with a ``kind``; everything in it may be wrong.
"""

from __future__ import annotations

import math
from typing import Any

from mmcape.utils.input_error import InputError

from .annotation import Annotation, Mark, Place
from .finding import Finding
from .uploads import StoredPicture


def edit_annotation(
    annotation: Annotation,
    shot: int,
    action: dict[str, Any],
    max_keypoints: int | None,
) -> Annotation:
    """The annotation after an action in one of its pictures.

    ========  ==============================================
    place     put keypoint ``index``, None for a new one, at ``x``, ``y``
    show      keypoint ``index`` is ``visible``
    rename    keypoint ``index`` is called ``name``
    remove    keypoint ``index`` goes
    edge      ``start`` and ``end`` are connected, or no longer
    ========  ==============================================

    Raises:
        InputError: If it cannot be done.
    """
    kind, shown = action.get('kind'), annotation.shots[shot]
    count = len(annotation.names)
    if kind == 'place':
        place = _place(action, shown.picture)
        if action.get('index') is None:
            if max_keypoints is not None and count >= max_keypoints:
                raise InputError(
                    f'the model finds at most {max_keypoints} keypoints'
                )
            return annotation.add(shot, place)
        index = _index(action, 'index', count)
        return annotation.with_shot(shot, shown.marked(index, Mark(place)))
    if kind == 'edge':
        return annotation.toggle_edge(
            _index(action, 'start', count), _index(action, 'end', count)
        )
    index = _index(action, 'index', count)
    if kind == 'show':
        visible = bool(action.get('visible'))
        return annotation.with_shot(shot, shown.shown(index, visible))
    if kind == 'rename':
        return annotation.rename(index, str(action.get('name')))
    if kind == 'remove':
        return annotation.remove(index)
    raise InputError(f'unknown action {kind!r}')


def edit_finding(
    finding: Finding, picture: StoredPicture, action: dict[str, Any]
) -> Finding:
    """What was found in a picture after an action: ``place`` or ``show``.

    Raises:
        InputError: If it cannot be done.
    """
    kind = action.get('kind')
    index = _index(action, 'index', len(finding.marks))
    if kind == 'place':
        return finding.move(index, _place(action, picture))
    if kind == 'show':
        return finding.show(index, bool(action.get('visible')))
    raise InputError(f'unknown action {kind!r}')


def wanted_place(action: dict[str, Any]) -> int:
    """To which picture the visitor goes, maybe none that there is.

    Raises:
        InputError: If that is no number.
    """
    place = action.get('to')
    if not isinstance(place, int):
        raise InputError(f'there is no picture {place!r}')
    return place


def _index(action: dict[str, Any], key: str, count: int) -> int:
    value = action.get(key)
    if not isinstance(value, int) or not 0 <= value < count:
        raise InputError(f'there is no keypoint {value!r}')
    return value


def _place(action: dict[str, Any], picture: StoredPicture) -> Place:
    """A place, moved into the picture."""
    values = action.get('x'), action.get('y')
    x, y = map(_number, values)
    if not (math.isfinite(x) and math.isfinite(y)):
        raise InputError(f'{values} is no place in a picture')
    width, height = picture.size
    return min(max(x, 0.0), width - 1.0), min(max(y, 0.0), height - 1.0)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else math.nan
