"""Pictures: of episodes and what a model does with them, and of results."""

from .display import require_display
from .episode import box_view, draw_episode
from .explanation import Crop, Explanation, explain
from .figures import FIGURES, Figures
from .marks import draw_keypoints
from .naming import Naming
from .poses import draw_poses
from .visualizer import EpisodeVisualizer

__all__ = [
    'FIGURES',
    'Crop',
    'EpisodeVisualizer',
    'Explanation',
    'Figures',
    'Naming',
    'box_view',
    'draw_episode',
    'draw_keypoints',
    'draw_poses',
    'explain',
    'require_display',
]
