from __future__ import annotations

import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest

from mmcape.apis.support import annotate_from
from mmcape.formats import read_poses, write_sleap
from mmcape.utils.input_error import InputError

from .conftest import assert_same

sio = pytest.importorskip(
    'sleap_io', reason='needs sleap-io: pip install "mmcape[formats]"'
)

POINTS = np.array([[1.5, 2.0], [np.nan, np.nan], [10.0, 20.25]])


@pytest.fixture
def skeleton():
    return sio.Skeleton(
        ['nose', 'ear', 'tail'],
        edges=[('nose', 'ear'), ('nose', 'tail')],
        name='mouse',
    )


@pytest.fixture
def clip(tmp_path):
    """Four frames (64, 96), frame i of blue 20 i, green 100 and red 200."""
    path = str(tmp_path / 'clip.avi')
    codec = cv2.VideoWriter.fourcc(*'MJPG')
    writer = cv2.VideoWriter(path, codec, 10.0, (96, 64))
    for i in range(4):
        writer.write(np.full((64, 96, 3), (20 * i, 100, 200), np.uint8))
    writer.release()
    return path


def by_hand(skeleton, shift=0.0):
    return sio.Instance.from_numpy(POINTS + shift, skeleton=skeleton)


def predicted_by(skeleton):
    return sio.PredictedInstance.from_numpy(
        POINTS,
        point_scores=np.array([0.9, 0, 0.5]),
        score=0.7,
        skeleton=skeleton,
    )


def frames_of(video, *frames):
    return sio.Labels(
        [sio.LabeledFrame(video, number, items) for number, items in frames]
    )


def test_round_trip_of_images(predicted, tmp_path):
    write_sleap(tmp_path / 'out/found.slp', predicted)
    found = read_poses(tmp_path / 'out/found.slp')
    assert_same(found, predicted, box=False)
    assert found.skeleton == predicted.skeleton
    assert found.category == 'mouse'
    # SLEAP's frames are of one video of both images, and predictions
    labels = sio.load_file(str(tmp_path / 'out/found.slp'))
    assert [len(frame.instances) for frame in labels] == [2, 1]
    assert [frame.frame_idx for frame in labels] == [0, 1]
    assert labels.video.shape[:3] == (2, 40, 60)
    assert not labels.user_labeled_frames
    instance = labels[1].instances[0]
    assert instance.score == pytest.approx(predicted.poses[2].score)


def test_images_of_other_sizes_and_labels(predicted, tmp_path):
    small = tmp_path / 'small.png'
    cv2.imwrite(str(small), np.zeros((20, 30, 3), np.uint8))
    poses = [
        replace(predicted.poses[0], scores=None),
        replace(
            predicted.poses[2],
            scores=None,
            image=str(small),
            image_size=None,
        ),
    ]
    write_sleap(tmp_path / 'a.slp', replace(predicted, poses=poses))
    labels = sio.load_file(str(tmp_path / 'a.slp'))
    assert [video.shape[1:3] for video in labels.videos] == [
        (40, 60),
        (20, 30),
    ]
    assert len(labels.user_labeled_frames) == 2
    found = read_poses(tmp_path / 'a.slp')
    assert [pose.image for pose in found.poses] == [p.image for p in poses]
    assert found.poses[1].scores is None


def test_round_trip_of_a_video(predicted, clip, tmp_path):
    poses = [
        replace(pose, image=clip, frame=number, image_size=(96, 64))
        for number, pose in zip((1, 1, 3), predicted.poses)
    ]
    write_sleap(tmp_path / 'a.slp', replace(predicted, poses=poses))
    found = read_poses(tmp_path / 'a.slp')
    assert [pose.frame for pose in found.poses] == [1, 1, 3]
    assert_same(found, replace(predicted, poses=poses), box=False)


def test_frames_of_a_video_become_supports(skeleton, clip, tmp_path):
    video = sio.Video.from_filename(clip)
    labels = frames_of(video, (3, [by_hand(skeleton)]))
    labels.save(str(tmp_path / 'a.slp'), verbose=False)
    found = read_poses(tmp_path / 'a.slp')
    (pose,) = found.poses
    assert (pose.image, pose.frame) == (clip, 3)
    assert found.names == ['nose', 'ear', 'tail']
    assert found.skeleton == [(0, 1), (0, 2)]
    (image,) = annotate_from(found).images()
    assert image.shape == (64, 96, 3)
    np.testing.assert_allclose(image[30, 50], (60, 100, 200), atol=6)


def test_a_project_that_moved_is_found_by_its_names(skeleton, clip, tmp_path):
    video = sio.Video.from_filename(clip)
    labels = frames_of(video, (3, [by_hand(skeleton)]))
    labels.save(str(tmp_path / 'a.slp'), verbose=False)
    for name in ('a.slp', 'clip.avi'):
        moved = tmp_path / 'moved' / name
        moved.parent.mkdir(exist_ok=True)
        shutil.move(tmp_path / name, moved)
    (pose,) = read_poses(tmp_path / 'moved/a.slp').poses
    assert pose.image == str(tmp_path / 'moved/clip.avi')
    np.testing.assert_allclose(pose.read()[30, 50], (60, 100, 200), atol=6)
    (tmp_path / 'moved/clip.avi').unlink()
    with pytest.raises(InputError, match='clip.avi, which is not found'):
        read_poses(tmp_path / 'moved/a.slp')


def test_embedded_frames(skeleton, clip, tmp_path):
    video = sio.Video.from_filename(clip)
    labels = frames_of(video, (2, [by_hand(skeleton), by_hand(skeleton, 3)]))
    path = tmp_path / 'a.pkg.slp'
    labels.save(str(path), embed=True, verbose=False)
    (tmp_path / 'clip.avi').unlink()
    first, second = read_poses(path).poses
    assert first.place == second.place == (str(path), 2)
    assert second.keypoints[2].tolist() == [13.0, 23.25]
    np.testing.assert_allclose(second.read()[30, 50], (40, 100, 200), atol=6)


@pytest.mark.parametrize('embed', [True, False])
def test_a_video_that_begins_black_has_colours(skeleton, tmp_path, embed):
    """sleap-io takes it for grey, and SLEAP's file says so."""
    path = str(tmp_path / 'clip.avi')
    codec = cv2.VideoWriter.fourcc(*'MJPG')
    writer = cv2.VideoWriter(path, codec, 10.0, (96, 64))
    for colour in ((0, 0, 0), (20, 100, 200)):
        writer.write(np.full((64, 96, 3), colour, np.uint8))
    writer.release()
    video = sio.Video.from_filename(path)
    assert video.shape[3] == 1
    labels = frames_of(video, (1, [by_hand(skeleton)]))
    labels.save(str(tmp_path / 'a.slp'), embed=embed, verbose=False)
    (pose,) = read_poses(tmp_path / 'a.slp').poses
    picture = pose.read()
    assert picture.shape == (64, 96, 3)
    if not embed:  # SLEAP embeds what it takes for grey as grey
        np.testing.assert_allclose(picture[30, 50], (20, 100, 200), atol=6)


def test_labels_come_before_predictions(skeleton, clip, tmp_path):
    video = sio.Video.from_filename(clip)
    both = [by_hand(skeleton, 1), predicted_by(skeleton)]
    empty = sio.Instance.from_numpy(np.full((3, 2), np.nan), skeleton=skeleton)
    path = tmp_path / 'a.slp'
    frames_of(video, (0, both), (1, [empty])).save(str(path), verbose=False)
    (pose,) = read_poses(path).poses
    assert pose.scores is None
    assert pose.keypoints[0].tolist() == [2.5, 3.0]
    frames_of(video, (0, both[1:])).save(str(path), verbose=False)
    (pose,) = read_poses(path).poses
    np.testing.assert_allclose(pose.scores, [0.9, 0, 0.5])
    assert pose.visible.tolist() == [True, False, True]
    frames_of(video, (0, [empty])).save(str(path), verbose=False)
    with pytest.raises(InputError, match='a.slp has no labelled instance'):
        read_poses(path)


def test_skeleton_must_be_clear(skeleton, clip, tmp_path):
    video = sio.Video.from_filename(clip)
    other = sio.Skeleton(['wing'], name='fly')
    fly = sio.Instance.from_numpy(np.array([[7.0, 8.0]]), skeleton=other)
    labels = frames_of(video, (0, [by_hand(skeleton), fly]))
    labels.save(str(tmp_path / 'a.slp'), verbose=False)
    with pytest.raises(InputError, match='several .*one of: mouse, fly'):
        read_poses(tmp_path / 'a.slp')
    found = read_poses(tmp_path / 'a.slp', 'fly')
    assert found.category == 'fly'
    (pose,) = found.poses
    assert pose.keypoints.tolist() == [[7.0, 8.0]]


def test_nwb_labels_and_predictions(skeleton, clip, tmp_path):
    video = sio.Video.from_filename(clip)
    for name, instance in (
        ('labels', by_hand(skeleton)),
        ('predictions', predicted_by(skeleton)),
    ):
        path = tmp_path / f'{name}.nwb'
        frames = [(i, [instance]) for i in range(2)]
        sio.save_file(frames_of(video, *frames), str(path))
        found = read_poses(path)
        assert found.names == ['nose', 'ear', 'tail']
        assert [pose.place for pose in found.poses] == [(clip, 0), (clip, 1)]
        pose = found.poses[1]
        assert pose.visible.tolist() == [True, False, True]
        np.testing.assert_allclose(
            pose.keypoints[pose.visible], POINTS[[0, 2]]
        )
        np.testing.assert_allclose(pose.read()[0, 0], (20, 100, 200), atol=6)
    np.testing.assert_allclose(pose.scores, [0.9, 0, 0.5], rtol=1e-6)


def test_what_cannot_be_read_or_written_is_named(predicted, clip, tmp_path):
    (tmp_path / 'a.slp').write_text('no project')
    with pytest.raises(InputError, match='sleap-io cannot read .*a.slp'):
        read_poses(tmp_path / 'a.slp')
    camera = replace(predicted.poses[0], image='camera 0', frame=0)
    with pytest.raises(InputError, match='SLEAP opens files .*camera 0'):
        write_sleap(tmp_path / 'b.slp', replace(predicted, poses=[camera]))
    last = replace(predicted.poses[0], image=clip, frame=99)
    write_sleap(tmp_path / 'b.slp', replace(predicted, poses=[last]))
    (pose,) = read_poses(tmp_path / 'b.slp').poses
    with pytest.raises(InputError, match='b.slp: frame 99 of .*clip.avi'):
        pose.read()
