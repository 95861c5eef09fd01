"""What one visitor of the page has: pictures, keypoints, results."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmcape.apis import AnnotatedSupport
from mmcape.formats import LabelledPoses
from mmcape.utils.input_error import InputError

from .annotation import Annotation
from .edits import edit_annotation, edit_finding, wanted_place
from .finder import Finder, Report
from .finding import Finding
from .history import History
from .uploads import Limits, Store, StoredPicture, is_video

GONE = (
    'there is no picture here: drop one first, and drop yours again if this '
    'page was left alone for long'
)


class Session:
    """Support and queries of one visitor.

    Methods may be called by several threads.

    Args:
        folder: For the visitor's files; is made, and deleted by
            :meth:`close`.
        limits: What is refused.
        max_keypoints: The most that the model finds, None for any number.
    """

    def __init__(
        self, folder: Path, limits: Limits, max_keypoints: int | None
    ) -> None:
        self.limits = limits
        self.max_keypoints = max_keypoints
        self.store = Store(folder, limits)
        self.annotation = History(Annotation())
        self.shot = 0
        """The support picture on the page."""
        self.queries: list[StoredPicture] = []
        self.frames: set[StoredPicture] = set()
        """Those of the queries that are frames of a video."""
        self.query = 0
        """The query picture on the page."""
        self.findings: dict[StoredPicture, History[Finding]] = {}
        self.found_for: AnnotatedSupport | None = None
        """The support of the findings."""
        self.category = 'object'
        self.threshold = 0.0
        """Keypoints of a lower score stay out of the files."""
        self._lock = threading.RLock()

    def close(self) -> None:
        """Delete the visitor's files."""
        self.store.clear()

    def add_shots(self, uploads: Sequence[str]) -> list[str]:
        """Add support pictures.

        Returns:
            Why some of them could not be used.

        Raises:
            InputError: If there are too many; then none is added.
        """
        with self._lock:
            now = self.annotation.now
            count = len(now.shots) + len(uploads)
            if count > self.limits.shots:
                raise InputError(
                    f'{count} support pictures are too many: at most '
                    f'{self.limits.shots} are taken, {len(now.shots)} are '
                    'there already'
                )
            kept, problems = [], []
            for upload in uploads:
                try:
                    kept.append(self.store.keep_picture(upload))
                except InputError as error:
                    problems.append(str(error))
            if kept:
                self.annotation.do(now.with_shots(kept))
                self.shot = len(now.shots)
            return problems

    def add_queries(self, uploads: Sequence[str]) -> list[str]:
        """Add query pictures, or a video.

        Returns:
            Why some of them could not be used.

        Raises:
            InputError: If there are too many; then none is added.
        """
        with self._lock:
            videos = [upload for upload in uploads if is_video(upload)]
            images = [upload for upload in uploads if not is_video(upload)]
            self._check_count(len(images), len(videos))
            start, problems = len(self.queries), []
            for upload in [*images, *videos]:
                try:
                    if is_video(upload):
                        frames = self.store.keep_video(upload)
                        self.frames.update(frames)
                        self.queries += frames
                    else:
                        self.queries.append(self.store.keep_picture(upload))
                except InputError as error:
                    problems.append(str(error))
            if len(self.queries) > start:
                self.query = start
            return problems

    def _check_count(self, images: int, videos: int) -> None:
        count = len(self.queries) - len(self.frames) + images
        if count > self.limits.queries:
            raise InputError(
                f'{count} query pictures are too many: at most '
                f'{self.limits.queries} are taken'
            )
        if videos + bool(self.frames) > 1:
            raise InputError('one video at a time: remove the other first')

    def edit_support(self, action: dict[str, Any]) -> None:
        """Do what the visitor did in the support's editor.

        Raises:
            InputError: If it cannot be done.
        """
        with self._lock:
            kind, history = action.get('kind'), self.annotation
            if kind == 'undo':
                history.undo()
            elif not history.now.shots:
                raise InputError(GONE)
            elif kind == 'go':
                self.shot = wanted_place(action)
            elif kind == 'discard':
                history.do(history.now.without_shot(self.shot))
            else:
                history.do(
                    edit_annotation(
                        history.now, self.shot, action, self.max_keypoints
                    )
                )
            self.shot = _within(self.shot, history.now.shots)

    def edit_query(self, action: dict[str, Any]) -> None:
        """Do what the visitor did in the results' editor.

        Raises:
            InputError: If it cannot be done.
        """
        with self._lock:
            if not self.queries:
                raise InputError(GONE)
            picture, kind = self.queries[self.query], action.get('kind')
            if kind == 'go':
                self.query = wanted_place(action)
            elif kind == 'discard':
                self._discard([picture])
            elif kind == 'clear':
                self._discard(self.queries)
            elif picture in self.findings:
                history = self.findings[picture]
                if kind == 'undo':
                    history.undo()
                else:
                    history.do(edit_finding(history.now, picture, action))
            self.query = _within(self.query, self.queries)

    def _discard(self, pictures: list[StoredPicture]) -> None:
        gone = set(pictures)
        self.store.drop(pictures)
        self.queries = [one for one in self.queries if one not in gone]
        self.frames -= gone
        for picture in gone:
            self.findings.pop(picture, None)

    def find(self, finder: Finder, report: Report) -> int:
        """Find the keypoints in all query pictures.

        A picture in which something was corrected stays as it is, unless the
        support has other keypoints now.

        Returns:
            The number of pictures.

        Raises:
            InputError: If the support or the queries are not complete.
        """
        with self._lock:
            support = self.annotation.now.support(self.category)
            images = [q for q in self.queries if q not in self.frames]
            frames = [q for q in self.queries if q in self.frames]
        if not images + frames:
            raise InputError('drop the pictures to search, or a video, first')
        found = finder.find(support, images, frames, report)
        with self._lock:
            corrected: dict[StoredPicture, History[Finding]] = {}
            if self.found_for and self.found_for.names == support.names:
                corrected = {
                    picture: history
                    for picture, history in self.findings.items()
                    if history.now.corrected
                }
            self.found_for = support
            self.findings = {
                picture: corrected.get(picture) or History(finding)
                for picture, finding in found.items()
                if picture in self.queries
            }
        return len(found)

    def labelled(self) -> tuple[LabelledPoses, list[StoredPicture]]:
        """The results as formats write them, and their pictures.

        Raises:
            InputError: If nothing was found yet.
        """
        with self._lock:
            if self.found_for is None or not self.findings:
                raise InputError('nothing was found yet: press "Find" first')
            pictures = [one for one in self.queries if one in self.findings]
            poses = [
                self.findings[one].now.pose(one, self.threshold)
                for one in pictures
            ]
            labelled = LabelledPoses(
                names=self.found_for.names,
                poses=poses,
                skeleton=self.found_for.skeleton,
                category=self.category,
            )
            return labelled, pictures


def _within(place: int, items: Sequence[Any]) -> int:
    """A place nearest to one among the items."""
    return max(0, min(place, len(items) - 1))
