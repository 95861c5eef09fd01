"""SLEAP projects and NWB files, through the optional package sleap-io.

Of what else sleap-io opens, DeepLabCut's .h5 files are not, Label Studio's
exports only where SLEAP wrote them, and YOLO data sets without their boxes,
classes and names; these have readers of their own here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mmcape.utils.input_error import InputError

from .categories import choose_category
from .files import find_image, image_size
from .poses import LabelledPoses, Pose

SUFFIXES = ('.slp', '.nwb')


def import_sleap_io(path: str | Path) -> Any:
    """The package, for a file.

    Raises:
        InputError: If it is not installed.
    """
    try:
        import sleap_io
    except ImportError as error:
        raise InputError(
            f'{path} needs sleap-io: pip install "mmcape[formats]"'
        ) from error
    return sleap_io


def read_with_sleap_io(
    path: str | Path,
    category: str | int | None = None,
    img_root: str | Path | None = None,
) -> LabelledPoses:
    """Read labels of images, of frames of videos and of embedded frames.

    Only instances that a person labelled count; where a file has none, its
    predictions, with their scores. Pictures of frames are read when a
    support is made of them.

    Args:
        path: A SLEAP project .slp, with its frames or without, or an .nwb
            file with labels or predictions.
        category: Name of the skeleton; needed where instances are of several.
        img_root: Folder of the images or videos, see
            :func:`~mmcape.formats.files.find_image`.

    Raises:
        InputError: If sleap-io is not installed or cannot read the file, if
            images are missing, or the skeleton is not clear.
    """
    path = Path(path)
    package = import_sleap_io(path)
    options = dict(open_videos=False) if path.suffix.lower() == '.slp' else {}
    try:
        labels = package.load_file(str(path), **options)
    except Exception as error:
        raise InputError(f'sleap-io cannot read {path}: {error}') from error
    found = [
        (frame, instance)
        for frame in labels.labeled_frames
        for instance in frame.instances
        if instance.n_visible
    ]
    by_hand = [one for one in found if not _is_prediction(one[1])]
    found = by_hand or found
    if not found:
        raise InputError(f'{path} has no labelled instance')

    skeletons = {id(one.skeleton): one.skeleton for _, one in found}
    chosen = next(iter(skeletons))
    if len(skeletons) > 1:
        names = {key: str(one.name) for key, one in skeletons.items()}
        chosen = choose_category(names, category, path)
    skeleton = skeletons[chosen]
    return LabelledPoses(
        names=list(skeleton.node_names),
        poses=[
            _pose(frame, instance, path, img_root)
            for frame, instance in found
            if instance.skeleton is skeleton
        ],
        skeleton=[tuple(edge) for edge in skeleton.edge_inds],
        category=skeleton.name or 'object',
    )


def _is_prediction(instance: Any) -> bool:
    return 'score' in instance.points.dtype.names


def _pose(
    frame: Any, instance: Any, path: Path, img_root: str | Path | None
) -> Pose:
    keypoints = np.asarray(instance.numpy(), np.float64)
    scores = None
    if _is_prediction(instance):
        scores = np.nan_to_num(np.asarray(instance.points['score'], float))
    image, number, read = _picture(frame, path, img_root)
    return Pose(
        image=image,
        keypoints=keypoints,
        visible=np.isfinite(keypoints).all(axis=1),
        scores=scores,
        frame=number,
        read=read,
    )


def _picture(
    frame: Any, path: Path, img_root: str | Path | None
) -> tuple[str, int | None, Callable[[], np.ndarray] | None]:
    """Image, or video and frame and what reads it."""
    video = frame.video
    if isinstance(video.filename, list):
        name = str(video.filename[frame.frame_idx])
        return find_image(name, path, img_root), None, None
    where = str(video.filename)
    if Path(where).suffix.lower() not in SUFFIXES:  # not embedded
        where = find_image(where, path, img_root)
        video.replace_filename(where, open=False)

    def read() -> np.ndarray:
        try:
            # its guess, from the first frame, may be grey
            video.grayscale = False
            video.open(grayscale=False)
            picture = frame.image
        except Exception as error:
            raise InputError(
                f'{path}: frame {frame.frame_idx} of {where} cannot be read: '
                f'{error}'
            ) from error
        shape = (*picture.shape[:2], 3)
        # RGB, or grey of one channel
        return np.ascontiguousarray(
            np.broadcast_to(picture[..., ::-1], shape), np.uint8
        )

    return where, int(frame.frame_idx), read


def write_sleap(path: str | Path, labelled: LabelledPoses) -> None:
    """Write a project that SLEAP opens, of predictions or labels.

    It names the images or the video and does not contain them. Images of one
    size are one video of SLEAP. Poses with scores become predictions, which
    SLEAP turns into labels where they are corrected.

    Args:
        path: A .slp file.
        labelled: The poses.

    Raises:
        InputError: If sleap-io is not installed, or there is no file of an
            image or video.
    """
    path = Path(path)
    package = import_sleap_io(path)
    skeleton = package.Skeleton(
        nodes=list(labelled.names),
        edges=[tuple(edge) for edge in labelled.skeleton],
        name=labelled.category,
    )
    groups = list(labelled.by_image())
    frames = [
        package.LabeledFrame(
            video=video,
            frame_idx=number,
            instances=[_instance(pose, skeleton, package) for pose in poses],
        )
        for poses, (video, number) in zip(groups, _videos(groups, package))
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    labels = package.Labels(frames, skeletons=[skeleton])
    package.save_slp(labels, str(path), embed=False, verbose=False)


def _videos(
    groups: list[list[Pose]], package: Any
) -> Iterator[tuple[Any, int]]:
    """Video of SLEAP and the number in it, for each image."""
    names: dict[Any, list[str]] = {}
    places = []
    for pose, *_ in groups:
        file = Path(pose.image).absolute()
        if not file.is_file():
            raise InputError(
                f'SLEAP opens files of images and videos; {pose.image} is none'
            )
        if pose.frame is not None:
            key: Any = file
            names[key] = [str(file)]
            places.append((key, pose.frame))
        else:
            key = image_size(pose)
            names.setdefault(key, []).append(str(file))
            places.append((key, len(names[key]) - 1))
    videos = {
        key: package.Video.from_filename(
            files if isinstance(key, tuple) else files[0]
        )
        for key, files in names.items()
    }
    return ((videos[key], number) for key, number in places)


def _instance(pose: Pose, skeleton: Any, package: Any) -> Any:
    points = np.where(pose.visible[:, None], pose.keypoints, np.nan)
    if pose.scores is None:
        return package.Instance.from_numpy(points, skeleton=skeleton)
    return package.PredictedInstance.from_numpy(
        points,
        point_scores=np.asarray(pose.scores, float),
        score=pose.score,
        skeleton=skeleton,
    )
