from __future__ import annotations

import numpy as np
import pytest

from mmcape.testing import make_episode_batch
from mmcape.visualization import draw_episode, draw_keypoints
from mmcape.visualization.marks import PANEL, colour


def test_only_the_wanted_keypoints_are_drawn():
    image = np.zeros((40, 60, 3), np.uint8)
    keypoints = np.array([[10.0, 20.0], [30.0, 20.0], [50.0, 20.0]])
    draw_keypoints(image, keypoints, np.array([True, False, True]), [(0, 1)])
    assert tuple(image[20, 10]) == colour(0, 3)
    assert tuple(image[20, 50]) == colour(2, 3)
    assert not image[:, 20:40].any()  # neither keypoint 1 nor its edge


def test_keypoint_outside_the_image_is_no_fault():
    image = np.zeros((40, 60, 3), np.uint8)
    draw_keypoints(image, np.array([[-500.0, 9000.0]]), np.array([True]))
    assert not image.any()


@pytest.mark.parametrize('shots', [1, 5])
def test_strip_shows_at_most_two_supports(shots, tmp_path):
    import cv2
    from mmengine.structures import InstanceData

    path = tmp_path / 'grey.png'
    cv2.imwrite(str(path), np.full((128, 128, 3), 90, np.uint8))
    _, (sample, _) = make_episode_batch(shots=shots)
    sample.set_metainfo(
        dict(img_path=str(path), support_img_paths=(str(path),) * shots)
    )
    truth = sample.gt_instances
    sample.support_instances = InstanceData(
        bboxes=np.repeat(truth.bboxes, shots, axis=0),
        keypoints=np.repeat(truth.keypoints, shots, axis=0),
        keypoints_visible=np.repeat(truth.keypoints_visible, shots, axis=0),
    )
    sample.pred_instances = InstanceData(keypoints=truth.keypoints)
    strip = draw_episode(sample, [(0, 1)])
    panels = min(shots, 2) + 2
    assert strip.shape[1] == panels * PANEL
    # equal keypoints give equal panels: prediction and ground truth
    caption = strip.shape[0] - PANEL
    left, right = (
        strip[caption:, -2 * PANEL : -PANEL],
        strip[caption:, -PANEL:],
    )
    assert np.array_equal(left, right)
