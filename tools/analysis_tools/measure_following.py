"""How well boxes follow an object through frames.

    python tools/analysis_tools/measure_following.py CONFIG CHECKPOINT
        [--data-root DIR] [--ann-file FILE] [--episodes 2]

Pictures of the config's test set move by 7 pixels a frame over a blurred
background of 480 x 360 pixels. PCK@0.2 over all keypoints of the first and of
the later of ten frames: whole frames with one and three looks, following with
one, three and five looks at the first frame, following from the annotated
box, and the annotated box in every frame. One support image each.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS

import mmcape  # noqa: F401  (registers the modules)
from mmcape.apis import CapeInferencer
from mmcape.apis.test_set import add_test_set_arguments, load_with_test_set
from mmcape.evaluation.functional import keypoint_distances

THRESHOLD = 0.2
FRAMES, STEP, SIZE = 10, 7, (480, 360)

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Clip:
    """An instance that moves through frames."""

    frames: list[np.ndarray]
    """(H, W, 3) uint8 BGR each."""
    offsets: np.ndarray
    """(T, 2) where the picture's corner is in each frame."""


def make_clip(record: Record, rng: random.Random) -> Clip:
    """Move an instance's picture to the right, until the edge."""
    picture = cv2.imread(record['img_path'])
    picture = picture[: SIZE[1], : SIZE[0]]
    height, width = picture.shape[:2]
    ground = cv2.resize(cv2.GaussianBlur(picture, (0, 0), 8), SIZE)
    room = SIZE[0] - width, SIZE[1] - height
    start = rng.randint(0, max(room[0] - FRAMES * STEP, 0))
    y = rng.randint(0, room[1])
    frames, offsets = [], []
    for step in range(FRAMES):
        x = min(start + step * STEP, room[0])
        frame = ground.copy()
        frame[y : y + height, x : x + width] = picture
        frames.append(frame)
        offsets.append((x, y))
    return Clip(frames, np.array(offsets))


def searches(record: Record, clip: Clip) -> dict[str, dict[str, Any]]:
    """The ways to search a clip, as options of the inferencer."""
    boxes = [record['bbox'] + np.tile(o, 2) for o in clip.offsets]
    follow = dict(follow_box=True)
    return {
        'whole frames': {},
        'whole frames, 3 looks': dict(looks=3),
        'following': follow,
        'following, 3 looks at first': dict(follow, looks=3),
        'following, 5 looks at first': dict(follow, looks=5),
        'following from the annotated box': dict(follow, boxes=boxes[0][0]),
        'annotated boxes': dict(boxes=boxes),
    }


def measure(
    inferencer: CapeInferencer, dataset: Any, episodes: int
) -> dict[str, tuple[float, float]]:
    """PCK at the first and at the later frames, by search."""
    rng = random.Random(0)
    first: dict[str, list[np.ndarray]] = defaultdict(list)
    later: dict[str, list[np.ndarray]] = defaultdict(list)
    for positions in dataset.category_instances().values():
        for _ in range(episodes):
            support, query = map(
                dataset.get_data_info, rng.sample(positions, 2)
            )
            inferencer.set_support(
                support['img_path'],
                support['keypoints'],
                boxes=support['bbox'],
                visible=support['keypoints_visible'],
            )
            clip = make_clip(query, rng)
            shown = query['keypoints_visible'] * support['keypoints_visible']
            x1, y1, x2, y2 = query['bbox'][0]
            box_size = max(x2 - x1, y2 - y1)
            for name, options in searches(query, clip).items():
                results = inferencer(clip.frames, **options)
                for step, result in enumerate(results):
                    (sample,) = result['predictions']
                    distances = keypoint_distances(
                        sample.pred_instances.keypoints[0],
                        query['keypoints'][0] + clip.offsets[step],
                        shown[0] > 0,
                        box_size,
                    )
                    (later if step else first)[name].append(
                        distances < THRESHOLD
                    )
    return {name: (_rate(first[name]), _rate(later[name])) for name in first}


def _rate(found: list[np.ndarray]) -> float:
    return float(np.concatenate(found).mean())


def table(rates: Mapping[str, tuple[float, float]]) -> str:
    """Markdown table in percent."""
    lines = ['| search | first frame | later frames |', '|---|---|---|']
    lines += [
        f'| {name} | {100 * first:.1f} | {100 * later:.1f} |'
        for name, (first, later) in rates.items()
    ]
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
    parser.add_argument('--device', help='by default a GPU if there is one')
    args = parser.parse_args()

    init_default_scope('mmpose')
    cfg = load_with_test_set(args)
    inferencer = CapeInferencer(cfg, args.checkpoint, args.device)
    print(
        table(
            measure(
                inferencer,
                DATASETS.build(cfg.test_dataloader.dataset),
                args.episodes,
            )
        )
    )


if __name__ == '__main__':
    main()
