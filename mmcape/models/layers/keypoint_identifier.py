"""Keypoint identifiers: what tells equal-looking keypoints apart.

The paper's support keypoint identifier (Table 5) is an order code that is
added to the keypoint tokens. No identifier at all is ``None`` in the head's
config.
"""

from __future__ import annotations

import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from .positional_encoding import ordinal_phase, sine_code


@MODELS.register_module()
class SineKeypointIdentifier(BaseModule):
    """Sine code of the keypoint's index; any number of keypoints.

    The index is divided by ``length`` whatever the number of keypoints that
    are present, so a keypoint's code does not depend on the padding.

    Args:
        embed_dims: Width of the tokens, a multiple of 4.
        length: Index at which the phase reaches 2 pi.
    """

    max_keypoints = None
    """No limit."""

    def __init__(self, embed_dims: int, length: int = 100) -> None:
        super().__init__()
        self.embed_dims = embed_dims
        self.length = length

    def forward(self, num_keypoints: int, device: torch.device) -> Tensor:
        """Return the codes, (num_keypoints, embed_dims)."""
        half = self.embed_dims // 2
        row = sine_code(ordinal_phase(1, 1, device), half)
        order = sine_code(
            ordinal_phase(num_keypoints, self.length, device), half
        )
        return torch.cat([row.expand_as(order), order], dim=-1)


@MODELS.register_module()
class LearnedKeypointIdentifier(BaseModule):
    """A learned table of order codes.

    Args:
        embed_dims: Width of the tokens.
        length: Rows of the table, the most keypoints an object can have.
    """

    def __init__(self, embed_dims: int, length: int = 100) -> None:
        super().__init__()
        self.max_keypoints = length
        self.table = nn.Embedding(length, embed_dims)

    def forward(self, num_keypoints: int, device: torch.device) -> Tensor:
        """Return the codes, (num_keypoints, embed_dims).

        Raises:
            ValueError: If there are more keypoints than rows.
        """
        if num_keypoints > self.table.num_embeddings:
            raise ValueError(
                f'{num_keypoints} keypoints, but the learned identifier has '
                f'{self.table.num_embeddings}: raise `length` and train '
                'again, or use SineKeypointIdentifier, which has no limit'
            )
        return self.table.weight[:num_keypoints].to(device)
