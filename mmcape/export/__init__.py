"""The two steps of a model as ONNX files, which run without torch."""

from .onnx_files import ExportedModel, export_model, require_export_packages
from .verification import Difference, time_steps, verify

__all__ = [
    'Difference',
    'ExportedModel',
    'export_model',
    'require_export_packages',
    'time_steps',
    'verify',
]
