"""PCK over episodes: the benchmark's metric."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from mmcape.structures import episodes_digest
from mmcape.utils.atomic_files import SaveError, write_atomically

from .functional import (
    auc,
    box_size,
    counted_keypoints,
    half_interval,
    keypoint_distances,
    nme,
    pck,
)


@METRICS.register_module()
class EpisodePCK(BaseMetric):
    """PCK, mPCK, AUC, EPE and NME as means over (support, query) pairs.

    A keypoint counts if it is annotated as visible in the query and in every
    support image. A pair with none scores 0 everywhere, as published.

    Reported are ``PCK@t`` for every threshold; ``mPCK``, their mean;
    ``mPCK4``, the mean of the first four, which some papers call mPCK;
    ``AUC``, ``EPE`` (pixels) and ``NME``; and ``PCK@0.2_ci95``, half the width
    of a 95% interval of PCK@0.2 over episodes (queries that share a support
    are one observation). A pair that reached the metric twice counts once.

    Args:
        thresholds: In units of the longer side of the clipped query box.
        result_file: JSON file for all this, a table per category, PCK@0.2 of
            every episode, the hashes of the instance and episode lists, and
            the keypoints' names and skeletons. None writes none.
        collect_device: As in mmengine.
        prefix: Before the names of the metrics.
        collect_dir: As in mmengine.
        on_failed_save: 'stop' raises if the file cannot be written, as on a
            full disk, 'continue' logs it.
    """

    def __init__(
        self,
        thresholds: Sequence[float] = (0.05, 0.1, 0.15, 0.2, 0.25),
        result_file: str | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
        on_failed_save: str = 'stop',
    ) -> None:
        super().__init__(
            collect_device=collect_device,
            prefix=prefix,
            collect_dir=collect_dir,
        )
        self.thresholds = tuple(thresholds)
        self.result_file = result_file
        self.on_failed_save = on_failed_save

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Score a batch of predictions."""
        del data_batch
        self.results.extend(map(self._score, data_samples))

    def _score(self, sample: dict[str, Any]) -> dict[str, Any]:
        counted, side = counted_keypoints(sample), box_size(sample)
        distances = keypoint_distances(
            sample['pred_instances']['keypoints'][0],
            sample['gt_instances']['keypoints'][0],
            counted,
            side,
        )
        scores = {f'PCK@{t:g}': pck(distances, t) for t in self.thresholds}
        scores['mPCK'] = float(np.mean(list(scores.values())))
        scores['mPCK4'] = float(
            np.mean([pck(distances, t) for t in self.thresholds[:4]])
        )
        scores['AUC'] = auc(distances)
        scores['EPE'] = nme(distances) * side
        scores['NME'] = nme(distances)
        return dict(
            index=sample['episode_index'],
            category_id=sample['category_id'],
            draw=sample['draw'],
            support_ids=tuple(sample['support_ids']),
            query_id=sample['id'],
            num_counted=int(counted.sum()),
            scores=scores,
        )

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict:
        """Means over all pairs, whatever their order."""
        unique = {result['index']: result for result in results}
        pairs = [unique[index] for index in sorted(unique)]
        metrics = _means(pairs)
        width = _half_interval(pairs, 'PCK@0.2')
        if width is not None:
            metrics['PCK@0.2_ci95'] = width
        self._report(pairs, metrics)
        return metrics

    def _report(
        self, pairs: list[dict[str, Any]], metrics: dict[str, float]
    ) -> None:
        meta = self.dataset_meta or {}
        known = meta.get('categories', {})
        groups = defaultdict(list)
        for pair in pairs:
            groups[pair['category_id']].append(pair)
        names = {
            key: known.get(key, {}).get('name', str(key)) for key in groups
        }
        shared = Counter(names.values())
        per_category = {
            name if shared[name] == 1 else f'{name} (id {key})': dict(
                _means(groups[key]), pairs=len(groups[key])
            )
            for key, name in names.items()
        }
        report = dict(
            metrics=metrics,
            pairs=len(pairs),
            pairs_without_counted_keypoints=sum(
                pair['num_counted'] == 0 for pair in pairs
            ),
            instances_sha256=meta.get('instances_sha256'),
            episodes_sha256=episodes_digest(
                (p['category_id'], p['support_ids'], p['query_id'])
                for p in pairs
            ),
            per_category=per_category,
            categories={key: known[key] for key in groups if key in known},
            per_episode=[
                dict(zip(('category_id', 'draw', 'PCK@0.2'), (*key, value)))
                for key, value in _episode_means(pairs, 'PCK@0.2').items()
            ],
        )
        MMLogger.get_current_instance().info(_table(report))
        if self.result_file is not None:
            self._write(self.result_file, json.dumps(report, indent=2))

    def _write(self, path: str, content: str) -> None:
        try:
            write_atomically(path, content.encode())
        except SaveError as error:
            if self.on_failed_save == 'stop':
                raise
            MMLogger.get_current_instance().error(str(error))


def _means(pairs: list[dict[str, Any]]) -> dict[str, float]:
    names = pairs[0]['scores'] if pairs else ()
    return {
        name: float(np.mean([pair['scores'][name] for pair in pairs]))
        for name in names
    }


def _half_interval(pairs: list[dict[str, Any]], name: str) -> float | None:
    """1.96 standard errors of the mean over episodes, if there are two."""
    means = list(_episode_means(pairs, name).values())
    return half_interval(means) if len(means) > 1 else None


def _episode_means(
    pairs: list[dict[str, Any]], name: str
) -> dict[tuple[int, int], float]:
    """Mean score of each (category, support draw)."""
    episodes = defaultdict(list)
    for pair in pairs:
        if name in pair['scores']:
            key = (pair['category_id'], pair['draw'])
            episodes[key].append(pair['scores'][name])
    return {key: float(np.mean(scores)) for key, scores in episodes.items()}


def _table(report: dict[str, Any]) -> str:
    names = [n for n in report['metrics'] if not n.endswith('ci95')]
    rows = [
        *report['per_category'].items(),
        ('all', dict(report['metrics'], pairs=report['pairs'])),
    ]
    width = max(len(name) for name, _ in rows)
    lines = [
        f'{"category":{width}} {"pairs":>6} '
        + ' '.join(f'{name:>8}' for name in names)
    ]
    lines += [
        f'{name:{width}} {scores["pairs"]:6d} '
        + ' '.join(f'{scores[n]:8.4f}' for n in names)
        for name, scores in rows
    ]
    lines.append(
        f'pairs without a counted keypoint: '
        f'{report["pairs_without_counted_keypoints"]}'
    )
    lines += [
        f'{kind} sha256: {report[f"{kind}_sha256"]}'
        for kind in ('instances', 'episodes')
    ]
    return '\n'.join(lines)
