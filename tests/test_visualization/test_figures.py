from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mmcape.utils.input_error import InputError
from mmcape.visualization import FIGURES, EpisodeVisualizer, Naming

CATEGORY = dict(
    keypoint_names=['nose', 'ear', 'tail', 'paw', 'hip'], skeleton=[(0, 1)]
)


@pytest.fixture(scope='module')
def visualizer():
    return EpisodeVisualizer(panel=120)


def test_result_has_a_panel_for_each_stage(visualizer, fabricated):
    two = visualizer.draw_episode(fabricated(), 'result', CATEGORY)
    one = visualizer.draw_episode(
        fabricated(stages=['proposals']), 'result', CATEGORY
    )
    # support, proposals, prediction, annotation; 6 pixels between
    assert two.shape[1] == 4 * 120 + 3 * 6
    assert one.shape[1] == 3 * 120 + 2 * 6


def test_query_without_annotation(visualizer, fabricated):
    found = fabricated()
    hidden = replace(found.query, visible=np.zeros(5, bool))
    found = replace(found, query=hidden)
    for figure in FIGURES:
        picture = visualizer.draw_episode(found, figure, CATEGORY)
        assert picture.dtype == np.uint8
    result = visualizer.draw_episode(found, 'result', CATEGORY)
    assert result.shape[1] == 3 * 120 + 2 * 6


def test_only_wrong_keypoints_have_rings(visualizer, fabricated):
    """10 px of a crop at half the scale are 20 of a box of 100."""
    found = fabricated()
    assert found.errors('layer 1') == pytest.approx(2**0.5 * 0.2)

    def red(found):
        picture = visualizer.draw_episode(found, 'result', {})
        return (picture == (235, 30, 30)).all(axis=2).sum()

    assert red(found) > 50
    near = {name: points - 6 for name, points in found.stages.items()}
    assert red(replace(found, stages=near)) == 0


def test_walk_of_one_stage_says_that_there_is_none(visualizer, fabricated):
    found = fabricated(stages=['proposals'])
    walk = visualizer.draw_episode(found, 'walk', CATEGORY)
    result = visualizer.draw_episode(found, 'result', CATEGORY)
    assert np.array_equal(walk[-len(result) :], result)
    assert (walk[: len(walk) - len(result)] < 100).any()  # letters


def test_attention_of_chosen_keypoints(visualizer, fabricated):
    def rows(keypoints):
        picture = visualizer.draw_episode(
            fabricated(), 'attention', CATEGORY, keypoints
        )
        assert picture.shape[1] == 3 * 72 + 2 * 6  # support, 1 + 1 layers
        return picture.shape[0]

    height = rows(['nose', '3', 2]) - rows(['tail', 0])
    assert height > 72
    assert rows(['ear']) == rows([1])


def test_unknown_keypoint_is_named():
    naming = Naming.of(CATEGORY, 5)
    assert naming.indices(['tail', '4', 0]) == [2, 4, 0]
    for wrong in ('wing', 5, '-1'):
        with pytest.raises(InputError, match=f'no keypoint .{wrong}.*nose'):
            naming.indices([wrong])


def test_category_without_names():
    naming = Naming.of({}, 3)
    assert naming.indices([2]) == [2]
    assert naming.title(2) == '2 '


def test_nothing_to_look_at(visualizer, fabricated):
    found = replace(fabricated(), valid=np.zeros(5, bool))
    for figure in FIGURES:
        picture = visualizer.draw_episode(found, figure, CATEGORY)
        assert picture.shape[1] == 4 * 120 + 3 * 6


@pytest.mark.parametrize('figure', FIGURES)
def test_hundred_keypoints(visualizer, fabricated, figure):
    names = [f'a_very_long_name_of_a_keypoint_{i}' for i in range(100)]
    picture = visualizer.draw_episode(
        fabricated(100), figure, dict(keypoint_names=names)
    )
    assert picture.shape[1] < 2000


def test_pictures_go_to_backends_or_files(fabricated, tmp_path):
    visualizer = EpisodeVisualizer(
        panel=60,
        vis_backends=[dict(type='LocalVisBackend')],
        save_dir=str(tmp_path / 'backend'),
    )
    figures = ['result', 'walk']
    visualizer.add_episode('cat', fabricated(), figures, CATEGORY, step=7)
    written = sorted((tmp_path / 'backend').rglob('*.png'))
    assert [p.name for p in written] == ['cat_result_7.png', 'cat_walk_7.png']
    visualizer.add_episode(
        'cat', fabricated(), figures, CATEGORY, out_dir=str(tmp_path / 'out')
    )
    written = sorted(p.name for p in (tmp_path / 'out').iterdir())
    assert written == ['cat_result.jpg', 'cat_walk.jpg']


def test_whole_picture_with_annotation_and_prediction(tmp_path):
    import cv2
    from mmengine.structures import InstanceData
    from mmpose.structures import PoseDataSample

    visualizer = EpisodeVisualizer()
    visualizer.dataset_meta = dict(categories={1: CATEGORY})
    sample = PoseDataSample(metainfo=dict(category_id=1))
    places = np.full((1, 5, 2), 20.0)
    sample.gt_instances = InstanceData(
        keypoints=places, keypoints_visible=np.ones((1, 5))
    )
    sample.pred_instances = InstanceData(
        keypoints=places, keypoint_scores=np.ones((1, 5))
    )
    image = np.zeros((64, 64, 3), np.uint8)
    path = tmp_path / 'a.jpg'
    visualizer.add_datasample('a', image, sample, out_file=str(path))
    height, width, _ = cv2.imread(str(path)).shape
    assert width == 2 * 640
    assert height > 640  # names below
