"""From the thirteen sources of MP-100 to its image folder, checked."""

from .annotation_files import (
    AnnotationFile,
    find_annotation_files,
    read_annotation_files,
)
from .build import BuildReport, build
from .check import check
from .source_folders import locate_sources
from .sources import SOURCES, Rule, Source
from .statistics import CategoryStatistics, statistics

__all__ = [
    'SOURCES',
    'AnnotationFile',
    'BuildReport',
    'CategoryStatistics',
    'Rule',
    'Source',
    'build',
    'check',
    'find_annotation_files',
    'locate_sources',
    'read_annotation_files',
    'statistics',
]
