"""A small annotation file, whole or with something planted in it."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

CATEGORIES = {7: ('fox', 3), 2: ('owl', 4)}


def make_content(per_category=4):
    images, annotations = [], []
    for category, (name, count) in CATEGORIES.items():
        for _ in range(per_category):
            number = len(images) + 1
            images.append(
                dict(
                    id=number,
                    file_name=f'{name}/{number}.png',
                    width=60,
                    height=40,
                )
            )
            annotations.append(
                dict(
                    id=100 + number,
                    image_id=number,
                    category_id=category,
                    bbox=[5.0, 6.0, 30.0, 20.0],
                    area=600.0,
                    iscrowd=0,
                    num_keypoints=count,
                    keypoints=[10.0, 12.0, 2.0] * count,
                )
            )
    categories = [
        dict(
            id=key,
            name=name,
            keypoints=[f'k{i}' for i in range(count)],
            skeleton=[[1, 2]],
        )
        for key, (name, count) in CATEGORIES.items()
    ]
    return dict(images=images, annotations=annotations, categories=categories)


class Folder:
    """A data root; ``content`` may be changed before ``write``."""

    def __init__(self, root):
        self.root = root
        self.content = make_content()

    def write(self, with_images=True):
        (self.root / 'a.json').write_text(json.dumps(self.content))
        if with_images:
            for image in self.content['images']:
                path = self.root / 'images' / image['file_name']
                path.parent.mkdir(parents=True, exist_ok=True)
                noise = np.random.default_rng(image['id']).integers(
                    0, 255, (image['height'], image['width'], 3), np.uint8
                )
                cv2.imwrite(str(path), noise)
        return dict(
            type='MP100Dataset', data_root=str(self.root), ann_file='a.json'
        )


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)
