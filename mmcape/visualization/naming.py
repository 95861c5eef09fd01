"""What a category's keypoints are called, and how they connect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmcape.utils.input_error import InputError

from .marks import Edges


@dataclass(frozen=True)
class Naming:
    """Names and connections of the K keypoints of a category."""

    names: Sequence[str]
    skeleton: Edges = ()
    """Pairs of keypoints to connect, counted from 0."""

    @classmethod
    def of(cls, category: Mapping[str, Any], count: int) -> Naming:
        """Of a category in a dataset's metainfo, which may know nothing."""
        names = list(category.get('keypoint_names', ()))[:count]
        names += [''] * (count - len(names))
        return cls(names, category.get('skeleton', ()))

    def title(self, index: int) -> str:
        """Number and name of a keypoint."""
        return f'{index} {self.names[index]}'

    def indices(self, wanted: Sequence[str | int]) -> list[int]:
        """Numbers of keypoints that are given by name or number.

        Raises:
            InputError: If there is no such keypoint.
        """
        found = []
        for one in map(str, wanted):
            if one in self.names:
                found.append(list(self.names).index(one))
            elif one.isdecimal() and int(one) < len(self.names):
                found.append(int(one))
            else:
                names = ', '.join(filter(None, self.names))
                raise InputError(
                    f'there is no keypoint {one!r}: give a number below '
                    f'{len(self.names)}, or a name: {names or "none here"}'
                )
        return found
