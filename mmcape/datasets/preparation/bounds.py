"""Whether annotations lie within their image."""

from __future__ import annotations

from collections.abc import Sequence


def box_inside(
    bbox: Sequence[float], size: tuple[float, float], tolerance: float
) -> bool:
    """Whether a box (x, y, w, h) lies within an image of this size."""
    x, y, w, h = bbox
    return (
        min(x, y) >= -tolerance
        and x + w <= size[0] + tolerance
        and y + h <= size[1] + tolerance
    )


def points_outside(
    keypoints: Sequence[float], size: tuple[float, float], tolerance: float
) -> dict[str, list[float]]:
    """Visible keypoints beyond the outer pixels' centres, by position."""
    return {
        str(index // 3): [x, y]
        for index, x, y, visible in zip(
            range(0, len(keypoints), 3),
            keypoints[::3],
            keypoints[1::3],
            keypoints[2::3],
        )
        if visible > 0
        and not (
            -tolerance <= x <= size[0] - 1 + tolerance
            and -tolerance <= y <= size[1] - 1 + tolerance
        )
    }
