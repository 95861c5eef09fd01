"""A web page: click keypoints, find them in pictures, correct, download.

``session`` is what a visitor can do. Only ``page``, ``layout`` and ``server``
import Gradio.
"""
