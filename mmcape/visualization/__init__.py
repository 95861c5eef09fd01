"""Pictures of episodes and of results, and where curves go."""

from .crops import Crop
from .display import require_display
from .episode import draw_episode
from .explanation import Explanation, explain
from .figures import FIGURES
from .layout import write_picture
from .loaded import draw_loaded
from .marks import draw_keypoints
from .naming import Naming
from .patient_vis_backend import PatientVisBackend
from .poses import draw_poses
from .visualizer import EpisodeVisualizer

__all__ = [
    'FIGURES',
    'Crop',
    'EpisodeVisualizer',
    'Explanation',
    'Naming',
    'PatientVisBackend',
    'draw_episode',
    'draw_keypoints',
    'draw_loaded',
    'draw_poses',
    'explain',
    'require_display',
    'write_picture',
]
