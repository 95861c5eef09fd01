from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from mmcape.apis import InputError
from mmcape.apis.box_following import follow
from mmcape.apis.boxes import PADDING
from mmcape.apis.queries import open_queries

SIZE = (160, 120)
WHOLE = [0, 0, 159, 119]


@pytest.fixture(scope='module')
def video(tmp_path_factory, instances):
    """Six frames in which a puppet moves right."""
    path = str(tmp_path_factory.mktemp('video') / 'clip.avi')
    codec = cv2.VideoWriter_fourcc(*'MJPG')
    writer = cv2.VideoWriter(path, codec, 10.0, SIZE)
    puppet = cv2.resize(cv2.imread(instances[0]['img_path']), (80, 100))
    for step in range(6):
        frame = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)
        frame[10:110, 5 * step : 5 * step + 80] = puppet
        writer.write(frame)
    writer.release()
    return path


def samples_of(results):
    return [result['predictions'][0] for result in results]


def test_frames_of_a_video_are_those_of_a_list(ready, video):
    frames = [query.image for query in open_queries(video)]
    assert len(frames) == 6
    ours = samples_of(ready(video, follow_box=False, batch_size=4))
    theirs = samples_of(ready(frames))
    assert [sample.frame_id for sample in ours] == list(range(6))
    for a, b in zip(ours, theirs):
        np.testing.assert_allclose(
            a.pred_instances.keypoints, b.pred_instances.keypoints, atol=1e-3
        )


def test_box_of_a_frame_is_from_the_pose_before(ready, video):
    samples = samples_of(ready(video, kpt_thr=0.01))
    boxes = [sample.pred_instances.bboxes[0] for sample in samples]
    assert boxes[0].tolist() == WHOLE
    for last, sample, box in zip(boxes, samples, boxes[1:]):
        pose = sample.pred_instances
        expected = follow(
            pose.keypoints[0], pose.keypoint_scores[0], last, SIZE, 0.01
        )
        np.testing.assert_allclose(box, expected, rtol=1e-5)
    assert any(box.tolist() != WHOLE for box in boxes)


def test_first_box_can_be_given(ready, video):
    start = [0, 5, 100, 115]
    samples = samples_of(ready(video, boxes=start, follow_box=True))
    assert samples[0].pred_instances.bboxes[0].tolist() == start
    fixed = samples_of(ready(video, boxes=start))
    assert {tuple(s.pred_instances.bboxes[0]) for s in fixed} == {tuple(start)}


def test_further_looks_are_at_the_first_frame(ready, video):
    passes = []
    handle = ready._matcher.model.backbone.register_forward_hook(
        lambda *_: passes.append(1)
    )
    followed = samples_of(ready(video, looks=3, kpt_thr=0.01))
    handle.remove()
    assert len(passes) == 3 + 5
    (frame, *_) = [query.image for query in open_queries(video)]
    (first,) = samples_of(ready(frame, looks=3, kpt_thr=0.01))
    np.testing.assert_allclose(
        followed[0].pred_instances.keypoints,
        first.pred_instances.keypoints,
        atol=1e-3,
    )


def test_results_of_a_video(ready, video, tmp_path):
    list(ready(video, out_dir=tmp_path))
    frames = json.loads((tmp_path / 'predictions/clip.json').read_text())
    assert [frame['frame_id'] for frame in frames] == list(range(6))
    drawn = cv2.VideoCapture(str(tmp_path / 'visualizations/clip.mp4'))
    assert int(drawn.get(cv2.CAP_PROP_FRAME_COUNT)) == 6
    drawn.release()


def test_rule_of_following():
    points = np.array([[20.0, 30.0], [60.0, 30.0], [40.0, 50.0], [150, 110]])
    small = np.array([20.0, 20.0, 70.0, 60.0])
    scores = np.array([0.9, 0.8, 0.7, 0.1])
    margin = PADDING * 40
    box = follow(points, scores, small, SIZE, threshold=0.5)
    expected = [20 - margin, 30 - margin, 60 + margin, 50 + margin]
    np.testing.assert_allclose(box, expected)

    # no narrower than half the last one, and within the image
    box = follow(points, scores, np.array(WHOLE), SIZE, threshold=0.5)
    np.testing.assert_allclose(box[[0, 2]], [40 - 0.25 * 159, 40 + 0.25 * 159])

    # lost: one keypoint of four, or none
    for threshold in (0.85, 0.95):
        box = follow(points, scores, small, SIZE, threshold)
        assert box.tolist() == WHOLE


def test_bad_videos_are_named(tmp_path):
    path = tmp_path / 'a.mp4'
    with pytest.raises(InputError, match=r'video .*a\.mp4 is missing'):
        open_queries(path)
    path.write_bytes(b'no video')
    with pytest.raises(InputError, match=r'a\.mp4 cannot be opened'):
        open_queries(path)
    with pytest.raises(InputError, match='camera 99 cannot be opened'):
        open_queries(99)
