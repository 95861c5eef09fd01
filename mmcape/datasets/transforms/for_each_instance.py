"""mmpose's single-instance transforms, applied to an episode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform, Compose
from mmpose.registry import TRANSFORMS

from mmcape.utils.global_generators import seeded_globals

from .load_annotated_image import UnreadableImageError


@TRANSFORMS.register_module()
class ForEachInstance(BaseTransform):
    """Runs transforms on every support instance and on the query.

    Each instance brings its own ``rng`` (numpy Generator), a function of the
    episode's seed and the instance's place, so augmentation depends neither
    on the worker nor on what was drawn before. The global generators of numpy
    and Python, which mmpose's transforms use, are seeded by the episode's seed
    meanwhile.

    Required and modified keys: episode, support, query.

    Args:
        transforms: Configs of transforms of one instance.
    """

    def __init__(self, transforms: Sequence[dict]) -> None:
        self.transforms = Compose([TRANSFORMS.build(t) for t in transforms])

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Transform the supports (places 1, 2, ...) and the query (0)."""
        seed = results['episode'].seed
        with seeded_globals(str(seed).encode()):
            results['query'] = self._apply(results['query'], seed, place=0)
            results['support'] = [
                self._apply(instance, seed, place)
                for place, instance in enumerate(results['support'], start=1)
            ]
        return results

    def _apply(
        self, instance: dict[str, Any], seed: int, place: int
    ) -> dict[str, Any]:
        instance['rng'] = np.random.default_rng([seed, place])
        try:
            return self.transforms(instance)
        except Exception as error:
            message = (
                f'cannot prepare annotation {instance["id"]} of image '
                f'{instance["img_path"]}: {error}'
            )
            if isinstance(error, UnreadableImageError):
                raise UnreadableImageError(
                    message, error.path, error.reason
                ) from error
            raise RuntimeError(message) from error
