import numpy as np
import pytest

from sunpy_scss.masks import dice, iou


@pytest.fixture
def masks():
    rng = np.random.default_rng(7)
    return rng.random((2, 5, 40, 40)) < 0.3


def test_against_sets(masks):
    truth, prediction = (set(np.flatnonzero(mask)) for mask in masks)
    assert iou(*masks) == len(truth & prediction) / len(truth | prediction)
    assert dice(*masks) == 2 * len(truth & prediction) / (len(truth) + len(prediction))


def test_as_scikit_learn_has_them(masks):
    sklearn = pytest.importorskip("sklearn.metrics")
    flat = [mask.ravel() for mask in masks]
    assert iou(*masks) == pytest.approx(sklearn.jaccard_score(*flat), rel=1e-12)
    assert dice(*masks) == pytest.approx(sklearn.f1_score(*flat), rel=1e-12)


def test_dice_follows_from_iou(masks):
    overlap = iou(*masks)
    assert dice(*masks) == pytest.approx(2 * overlap / (1 + overlap))


@pytest.mark.parametrize("metric", [dice, iou])
class TestBoth:
    def test_empty_masks_agree(self, metric):
        assert metric(np.zeros((4, 4)), np.zeros((4, 4))) == 1.0

    def test_range(self, metric, masks):
        assert metric(masks[0], masks[0]) == 1.0
        assert metric(masks[0], ~masks[0]) == 0.0
        assert 0 < metric(*masks) < 1

    def test_symmetric(self, metric, masks):
        assert metric(*masks) == metric(*masks[::-1])

    def test_where(self, metric):
        truth, prediction = [[1, 1, 0]], [[1, 0, 1]]
        assert metric(truth, prediction, where=np.array([True, False, False])) == 1.0

    def test_shapes_must_agree(self, metric):
        with pytest.raises(ValueError, match="one shape"):
            metric(np.zeros(3), np.zeros(4))

    def test_probabilities_are_refused(self, metric):
        with pytest.raises(ValueError, match="threshold"):
            metric([0, 1], [0.2, 0.9])
