"""How Sphinx builds the site; `make docs` runs it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# Sphinx executes this file without its folder on the path.
sys.path.insert(0, str(Path(__file__).parent / 'extensions'))
# Building needs no more than one core, and many small tensors.
os.environ.setdefault('OMP_NUM_THREADS', '1')

import mmcape

project = 'mmcape'
author = 'The mmcape authors'
release = mmcape.__version__

extensions = [
    'myst_parser',
    'sphinx.ext.autodoc',
    'sphinx.ext.napoleon',
    'sphinx.ext.viewcode',
    'api_pages',
    'tool_pages',
]
smartquotes_action = 'D'  # only dashes
nitpicky = True

# Markdown: anchors of headings as on GitHub
myst_heading_anchors = 4
myst_enable_extensions = ['deflist']
suppress_warnings = ['myst.header']  # a page may skip a level of headings

# API: a page a module, in the order of the source
autodoc_default_options = {
    'members': True,
    'ignore-module-all': True,
    'show-inheritance': True,
}
autodoc_member_order = 'bysource'
autodoc_class_signature = 'mixed'
autodoc_typehints_format = 'short'
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_attr_annotations = False  # they are in the signature
python_maximum_signature_line_length = 79
python_use_unqualified_type_names = True
toc_object_entries_show_parents = 'hide'

# HTML
html_theme = 'furo'
html_title = f'mmcape {release}'
html_static_path = ['_static']
html_css_files = ['custom.css']
html_copy_source = False
html_show_copyright = False
pygments_style = 'tango'
