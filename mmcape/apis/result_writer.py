"""Pictures and JSON of predictions in a folder, laid out as in MMPose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmpose.structures import PoseDataSample, split_instances

from mmcape.formats.files import write_json

from .queries import Query


class ResultWriter:
    """Writes ``visualizations`` and ``predictions`` below a folder.

    An image has a .jpg and a .json file of its name, a video an .mp4 file
    and one .json file with all frames.

    Args:
        out_dir: The folder.
        rate: Frames a second of the videos.
    """

    def __init__(self, out_dir: str | Path, rate: float) -> None:
        self.pictures = Path(out_dir) / 'visualizations'
        self.predictions = Path(out_dir) / 'predictions'
        self.pictures.mkdir(parents=True, exist_ok=True)
        self.rate = rate
        self._video: cv2.VideoWriter | None = None
        self._frames: list[dict[str, Any]] = []
        self._stem = ''
        self._taken: set[str] = set()

    def write(
        self, query: Query, sample: PoseDataSample, picture: np.ndarray
    ) -> None:
        """Write one result; the picture is (H, W, 3) uint8 RGB."""
        instances = split_instances(sample.pred_instances)
        picture = np.ascontiguousarray(picture[..., ::-1])
        if query.frame is None:
            stem = self._free_stem(Path(query.name).stem)
            cv2.imwrite(str(self.pictures / f'{stem}.jpg'), picture)
            write_json(self.predictions / f'{stem}.json', instances)
            return
        if self._video is None:
            self._stem = self._free_stem(Path(query.name).stem)
            self._video = cv2.VideoWriter(
                str(self.pictures / f'{self._stem}.mp4'),
                cv2.VideoWriter.fourcc(*'mp4v'),
                self.rate,
                (picture.shape[1], picture.shape[0]),
            )
        self._video.write(picture)
        self._frames.append(dict(frame_id=query.frame, instances=instances))

    def close(self) -> None:
        """Finish the video, if there is one."""
        if self._video is not None:
            self._video.release()
            write_json(self.predictions / f'{self._stem}.json', self._frames)
            self._video = None

    def _free_stem(self, stem: str) -> str:
        """The name, or one with a number where another image has it."""
        free, number = stem, 2
        while free in self._taken:
            free, number = f'{stem}_{number}', number + 1
        self._taken.add(free)
        return free
