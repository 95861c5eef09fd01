"""Which measure of confidence tells right keypoints from wrong ones.

    python tools/analysis_tools/measure_confidence.py CONFIG CHECKPOINT
        [--data-root DIR] [--ann-file FILE] [--episodes 10] [--out FILE.json]

Runs a CapeFormer on the evaluation pairs of the config's test set and scores
every candidate on all counted keypoints, a keypoint being right if its error
is below 0.2 of the query's box (PCK@0.2):

- AUROC: how often a right keypoint has more confidence than a wrong one.
- AURC: area under the risk-coverage curve, the mean share of wrong keypoints
  over all shares of keypoints that are kept, most confident first; beside it
  the best and the blind order's.
- ECE: expected calibration error in 15 equal bins, as it is and after a
  monotone map (isotonic regression) that was fitted on the other half of the
  categories.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS
from scipy.optimize import isotonic_regression
from torch import Tensor

import mmcape  # noqa: F401  (registers the modules)
from mmcape.apis.model_loading import build_model
from mmcape.apis.test_set import add_test_set_arguments, load_with_test_set
from mmcape.datasets.episodes import evaluation_episodes
from mmcape.models.heads import SupportEncoding
from mmcape.models.heads.capeformer_head import CapeFormerHead, CapeOutput
from mmcape.models.layers.confidence import CONFIDENCES, nearness
from mmcape.structures import Episode

THRESHOLD = 0.2
BINS = 15

Features = dict[str, Tensor]


class Measurement:
    """Confidences and errors of a model's predictions, pair by pair.

    Args:
        model: An estimator with CapeFormer's head.
        dataset: The instances.
        batch_size: Pairs, or images, at once.
    """

    def __init__(self, model: Any, dataset: Any, batch_size: int) -> None:
        self.model, self.dataset = model, dataset
        self.head: CapeFormerHead = model.head
        self.batch_size = batch_size

    @torch.no_grad()
    def run(
        self, categories: dict[int, list[int]], num_episodes: int
    ) -> dict[str, np.ndarray]:
        """One value a counted keypoint of every candidate.

        Args:
            categories: Positions of the instances of each category.
            num_episodes: Support draws of each category, of 15 queries.

        Returns:
            Candidates by name, ``right`` (bool) and ``category``.
        """
        rows: dict[str, list[Tensor]] = defaultdict(list)
        for number, (category, instances) in enumerate(categories.items()):
            features = self._encode(instances)
            place = {position: i for i, position in enumerate(instances)}
            episodes = evaluation_episodes(
                {category: instances}, 1, 15, num_episodes
            )
            for start in range(0, len(episodes), self.batch_size):
                pairs = episodes[start : start + self.batch_size]
                support = [place[pair.support[0]] for pair in pairs]
                query = [place[pair.query] for pair in pairs]
                for name, value in self._match(features, support, query):
                    rows[name].append(value)
                missing = len(rows['right'][-1])
                rows['category'].append(torch.full((missing,), number))
        return {k: torch.cat(v).cpu().numpy() for k, v in rows.items()}

    def _encode(self, instances: Sequence[int]) -> Features:
        """Features and annotations of a category's instances (N, ...)."""
        parts: dict[str, list[Tensor]] = defaultdict(list)
        for start in range(0, len(instances), self.batch_size):
            batch = [
                self.dataset[Episode(position, 0, (), position)]
                for position in instances[start : start + self.batch_size]
            ]
            data = self.model.data_preprocessor(pseudo_collate(batch))
            inputs = data['inputs']
            images = inputs['query_img']
            parts['query'].append(self.model.extract_feat(images)[-1])
            parts['support'].append(
                self.model.extract_support_feat(images)[-1]
            )
            parts['keypoints'].append(inputs['query_keypoints'])
            parts['visible'].append(inputs['query_visible'])
            for sample in data['data_samples']:
                x1, y1, x2, y2 = sample.gt_instances.bboxes[0]
                side = max(x2 - x1, y2 - y1)
                pixel = sample.metainfo['input_scale'][0] / images.size(-1)
                parts['unit'].append(torch.tensor([side / pixel]).to(images))
        return {name: torch.cat(values) for name, values in parts.items()}

    def _match(
        self, features: Features, support: list[int], query: list[int]
    ) -> Iterator[tuple[str, Tensor]]:
        keypoints = features['keypoints'][support]
        encoded = self.head.encode_support(
            features['support'][support].unsqueeze(1),
            keypoints.unsqueeze(1),
            features['visible'][support].unsqueeze(1),
        )
        output = self.head(features['query'][query], encoded)

        counted = features['visible'][support] & features['visible'][query]
        found = self.head.codec.decode(output.points)
        error = (found - features['keypoints'][query]).norm(dim=-1)
        limit = THRESHOLD * features['unit'][query]
        yield 'right', (error < limit[:, None])[counted]
        for name, measure in CONFIDENCES.items():
            yield name, measure(output)[counted]
        cycle = self._cycle(features, support, query, output, encoded)
        yield 'cycle', cycle[counted]
        yield 'peak_mass x cycle', (output.peak_mass * cycle)[counted]

    def _cycle(
        self,
        features: Features,
        support: list[int],
        query: list[int],
        output: CapeOutput,
        encoded: SupportEncoding,
    ) -> Tensor:
        """Nearness of what the prediction, as a support, finds in the support.

        It costs a second pass of the head.
        """
        codec = self.head.codec
        pooled = self.head.pool_shots(
            features['support'][query], codec.decode(output.points)
        )
        backwards = self.head.encode_shots(
            pooled.unsqueeze(1), encoded.valid.unsqueeze(1)
        )
        back = self.head(features['query'][support], backwards)
        target = codec.normalize(features['keypoints'][support])
        return nearness(back.points - target)


def auroc(confidence: np.ndarray, right: np.ndarray) -> float:
    """Chance that a right keypoint has more confidence; ties count half."""
    _, place, counts = np.unique(
        confidence, return_inverse=True, return_counts=True
    )
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    positives = right.sum()
    negatives = len(right) - positives
    return float(
        (ranks[right].sum() - positives * (positives + 1) / 2)
        / (positives * negatives)
    )


def aurc(confidence: np.ndarray, right: np.ndarray) -> float:
    """Mean risk over all coverages, the most confident kept first."""
    order = np.argsort(-confidence, kind='stable')
    wrong = np.cumsum(~right[order])
    return float(np.mean(wrong / np.arange(1, len(right) + 1)))


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Mean distance of confidence and share of right, over equal bins."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    total = 0.0
    for index in np.unique(bins):
        inside = bins == index
        gap = confidence[inside].mean() - right[inside].mean()
        total += inside.sum() * abs(gap)
    return float(total / len(right))


def fit_map(
    confidence: np.ndarray, right: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """Monotone map of a confidence to the share of right keypoints."""
    order = np.argsort(confidence)
    level = isotonic_regression(right[order].astype(float)).x
    return lambda value: np.interp(value, confidence[order], level)


def crossed_calibration_error(
    confidence: np.ndarray, right: np.ndarray, category: np.ndarray
) -> float:
    """Calibration error where each half's map is the other half's."""
    mapped = np.empty_like(confidence, dtype=float)
    even = category % 2 == 0
    for half in (even, ~even):
        mapped[half] = fit_map(confidence[~half], right[~half])(
            confidence[half]
        )
    return calibration_error(mapped, right)


def score(found: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Figures of every candidate, the best AURC first."""
    right, category = found['right'], found['category']
    rows = []
    for name, confidence in found.items():
        if name in ('right', 'category'):
            continue
        confidence = confidence.astype(float)
        rows.append(
            dict(
                name=name,
                auroc=auroc(confidence, right),
                aurc=aurc(confidence, right),
                ece=calibration_error(confidence, right),
                ece_mapped=crossed_calibration_error(
                    confidence, right, category
                ),
            )
        )
    return sorted(rows, key=lambda row: row['aurc'])


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown table of the figures."""
    lines = [
        '| confidence | AUROC | AURC | ECE | ECE, mapped |',
        '|---|---|---|---|---|',
    ]
    lines += [
        f'| {r["name"]} | {r["auroc"]:.3f} | {r["aurc"]:.3f} | '
        f'{r["ece"]:.3f} | {r["ece_mapped"]:.3f} |'
        for r in rows
    ]
    return '\n'.join(lines)


def parse_args() -> argparse.Namespace:
    """Options of the tool."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add_test_set_arguments(parser)
    parser.add_argument(
        '--episodes', type=int, default=10, help='episodes of each category'
    )
    parser.add_argument(
        '--batch-size', type=int, default=60, help='pairs matched at once'
    )
    parser.add_argument('--device', default='cpu', help='where the model runs')
    parser.add_argument('--out', type=Path, help='JSON file of all figures')
    return parser.parse_args()


def main() -> None:
    """Measure and print the table."""
    args = parse_args()
    start = time.monotonic()
    init_default_scope('mmpose')
    cfg = load_with_test_set(args)
    model = build_model(cfg, args.checkpoint, args.device)
    if not isinstance(model.head, CapeFormerHead):
        raise SystemExit(f'{args.config} has no CapeFormerHead')
    dataset = DATASETS.build(cfg.test_dataloader.dataset)

    measurement = Measurement(model, dataset, args.batch_size)
    found = measurement.run(dataset.category_instances(), args.episodes)
    rows, right = score(found), found['right']
    print(table(rows))
    best = aurc(right.astype(float), right)
    print(
        f'{len(right)} keypoints, {right.mean():.1%} right; AURC of a '
        f'perfect order {best:.3f}, of a blind one {1 - right.mean():.3f}; '
        f'{time.monotonic() - start:.0f} s'
    )
    if args.out is not None:
        args.out.write_text(json.dumps(rows, indent=2))


if __name__ == '__main__':
    main()
