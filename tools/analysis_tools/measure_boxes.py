"""How much is found, by the boxes that support and query are given.

    python tools/analysis_tools/measure_boxes.py CONFIG CHECKPOINT
        [--data-root DIR] [--ann-file FILE] [--episodes 2] [--queries 8]

PCK@0.2 over all keypoints of random pairs of the config's test set, through
the inferencer: supports with their annotated box, the default (the extent of
their keypoints) and the whole image; queries with their annotated box, and
whole images with one, two and three looks.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS
from mmpose.structures import PoseDataSample

import mmcape  # noqa: F401  (registers the modules)
from mmcape.apis import CapeInferencer
from mmcape.apis.boxes import whole_image
from mmcape.apis.test_set import add_test_set_arguments, load_with_test_set
from mmcape.evaluation.functional import keypoint_distances

THRESHOLD = 0.2

Record = Mapping[str, Any]


def support_boxes(record: Record) -> dict[str, np.ndarray | None]:
    """The ways to give a support its box, None for the default."""
    whole = whole_image(record['annotated_size'])
    return {
        'annotated box': record['bbox'][0],
        'extent of keypoints': None,
        'whole image': whole,
    }


def query_options(records: Sequence[Record]) -> dict[str, dict[str, Any]]:
    """The ways to search queries, as options of the inferencer."""
    boxes = [record['bbox'] for record in records]
    whole = {f'whole image, {n} looks': dict(looks=n) for n in (1, 2, 3)}
    return {'annotated box': dict(boxes=boxes), **whole}


def found_keypoints(
    sample: PoseDataSample, query: Record, support: Record
) -> np.ndarray:
    """Whether each counted keypoint is found, bool."""
    shown = (query['keypoints_visible'] * support['keypoints_visible'])[0] > 0
    x1, y1, x2, y2 = query['bbox'][0]
    distances = keypoint_distances(
        sample.pred_instances.keypoints[0],
        query['keypoints'][0],
        shown,
        max(x2 - x1, y2 - y1),
    )
    return distances < THRESHOLD


def measure(
    inferencer: CapeInferencer, dataset: Any, episodes: int, queries: int
) -> dict[tuple[str, str], float]:
    """PCK by query and support."""
    rng = random.Random(0)
    found: dict[tuple[str, str], list[np.ndarray]] = defaultdict(list)
    for positions in dataset.category_instances().values():
        for _ in range(episodes):
            support, *records = map(
                dataset.get_data_info, rng.sample(positions, queries + 1)
            )
            paths = [record['img_path'] for record in records]
            for of_support, box in support_boxes(support).items():
                inferencer.set_support(
                    support['img_path'],
                    support['keypoints'],
                    boxes=box,
                    visible=support['keypoints_visible'],
                )
                for of_query, options in query_options(records).items():
                    results = inferencer(paths, **options)
                    for record, result in zip(records, results):
                        (sample,) = result['predictions']
                        found[of_query, of_support].append(
                            found_keypoints(sample, record, support)
                        )
    return {k: float(np.concatenate(v).mean()) for k, v in found.items()}


def table(rates: Mapping[tuple[str, str], float]) -> str:
    """Markdown table in percent."""
    rows = list(dict.fromkeys(row for row, _ in rates))
    columns = list(dict.fromkeys(column for _, column in rates))
    heading = ' | '.join(f'support: {column}' for column in columns)
    lines = [f'| query | {heading} |', '|---' * (len(columns) + 1) + '|']
    for row in rows:
        cells = ' | '.join(f'{100 * rates[row, c]:.1f}' for c in columns)
        lines.append(f'| {row} | {cells} |')
    return '\n'.join(lines)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add_test_set_arguments(parser)
    parser.add_argument(
        '--episodes', type=int, default=2, help='episodes of each category'
    )
    parser.add_argument(
        '--queries', type=int, default=8, help='queries of each episode'
    )
    parser.add_argument('--device', help='by default a GPU if there is one')
    args = parser.parse_args()

    init_default_scope('mmpose')
    cfg = load_with_test_set(args)
    inferencer = CapeInferencer(cfg, args.checkpoint, args.device)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    print(table(measure(inferencer, dataset, args.episodes, args.queries)))


if __name__ == '__main__':
    main()
