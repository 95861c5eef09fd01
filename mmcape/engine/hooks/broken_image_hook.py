"""What was skipped because of broken images."""

from __future__ import annotations

from typing import Any

from mmengine.dist import all_gather_object
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

_KEY = 'broken_images'


@HOOKS.register_module()
class BrokenImageHook(Hook):
    """Counts the episodes that were replaced because of broken images.

    Samples bring the names of the files with them, so that counts are those
    of the episodes that the run has seen, whoever loaded them. A file is
    logged when it is first met (those of other ranks at the end of the epoch),
    all of them at the end of the training. Counts are part of a checkpoint.

    Without effect unless a dataset has ``on_broken_image='skip'``.
    """

    def before_train(self, runner: Runner) -> None:
        """Start counting an epoch."""
        del runner
        self._of_epoch: dict[str, list[Any]] = {}

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict | None = None,
    ) -> None:
        """Count the replaced episodes of a batch."""
        del batch_idx, outputs
        known = runner.message_hub.get_info(_KEY, {})
        for sample in data_batch['data_samples']:
            for path, reason in sample.metainfo.get(_KEY, ()):
                if path not in known and path not in self._of_epoch:
                    runner.logger.warning(
                        f'image {path} is skipped: {reason}. Other episodes '
                        'take the place of its own'
                    )
                self._of_epoch.setdefault(path, [reason, 0])[1] += 1

    def after_train_epoch(self, runner: Runner) -> None:
        """Add up the counts of all ranks."""
        total = {
            path: list(entry)
            for path, entry in runner.message_hub.get_info(_KEY, {}).items()
        }
        for counts in all_gather_object(self._of_epoch):
            for path, (reason, count) in counts.items():
                if path not in total and path not in self._of_epoch:
                    runner.logger.warning(
                        f'image {path} is skipped on another rank: {reason}'
                    )
                total.setdefault(path, [reason, 0])[1] += count
        self._of_epoch = {}
        if total:
            runner.message_hub.update_info(_KEY, total)

    def after_train(self, runner: Runner) -> None:
        """Report all files."""
        total = runner.message_hub.get_info(_KEY, {})
        if not total:
            return
        listed = ''.join(
            f'\n  {path}: {reason} (episodes: {count})'
            for path, (reason, count) in sorted(total.items())
        )
        runner.logger.warning(
            f'{len(total)} images could not be read, and other episodes took '
            f'the place of those that need them:{listed}'
        )
