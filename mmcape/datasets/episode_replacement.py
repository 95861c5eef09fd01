"""Other episodes in the place of those whose images are broken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mmcape.structures import Episode

from .episodes import replacement_episode
from .transforms import UnreadableImageError

if TYPE_CHECKING:
    from .mp100 import MP100Dataset


class EpisodeReplacement:
    """Prepares episodes of a dataset, or others where images are broken.

    The replacement depends on the episode and on the files alone: not on the
    worker, nor on what it has met before.

    Args:
        dataset: The instances.
    """

    def __init__(self, dataset: MP100Dataset) -> None:
        self.ann_file = dataset.ann_file
        self.categories = dataset.category_instances()
        self.instances: dict[str, list[int]] = defaultdict(list)
        for position in range(dataset.num_instances):
            path = dataset.get_data_info(position)['img_path']
            self.instances[path].append(position)

    def prepare(
        self,
        episode: Episode,
        error: UnreadableImageError,
        prepare: Callable[[Episode], dict[str, Any]],
    ) -> dict[str, Any]:
        """The first replacement that can be prepared.

        Args:
            episode: The episode that cannot.
            error: Why not.
            prepare: Prepares an episode.

        Raises:
            UnreadableImageError: If no category has enough intact images.
        """
        broken: dict[str, str] = {}
        unusable: set[int] = set()
        while True:
            broken[error.path] = error.reason
            unusable.update(self.instances[error.path])
            candidate = replacement_episode(episode, self.categories, unusable)
            if candidate is None:
                raise UnreadableImageError(
                    f'no category of {self.ann_file} has enough intact '
                    f'images for an episode: {len(broken)} could not be '
                    f'read, the first is {next(iter(broken))}'
                )
            files = tuple(broken.items())
            try:
                return prepare(replace(candidate, broken_images=files))
            except UnreadableImageError as another:
                error = another
