"""Mutated annotation files: the documented error, or sound instances."""

from __future__ import annotations

import os.path as osp
from collections import Counter

import numpy as np
from hypothesis import given

from mmcape.datasets import AnnotationError, MP100Dataset

from .conftest import EXAMPLES, changes, coco_content, fuzz, mutated, no_hang

CONTENT = coco_content()


def load(root, on_problems):
    """The data set, or None if it is refused."""
    try:
        with no_hang():
            return MP100Dataset(
                ann_file='a.json',
                data_root=str(root),
                on_problems=on_problems,
            )
    except AnnotationError as error:
        refused = str(error)
    assert str(root / 'a.json') in refused
    return None


def assert_sound(dataset, root):
    categories = dataset.metainfo['categories']
    assert len(dataset) > 0
    assert len(dataset.metainfo['instances_sha256']) == 64
    groups = dataset.category_instances()
    assert sorted(sum(groups.values(), [])) == list(range(len(dataset)))
    for index in range(len(dataset)):
        record = dataset.get_data_info(index)
        count = categories[record['category_id']]['num_keypoints']
        assert record['num_keypoints'] == count
        assert record['keypoints'].shape == (1, count, 2)
        assert record['keypoints_visible'].shape == (1, count)
        for name in ('bbox', 'keypoints', 'keypoints_visible'):
            assert record[name].dtype == np.float32
            assert np.isfinite(record[name]).all()
        (box,) = record['bbox']
        width, height = record['annotated_size']
        assert (box[:2] >= 0).all()
        assert (box[2:] > box[:2]).all()
        assert box[2] <= np.float32(width)
        assert box[3] <= np.float32(height)
        path = osp.normpath(record['img_path'])
        assert path.startswith(str(root / 'images') + osp.sep)
        assert osp.isfile(path)


def test_loader(root):
    outcomes = Counter()

    @fuzz()
    @given(changes)
    def read(steps):
        (root / 'a.json').write_bytes(mutated(CONTENT, steps))
        dataset, outcome = load(root, 'raise'), 'sound'
        if dataset is None:
            dataset, outcome = load(root, 'report'), 'reported'
        if dataset is None:
            outcome = 'refused'
        else:
            assert_sound(dataset, root)
        outcomes[outcome] += 1

    read()
    assert outcomes.total() >= EXAMPLES
    assert min(outcomes.values()) > EXAMPLES / 20, outcomes
