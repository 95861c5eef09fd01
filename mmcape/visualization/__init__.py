"""Pictures: of episodes and what a model does with them, and of results."""

from .crops import Crop
from .display import require_display
from .episode import draw_episode
from .explanation import Explanation, explain
from .figures import FIGURES
from .layout import write_picture
from .loaded import draw_loaded
from .marks import draw_keypoints
from .naming import Naming
from .poses import draw_poses
from .visualizer import EpisodeVisualizer

__all__ = [
    'FIGURES',
    'Crop',
    'EpisodeVisualizer',
    'Explanation',
    'Naming',
    'draw_episode',
    'draw_keypoints',
    'draw_loaded',
    'draw_poses',
    'explain',
    'require_display',
    'write_picture',
]
