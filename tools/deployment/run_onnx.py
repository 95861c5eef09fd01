"""Find keypoints with an exported model; needs numpy, OpenCV, onnxruntime.

    python tools/deployment/run_onnx.py DIR SUPPORT KEYPOINTS QUERY ...

Prints a line of JSON for each query.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from onnxruntime import InferenceSession


def crop(path: str, meta: Any, points: Any = None) -> tuple[Any, Any, Any]:
    """The square around points, or around all of an image; where it lies."""
    image = cv2.imread(path)
    if image is None:
        sys.exit(f'error: {path} is no image')
    size = np.array(meta['input_size'])
    limit = np.array(image.shape[1::-1]) - 1
    low, high = np.zeros(2), limit
    if points is not None:
        low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
        margin = 0.15 * max(1, (high - low).max())
        low, high = np.clip([low - margin, high + margin], 0, limit)
    step = meta['crop_padding'] * (high - low).max() / size.min()
    corner = (low + high) / 2 - size / 2 * step
    matrix = np.array([[1, 0, -corner[0]], [0, 1, -corner[1]]]) / step
    pixels: Any = cv2.warpAffine(image, matrix, meta['input_size'])
    return pixels.transpose(2, 0, 1), corner, step


def main(folder: str, support: str, keypoints: str, query: list[str]) -> None:
    """Encode the support once, then look at one query after the other."""
    meta = json.loads(Path(folder, 'export.json').read_text())
    encoder = InferenceSession(Path(folder, 'support_encoder.onnx'))
    matcher = InferenceSession(Path(folder, 'query_matcher.onnx'))
    given = [point or (np.nan, np.nan) for point in json.loads(keypoints)]
    points = np.array(given, np.float32)
    shown = ~np.isnan(points).any(axis=1)
    image, corner, step = crop(support, meta, points)
    points = np.nan_to_num((points - corner) / step).astype(np.float32)
    one_shot = dict(crops=image, keypoints=points, visible=shown)
    annotated = {name: one[None, None] for name, one in one_shot.items()}
    tokens, valid = encoder.run(None, annotated)
    for path in query:
        image, corner, step = crop(path, meta)
        code = dict(crops=image[None], tokens=tokens, valid=valid)
        found, scores = matcher.run(None, code)
        pixels = (found[0] * step + corner).tolist()
        answer = dict(query=path, keypoints=pixels, scores=scores[0].tolist())
        print(json.dumps(answer))


if __name__ == '__main__':
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument('folder', help='what export_onnx.py wrote')
    parser.add_argument('support', help='image with known keypoints')
    parser.add_argument(
        'keypoints',
        help="these in pixels, as JSON: '[[120, 80], null, [300, 140]]';\n"
        'null where one is not visible',
    )
    parser.add_argument('query', nargs='+', help='images to look in')
    main(**vars(parser.parse_args()))
