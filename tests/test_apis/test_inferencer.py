from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate

from mmcape.apis import CapeInferencer, InputError
from mmcape.apis.box_following import follow
from mmcape.structures import Episode

from .conftest import CONFIG, use


def found(results):
    samples = [result['predictions'][0] for result in results]
    return np.concatenate([s.pred_instances.keypoints for s in samples])


@pytest.mark.parametrize('shots', [1, 3])
def test_results_are_those_of_the_benchmark(
    inferencer, dataset, instances, shots
):
    use(inferencer, instances[:shots])
    queries = instances[shots:]
    ours = list(
        inferencer(
            [query['img_path'] for query in queries],
            boxes=[query['bbox'] for query in queries],
        )
    )
    (positions, *_) = dataset.category_instances().values()
    model = inferencer._matcher.model
    for result, position in zip(ours, positions[shots:]):
        episode = Episode(0, 0, tuple(positions[:shots]), position)
        data = pseudo_collate([dataset[episode]])
        with torch.no_grad():
            (theirs,) = model.test_step(data)
        sample = result['predictions'][0]
        np.testing.assert_allclose(
            sample.pred_instances.keypoints,
            theirs.pred_instances.keypoints,
            atol=1e-3,
        )
        np.testing.assert_allclose(
            sample.pred_instances.keypoint_scores,
            theirs.pred_instances.keypoint_scores,
            atol=1e-5,
        )


def test_batching_changes_nothing(ready, instances):
    paths = [one['img_path'] for one in instances]
    alone = found(ready(paths, batch_size=1))
    assert np.ptp(alone, axis=0).max() > 1  # queries do differ
    for size in (3, 100):
        np.testing.assert_allclose(
            found(ready(paths, batch_size=size)), alone, atol=1e-3
        )


def test_a_query_costs_one_pass_of_the_backbone(ready, instances):
    model = ready._matcher.model
    images = []
    handle = model.backbone.register_forward_hook(
        lambda module, inputs, output: images.append(len(inputs[0]))
    )
    list(ready([one['img_path'] for one in instances], batch_size=4))
    handle.remove()
    assert images == [4, 4]


def test_arrays_folders_and_globs_are_the_same_images(
    ready, instances, tmp_path
):
    arrays = [cv2.imread(one['img_path']) for one in instances[:3]]
    for i, image in enumerate(arrays):
        cv2.imwrite(str(tmp_path / f'{i}.png'), image)
    (tmp_path / 'notes.txt').write_text('no image')
    expected = found(ready(arrays))
    for inputs in (
        tmp_path,
        str(tmp_path / '*.png'),
        sorted(tmp_path.glob('*.png')),
    ):
        np.testing.assert_allclose(found(ready(inputs)), expected, atol=1e-3)
    alone = found(ready(arrays[1]))
    np.testing.assert_allclose(alone, expected[1:2], atol=1e-3)


def test_every_way_to_give_boxes(ready, puppets_dir, instances):
    path = instances[1]['img_path']
    box = instances[1]['bbox'][0]
    expected = found(ready(path, boxes=box))
    ann_file = puppets_dir / 'annotations/puppets_test.json'
    for boxes in (
        [box.tolist()],
        lambda image: np.append(box, 0.5)[None],
        str(ann_file),
    ):
        np.testing.assert_allclose(
            found(ready(path, boxes=boxes)), expected, atol=1e-3
        )
    whole = found(ready(path))
    assert np.abs(whole - expected).max() > 1


def test_a_second_look_is_around_what_the_first_found(ready, instances):
    path = instances[1]['img_path']
    (first,) = ready(path)
    (twice,) = ready(path, looks=2, kpt_thr=0.01)
    before = first['predictions'][0]
    height, width = before.ori_shape
    box = follow(
        before.pred_instances.keypoints[0],
        before.pred_instances.keypoint_scores[0],
        before.pred_instances.bboxes[0],
        (width, height),
        0.01,
    )
    expected = found(ready(path, boxes=box))
    np.testing.assert_allclose(
        twice['predictions'][0].pred_instances.keypoints, expected, atol=1e-3
    )
    assert np.abs(before.pred_instances.keypoints - expected).max() > 1


def test_several_instances_and_none(ready, instances):
    paths = [one['img_path'] for one in instances[:3]]
    boxes = [instances[0]['bbox'], np.zeros((0, 4)), None]
    boxes[0] = np.repeat(boxes[0], 2, axis=0)
    samples = [r['predictions'][0] for r in ready(paths, boxes=boxes)]
    counts = [len(sample.pred_instances) for sample in samples]
    assert counts == [2, 0, 1]
    first = samples[0].pred_instances
    np.testing.assert_allclose(
        first.keypoints[0], first.keypoints[1], atol=1e-3
    )
    height, width = samples[2].ori_shape
    assert samples[2].pred_instances.bboxes.tolist() == [
        [0, 0, width - 1, height - 1]
    ]
    assert len(ready.as_poses(samples).poses) == 3


def test_samples_carry_what_mmpose_expects(ready, instances):
    (result,) = ready(instances[1]['img_path'], return_vis=True)
    (sample,) = result['predictions']
    found = sample.pred_instances
    count = instances[0]['num_keypoints']
    assert found.keypoints.shape == (1, count, 2)
    assert found.keypoint_scores.shape == (1, count)
    shown = instances[0]['keypoints_visible'][0] > 0
    assert np.array_equal(found.keypoints_visible[0], shown)
    assert (found.keypoint_scores[0][~shown] == 0).all()
    assert (found.keypoint_scores[0][shown] > 0).all()
    (picture,) = result['visualization']
    assert picture.dtype == np.uint8
    assert max(picture.shape) >= 640


def test_bad_images_do_not_lose_the_others(ready, instances, tmp_path):
    good = [one['img_path'] for one in instances[:2]]
    broken = tmp_path / 'broken.jpg'
    broken.write_bytes(Path(good[0]).read_bytes()[:30])
    missing = str(tmp_path / 'missing.png')
    results = list(ready([good[0], broken, missing, good[1]]))
    names = [result['predictions'][0].img_path for result in results]
    assert names == good
    assert list(ready.failures) == [str(broken), missing]
    assert 'no intact image' in ready.failures[str(broken)]
    with pytest.raises(InputError, match='broken.jpg is no intact image'):
        list(ready(broken))


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
def test_cut_off_files_are_no_images(ready, instances, tmp_path, suffix):
    image = cv2.imread(instances[0]['img_path'])
    path = tmp_path / f'half{suffix}'
    cv2.imwrite(str(path), image)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=f'half{suffix} is no intact image'):
        list(ready(path))
    path.write_bytes(content + b'a phone appends its own')
    assert len(list(ready(path))) == 1


def test_mmpose_draws_the_samples(ready, instances, tmp_path):
    from mmpose.visualization import PoseLocalVisualizer

    path = instances[1]['img_path']
    (result,) = ready(path)
    visualizer = PoseLocalVisualizer(save_dir=str(tmp_path))
    image = cv2.imread(path)[..., ::-1]
    visualizer.add_datasample(
        'picture',
        image,
        result['predictions'][0],
        draw_gt=False,
        kpt_thr=0.0,
        draw_bbox=True,
    )
    assert not np.array_equal(visualizer.get_image(), image)


@pytest.mark.parametrize('method', ['pomnet', 'protonet', 'finetune'])
def test_every_method_can_be_asked(method, instances):
    other = CapeInferencer(f'{method}_tiny_puppets_1shot', device='cpu')
    use(other, instances[:2])
    path = instances[2]['img_path']
    (result,) = other(path, boxes=instances[2]['bbox'])
    sample = result['predictions'][0].pred_instances
    assert np.isfinite(sample.keypoints).all()
    assert np.isfinite(sample.keypoint_scores).all()


def test_results_in_a_folder(ready, instances, tmp_path):
    paths = [one['img_path'] for one in instances[:2]]
    (first, _) = ready(paths, out_dir=tmp_path)
    for path in paths:
        stem = path.rsplit('/', 1)[1][:-4]
        assert (tmp_path / f'visualizations/{stem}.jpg').is_file()
    stem = paths[0].rsplit('/', 1)[1][:-4]
    (instance,) = json.loads(
        (tmp_path / f'predictions/{stem}.json').read_text()
    )
    np.testing.assert_allclose(
        instance['keypoints'],
        first['predictions'][0].pred_instances.keypoints[0],
        atol=1e-4,
    )


def test_support_of_a_file_gives_the_same_answers(
    ready, weights, instances, tmp_path
):
    paths = [one['img_path'] for one in instances[1:4]]
    expected = found(ready(paths))
    ready.support.save(tmp_path / 'mine.npz')
    other = CapeInferencer(CONFIG, weights, device='cpu')
    other.use_support(tmp_path / 'mine.npz')
    assert np.array_equal(found(other(paths)), expected)


def test_other_models_take_the_same_support(ready, instances, tmp_path):
    """MAML adapts by gradients, and has a fixed number of channels."""
    ready.support.save(tmp_path / 'mine.npz')
    other = CapeInferencer('maml_tiny_puppets_1shot', device='cpu')
    other.use_support(tmp_path / 'mine.npz')
    (result,) = other(instances[1]['img_path'])
    assert np.isfinite(result['predictions'][0].pred_instances.keypoints).all()
    limit = other.max_keypoints
    assert limit is not None
    points = np.full((limit + 1, 2), 10.0)
    message = f'{limit + 1} keypoints, the model can find at most {limit}'
    with pytest.raises(InputError, match=message):
        other.set_support(instances[0]['img_path'], points)


def test_learned_identifier_limits_the_keypoints():
    name = 'ablation_learned-identifier_tiny_puppets_1shot'
    assert CapeInferencer(name, device='cpu').max_keypoints == 100


def test_calls_that_cannot_work(weights, instances, tmp_path, monkeypatch):
    inferencer = CapeInferencer(CONFIG, weights, device='cpu')
    path = instances[0]['img_path']
    with pytest.raises(InputError, match='call set_support first'):
        inferencer(path)
    use(inferencer, instances[:1])
    monkeypatch.delenv('DISPLAY', raising=False)
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)
    with pytest.raises(InputError, match='no display'):
        inferencer(path, show=True)
    with pytest.raises(InputError, match='has no image'):
        inferencer(tmp_path)
    with pytest.raises(InputError, match='3 boxes for 1 images'):
        inferencer([path], boxes=[[1, 2], [3], [4]])
    with pytest.raises(InputError, match='has no area'):
        list(inferencer(path, boxes=[5000, 0, 6000, 10]))
    with pytest.raises(InputError, match='looks must be at least 1, got 0'):
        inferencer(path, looks=0)
    with pytest.raises(InputError, match='batch_size must be at least 1'):
        inferencer(path, batch_size=0)
    with pytest.raises(InputError, match='look for keypoints in float'):
        inferencer(1.5)


@pytest.mark.parametrize(
    ('config', 'complaint'),
    [
        ('nowhere.py', 'config file nowhere.py is missing'),
        ('capeformer_tiny', 'nearest are: .*capeformer_tiny_puppets_1shot'),
        ('copy-support_puppets_1shot', 'answers without looking'),
        ('pomnet_tiny_puppets_1shot', 'is not a checkpoint of this config'),
    ],
)
def test_wrong_models_are_named(config, complaint, weights):
    with pytest.raises(InputError, match=complaint):
        CapeInferencer(config, weights, device='cpu')


def test_wrong_checkpoints_are_named(tmp_path):
    path = tmp_path / 'a.pth'
    with pytest.raises(InputError, match='a.pth cannot be read'):
        CapeInferencer(CONFIG, path, device='cpu')
    path.write_bytes(b'no checkpoint')
    with pytest.raises(InputError, match='a.pth cannot be read'):
        CapeInferencer(CONFIG, path, device='cpu')
