"""A web page: click keypoints, find them in pictures, correct, download.

``page`` is the layout and the only module that imports Gradio; ``session`` is
what a visitor of the page can do.
"""
