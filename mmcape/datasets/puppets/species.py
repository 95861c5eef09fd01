"""Random species: which families there are and how categories are named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

from .anatomy import Species
from .animals import insect, quadruped, worm
from .builder import AnatomyBuilder
from .figures import hand, humanoid, mask
from .objects import crane, furniture, vehicle
from .plants import plant, star
from .winged import bird, fish

FAMILIES: dict[str, Callable[[AnatomyBuilder], None]] = {
    'quadruped': quadruped,
    'insect': insect,
    'star': star,
    'humanoid': humanoid,
    'plant': plant,
    'worm': worm,
    'vehicle': vehicle,
    'bird': bird,
    'hand': hand,
    'fish': fish,
    'crane': crane,
    'mask': mask,
    'furniture': furniture,
}
SPLITS = ('train', 'val', 'test')

# Seed words, so that no two streams of random numbers coincide.
_SPECIES_STREAM = 1
_BYSTANDER_SPLIT = len(SPLITS)


def make_species(seed: int, split: int, index: int, name: str = '') -> Species:
    """Draws one species; families take turns inside a split.

    Args:
        seed: Seed of the data set.
        split: Index into `SPLITS`, or one more for bystanders.
        index: Count of the species inside its split.
        name: Category name, the family's by default.
    """
    family = list(FAMILIES)[index % len(FAMILIES)]
    rng = np.random.default_rng([seed, _SPECIES_STREAM, split, index])
    builder = AnatomyBuilder(rng)
    FAMILIES[family](builder)
    return builder.build(name or family, family)


def make_splits(seed: int, counts: dict[str, int]) -> dict[str, list[Species]]:
    """Draws the species of all splits, no two of the same name.

    A species depends on the seed, its split and its place in it only, so
    more training categories leave the test categories as they are.

    Args:
        seed: Seed of the data set.
        counts: Number of categories by split.
    """
    named: Counter[str] = Counter()
    splits: dict[str, list[Species]] = {}
    for number, split in enumerate(SPLITS):
        splits[split] = []
        for index in range(counts[split]):
            family = list(FAMILIES)[index % len(FAMILIES)]
            named[family] += 1
            name = f'{family}_{named[family]:02d}'
            splits[split].append(make_species(seed, number, index, name))
    return splits


def make_bystanders(seed: int, count: int = 26) -> list[Species]:
    """Draws species that belong to no split, for clutter and occluders."""
    return [
        make_species(seed, _BYSTANDER_SPLIT, index) for index in range(count)
    ]
