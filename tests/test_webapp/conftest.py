from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from mmcape.apis import CapeInferencer
from mmcape.webapp.finder import Finder
from mmcape.webapp.session import Session
from mmcape.webapp.uploads import Limits


@pytest.fixture(scope='session')
def limits():
    return Limits(
        upload_mb=0.25,
        megapixels=0.5,
        shots=3,
        queries=4,
        frames=5,
        session_mb=2,
    )


@pytest.fixture(scope='session')
def inferencer():
    """The small CapeFormer as it is before training."""
    torch.manual_seed(0)
    return CapeInferencer('capeformer_tiny_puppets_1shot', None, 'cpu')


@pytest.fixture(scope='session')
def finder(inferencer):
    return Finder(inferencer)


@pytest.fixture(scope='session')
def files(tmp_path_factory):
    """Pictures (w, h), a video, and what is none of these, by name."""
    folder = tmp_path_factory.mktemp('uploads')
    rng = np.random.default_rng(0)

    def drawn(width, height):
        image = np.full((height, width, 3), 200, np.uint8)
        for _ in range(6):
            x, y, r = rng.integers(5, (width, height, height // 3))
            colour = rng.integers(0, 255, 3).tolist()
            cv2.circle(image, (int(x), int(y)), int(r), colour, -1)
        cv2.circle(image, (width - 40, 30), 6, (0, 0, 255), -1)
        return image

    sizes = dict(wide=(240, 80), tall=(80, 240), q1=(120, 90), q2=(90, 120))
    for name, size in sizes.items():
        cv2.imwrite(str(folder / f'{name}.png'), drawn(*size))
    noise = rng.integers(0, 255, (400, 400, 3), np.uint8)
    cv2.imwrite(str(folder / 'heavy.png'), noise)
    cv2.imwrite(str(folder / 'large.png'), np.zeros((800, 700), np.uint8))
    for name, frames in (('clip', 3), ('long', 6)):
        codec = cv2.VideoWriter.fourcc(*'MJPG')
        path = str(folder / f'{name}.avi')
        writer = cv2.VideoWriter(path, codec, 10.0, (96, 64))
        for _ in range(frames):
            writer.write(drawn(96, 64))
        writer.release()
    for name in ('broken.png', 'broken.mp4'):
        (folder / name).write_text('neither picture nor video')
    content = (folder / 'wide.png').read_bytes()
    (folder / 'cut.png').write_bytes(content[: len(content) // 2])
    return {path.name: str(path) for path in folder.iterdir()}


@pytest.fixture
def session(tmp_path, limits):
    return Session(tmp_path / 'session', limits, max_keypoints=4)


@pytest.fixture
def annotated(session, files):
    """With three keypoints in one wide picture, and two queries."""
    session.add_shots([files['wide.png']])
    for x, y in ((10, 20), (200, 30), (120.5, 70.25)):
        session.edit_support(dict(kind='place', index=None, x=x, y=y))
    session.add_queries([files['q1.png'], files['q2.png']])
    return session
