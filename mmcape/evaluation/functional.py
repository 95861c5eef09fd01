"""Scores of one query image, in plain numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

AUC_STEPS = 20


def counted_keypoints(sample: Mapping[str, Any]) -> np.ndarray:
    """(K,) bool, keypoints that the query and every support show.

    Args:
        sample: An :class:`~mmcape.structures.EpisodeDataSample` as a dict.
    """
    query, support = sample['gt_instances'], sample['support_instances']
    return (query['keypoints_visible'][0] > 0) & (
        support['keypoints_visible'] > 0
    ).all(axis=0)


def box_size(sample: Mapping[str, Any]) -> float:
    """Longer side of a query's clipped box, in pixels."""
    x1, y1, x2, y2 = sample['gt_instances']['bboxes'][0].astype(np.float64)
    return max(x2 - x1, y2 - y1)


def keypoint_distances(
    predicted: np.ndarray,
    annotated: np.ndarray,
    counted: np.ndarray,
    box_size: float,
) -> np.ndarray:
    """Distance of each counted keypoint, in units of the box's longer side.

    Args:
        predicted: (K, 2) in pixels of the original image.
        annotated: (K, 2) likewise.
        counted: (K,) bool.
        box_size: Longer side of the clipped box, in pixels.

    Returns:
        (number of counted keypoints,).
    """
    offset = (predicted - annotated)[counted].astype(np.float64)
    return np.hypot(offset[:, 0], offset[:, 1]) / box_size


def pck(distances: np.ndarray, threshold: float) -> float:
    """Share of keypoints nearer than a threshold; 0 if there are none."""
    return float((distances < threshold).mean()) if distances.size else 0.0


def auc(distances: np.ndarray) -> float:
    """Mean PCK over the thresholds 0, 0.05, ..., 0.95.

    As published: no distance is below 0, so a perfect prediction has 0.95.
    """
    thresholds = np.arange(AUC_STEPS) / AUC_STEPS
    return float(np.mean([pck(distances, t) for t in thresholds]))


def nme(distances: np.ndarray) -> float:
    """Mean normalised error; 0 if there are no keypoints, as published."""
    return float(distances.mean()) if distances.size else 0.0


def half_interval(values: Sequence[float]) -> float:
    """1.96 standard errors of the mean of two or more values."""
    return float(1.96 * np.std(values, ddof=1) / len(values) ** 0.5)


def paired_difference(
    first: Mapping[tuple[int, int], float],
    second: Mapping[tuple[int, int], float],
) -> tuple[float, float]:
    """How much better the second of two tests is on the same episodes.

    Args:
        first: Score of each (category, support draw).
        second: Those of the other test.

    Returns:
        The mean difference and half its 95% interval over episodes.

    Raises:
        ValueError: If they are of other episodes.
    """
    if first.keys() != second.keys():
        raise ValueError('the two tests are of different episodes')
    differences = [second[key] - first[key] for key in first]
    return float(np.mean(differences)), half_interval(differences)
