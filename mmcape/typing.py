"""The letters that every docstring uses, and the batch that models receive.

Letters: ``B`` batch, ``S`` shots (support images of an episode), ``K``
keypoints (padded to the batch's largest), ``C`` channels, ``H, W`` image
height and width, ``h, w`` feature-map height and width. Points are always
``(x, y)``. Sizes are ``(w, h)`` in configs and ``(H, W)`` on tensors.
"""

from __future__ import annotations

from typing import TypedDict

from torch import Tensor


class EpisodeInputs(TypedDict, total=False):
    """A batch of episodes as the data preprocessor hands it to the model.

    ``query_keypoints`` and ``query_visible`` are there when the query is
    annotated: in training and benchmarks, not when somebody's own picture is
    matched.
    """

    support_img: Tensor
    """(B, S, 3, H, W) normalised images."""
    support_keypoints: Tensor
    """(B, S, K, 2) in pixels of the crop."""
    support_visible: Tensor
    """(B, S, K) bool; False also for padding."""
    query_img: Tensor
    """(B, 3, H, W) normalised images."""
    query_keypoints: Tensor
    """(B, K, 2) in pixels of the crop."""
    query_visible: Tensor
    """(B, K) bool; False also for padding."""
