from __future__ import annotations

import pytest
import torch

from mmcape.models.heads import CapeOutput
from mmcape.models.layers.confidence import CONFIDENCES, NEARNESS


def output(similarity, points, confidence='peak_mass'):
    """One keypoint whose proposal lies at (0.25, 0.5)."""
    return CapeOutput(
        similarity=similarity,
        expectation=torch.zeros(1, 1, 2),
        proposals=torch.tensor([[[0.25, 0.5]]]),
        layers=torch.tensor(points)[:, None, None],
        peak_mass=torch.tensor([[0.7]]),
        confidence=confidence,
    )


def sharp():
    """All the softmax in the cell whose centre is (0.25, 0.5)."""
    similarity = torch.full((1, 1, 5, 6), -50.0)
    similarity[0, 0, 2, 1] = 50.0
    return similarity


def test_scores_are_those_of_the_chosen_measure():
    found = output(sharp(), [[0.9, 0.9], [0.3, 0.5]], 'stillness')
    expected = torch.tensor(-0.05 / NEARNESS).exp()
    torch.testing.assert_close(found.scores, expected.view(1, 1))
    assert output(sharp(), [[0.3, 0.5]]).scores.item() == pytest.approx(0.7)


def test_a_flat_map_concentrates_nothing_and_a_sharp_one_all():
    flat = output(torch.zeros(1, 1, 5, 6), [[0.5, 0.5]])
    assert CONFIDENCES['concentration'](flat).item() == pytest.approx(
        0, abs=1e-6
    )
    found = output(sharp(), [[0.5, 0.5]])
    assert CONFIDENCES['concentration'](found).item() == pytest.approx(1)


@pytest.mark.parametrize(('x', 'mass'), [(0.25, 1), (0.44, 1), (0.46, 0)])
def test_answer_mass_ends_at_its_reach(x, mass):
    found = output(sharp(), [[x, 0.5]])
    assert CONFIDENCES['answer_mass'](found).item() == pytest.approx(mass)


def test_agreement_looks_at_the_layers_alone():
    found = output(sharp(), [[0.4, 0.5], [0.6, 0.5], [0.6, 0.5]])
    expected = (1 + torch.tensor(-0.2 / NEARNESS).exp()) / 2
    torch.testing.assert_close(
        CONFIDENCES['agreement'](found), expected.view(1, 1)
    )
    one = output(sharp(), [[0.9, 0.9]])
    assert CONFIDENCES['agreement'](one).item() == 1


@pytest.mark.parametrize('name', CONFIDENCES)
def test_one_stage_without_a_decoder_has_a_confidence(name):
    found = output(sharp(), torch.zeros(0, 2).tolist(), name)
    found = CapeOutput(
        **{**vars(found), 'layers': torch.zeros(0, 1, 1, 2)},
    )
    assert found.scores.shape == (1, 1)
    assert 0 <= found.scores.item() <= 1
