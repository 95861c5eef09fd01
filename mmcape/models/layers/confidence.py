"""How sure a prediction is: what the stages of a head tell about it.

Every measure takes what the stages found and gives (B, K) values in [0, 1],
high where the prediction is sure. docs/confidence.md compares them.
"""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor

from .coordinates import cell_centres

NEARNESS = 0.1
"""Distance, in sides of the crop, at which nearness falls to 1/e."""
REACH = 0.2
"""Distance, in sides of the crop, that counts as beside the answer."""


class Stages(Protocol):
    """What the measures look at; points are normalised to the crop."""

    @property
    def similarity(self) -> Tensor:
        """(B, K, h, w) raw logits."""

    @property
    def peak_mass(self) -> Tensor:
        """(B, K) share of their softmax in the 3x3 cells at the maximum."""

    @property
    def proposals(self) -> Tensor:
        """(B, K, 2) first positions, around the maximum."""

    @property
    def layers(self) -> Tensor:
        """(L, B, K, 2) prediction of every decoder layer; L may be 0."""

    @property
    def points(self) -> Tensor:
        """(B, K, 2) final prediction."""


def peak_mass(found: Stages) -> Tensor:
    """Share of the similarity's softmax in the 3x3 cells at its maximum."""
    return found.peak_mass


def answer_mass(found: Stages) -> Tensor:
    """Share of the softmax within ``REACH`` of the final prediction.

    It falls if the map is spread out, and if the decoder answers beside it.
    """
    probability = _probability(found.similarity)
    height, width = found.similarity.shape[-2:]
    centres = cell_centres(
        (height, width), probability.device, probability.dtype
    )
    distance = (found.points.unsqueeze(-2) - centres).norm(dim=-1)
    return (probability * (distance < REACH)).sum(-1)


def concentration(found: Stages) -> Tensor:
    """One minus the normalised entropy of the softmax; 0 for a flat map."""
    probability = _probability(found.similarity)
    entropy = torch.special.entr(probability).sum(-1)
    return 1 - entropy / math.log(probability.size(-1))


def stillness(found: Stages) -> Tensor:
    """Nearness of the final prediction to the proposal it started from."""
    return nearness(found.points - found.proposals)


def agreement(found: Stages) -> Tensor:
    """Nearness of the decoder layers' predictions to the final one.

    1 where there are fewer than two layers.
    """
    if len(found.layers) < 2:
        return torch.ones_like(found.peak_mass)
    return nearness(found.layers[:-1] - found.layers[-1]).mean(dim=0)


def nearness(offset: Tensor) -> Tensor:
    """1 for an offset (..., 2) of zero, towards 0 for a far one: (...)."""
    return torch.exp(-offset.norm(dim=-1) / NEARNESS)


def _probability(similarity: Tensor) -> Tensor:
    dtype = torch.promote_types(similarity.dtype, torch.float32)
    return similarity.to(dtype).flatten(2).softmax(dim=-1)


CONFIDENCES = dict(
    peak_mass=peak_mass,
    answer_mass=answer_mass,
    concentration=concentration,
    stillness=stillness,
    agreement=agreement,
)
"""The measures by the name that a head's config gives."""
