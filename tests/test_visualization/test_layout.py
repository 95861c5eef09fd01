from __future__ import annotations

import numpy as np
import pytest

from mmcape.visualization.layout import BACKDROP, grid, heat, view, whole


@pytest.mark.parametrize('side', [64, 384, 4000])
def test_view_shows_what_it_says(side):
    """A white square of an image lies where the view places it."""
    image = np.zeros((side, side, 3), np.uint8)
    spot, half = np.array([side * 0.7, side * 0.4]).round(), side // 32
    x, y = spot.astype(int)
    image[y - half : y + half + 1, x - half : x + half + 1] = 255
    shown = view(image, np.array([side / 2, side / 2]), 1.2 * side, 300)
    rows, columns = np.nonzero(shown.picture[..., 1] > 200)
    found = np.array([columns.mean(), rows.mean()])
    np.testing.assert_allclose(found, shown.place(spot), atol=0.6)
    assert tuple(shown.picture[0, 0]) == BACKDROP


def test_map_lies_over_the_whole_crop_of_any_shape():
    crop = np.full((90, 120, 3), 100, np.uint8)
    values = np.zeros((6, 8))
    values[1, 6] = 2.0
    shown = heat(whole(crop, 240), values, 2.0, (120, 90))
    brightest = shown.picture.sum(axis=2).argmax()
    y, x = np.unravel_index(brightest, (240, 240))
    # cell (1, 6) is 15 pixels wide: its centre is (97.5, 22.5)
    expected = shown.place(np.array([97.5, 22.5]))
    np.testing.assert_allclose([x, y], expected, atol=1)
    # what lies beside the crop has no map
    assert len(np.unique(shown.picture[:25])) == 1


def test_rows_of_a_grid_are_filled_up():
    panels = [np.zeros((10, 20, 3), np.uint8)] * 5
    picture = grid(panels, 3)
    assert picture.shape == (10 + 6 + 10, 3 * 20 + 2 * 6, 3)
    assert (picture[16:, 2 * 20 + 6 :] == 255).all()
