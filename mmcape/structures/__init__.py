"""What an episode is."""

from .episode import (
    Episode,
    EpisodeDataSample,
    episodes_digest,
    join_samples,
    points_in_crop,
    store_prediction,
)

__all__ = [
    'Episode',
    'EpisodeDataSample',
    'episodes_digest',
    'join_samples',
    'points_in_crop',
    'store_prediction',
]
