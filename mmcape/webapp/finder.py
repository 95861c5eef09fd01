"""The model, loaded once and shared by all visitors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from mmcape.apis import AnnotatedSupport, CapeInferencer
from mmcape.utils.input_error import InputError

from .finding import Finding
from .uploads import StoredPicture

Report = Callable[[int, int], None]
"""Is told how many of how many pictures are done."""


class Finder:
    """Finds keypoints for one visitor after the other.

    Args:
        inferencer: Holds the model; the support in it changes with each
            visitor.
        looks: How often a picture, or the first frame of a video, is
            searched, each time closer.
    """

    def __init__(self, inferencer: CapeInferencer, looks: int = 2) -> None:
        self.max_keypoints = inferencer.max_keypoints
        self._inferencer = inferencer
        self._looks = looks
        self._lock = threading.Lock()

    def find(
        self,
        support: AnnotatedSupport,
        images: Sequence[StoredPicture],
        frames: Sequence[StoredPicture],
        report: Report,
    ) -> dict[StoredPicture, Finding]:
        """Find the support's keypoints in images, and in a video's frames.

        Raises:
            InputError: If the support or a picture cannot be used.
        """
        found: dict[StoredPicture, Finding] = {}
        total = len(images) + len(frames)
        with self._lock:
            self._inferencer.use_support(support)
            for pictures, follow in ((images, False), (frames, True)):
                if not pictures:
                    continue
                paths = {picture.path: picture for picture in pictures}
                results = self._inferencer(
                    list(paths), looks=self._looks, follow_box=follow
                )
                for result in results:
                    (sample,) = result['predictions']
                    picture = paths[sample.metainfo['img_path']]
                    found[picture] = Finding.of(sample)
                    report(len(found), total)
                for label, problem in self._inferencer.failures.items():
                    name = paths[label].name
                    raise InputError(problem.replace(label, name))
        return found
