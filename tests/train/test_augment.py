"""Augmentation on known patterns."""

import numpy as np
import pytest

from sunpy_scss.train import Augmentation

STILL = dict.fromkeys(("rotation", "shift", "zoom", "gain", "contrast", "blur", "noise"), 0) | {"flip": False}


@pytest.fixture
def pattern():
    """A disc with a bright square in the north-west, labelled."""
    image = np.zeros((64, 64), np.float32)
    row, column = np.mgrid[:64, :64] - 31.5
    image[np.hypot(row, column) < 25] = 0.4
    label = np.zeros((64, 64), np.float32)
    label[40:50, 38:44] = 1
    image[label == 1] = 0.8
    return image, np.stack([label, np.ones_like(label)], axis=-1)


def changed(pattern, seed=0, **settings):
    return Augmentation(**{**STILL, **settings})(*pattern, np.random.default_rng(seed))


def test_no_change(pattern):
    image, target = changed(pattern)
    np.testing.assert_allclose(image, pattern[0], atol=1e-6)
    np.testing.assert_allclose(target, pattern[1], atol=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_image_and_label_move_together(pattern, seed):
    image, target = changed(pattern, seed, rotation=45, shift=3, zoom=0.05, flip=True)
    inside = target[..., 0] > 0.99
    assert inside.sum() > 25
    np.testing.assert_allclose(image[inside], 0.8, atol=0.01)
    far = (target[..., 0] < 0.01) & (image > 0.41)
    assert not far.any()


def test_flips_are_the_four_mirrors(pattern):
    found = {changed(pattern, seed, flip=True)[0].tobytes() for seed in range(40)}
    assert len(found) == 4


def test_rotation_is_bounded(pattern):
    for seed in range(20):
        _, target = changed(pattern, seed, rotation=45)
        row, column = (np.average(axis, weights=target[..., 0]) - 31.5 for axis in np.mgrid[:64, :64])
        angle = np.rad2deg(np.arctan2(row, column)) - np.rad2deg(np.arctan2(44.5 - 31.5, 40.5 - 31.5))
        assert abs(angle) <= 46


def test_contrast_leaves_the_boundary(pattern):
    for seed in range(20):
        image, _ = changed(pattern, seed, contrast=0.5, pivot=0.6)
        assert image[20, 31] < 0.6 < image[45, 40]


def test_sky_stays_empty(pattern):
    image, _ = changed(pattern, gain=0.1, noise=0.1, blur=1)
    assert (image[pattern[0] == 0] == 0).all()


def test_range_and_type(pattern):
    image, target = Augmentation(gain=0.5, noise=0.5)(*pattern, np.random.default_rng(1))
    assert image.dtype == target.dtype == np.float32
    assert 0 <= image.min() <= image.max() <= 1


def test_seeded(pattern):
    one, two, other = (Augmentation()(*pattern, np.random.default_rng(seed))[0] for seed in (5, 5, 6))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


class TestHoles:
    """Dark holes put into the quiet Sun; here a disc of 0.4 with one labelled square, and one of hard negatives."""

    @pytest.fixture
    def sun(self, pattern):
        image, target = pattern
        row, column = np.mgrid[:64, :64] - 31.5
        target[..., 1] = np.hypot(row, column) < 25
        target[15:22, 20:28, 1] = 3
        image[18, 24] = 0.02  # holes become no darker than the darkest pixel
        return image, target

    def test_are_labelled_where_they_are_dark(self, sun):
        image, target = changed(sun, 3, holes=8, pivot=0.3)
        new = (target[..., 0] > 0.99) & (sun[1][..., 0] == 0)
        assert new.sum() > 10
        assert image[new].mean() < 0.3
        np.testing.assert_allclose(sun[0][new], 0.4)

    def test_hardly_darker_than_the_boundary_has_no_weight(self, sun):
        image, target = changed(sun, 3, holes=8, pivot=0.01)
        darker = (image < 0.2) & (sun[0] == np.float32(0.4))
        assert darker.sum() > 10
        np.testing.assert_array_equal(target[..., 0], sun[1][..., 0])
        assert (target[darker, 1] == 0).all()

    @pytest.mark.parametrize("seed", range(5))
    def test_leave_labels_hard_negatives_and_sky_alone(self, sun, seed):
        image, target = changed(sun, seed, holes=20, pivot=0.3)
        taken = (sun[1][..., 0] > 0) | (sun[1][..., 1] != 1)
        assert not np.array_equal(image, sun[0])
        np.testing.assert_allclose(image[taken], sun[0][taken], atol=2e-3)  # their edges are soft
        np.testing.assert_allclose(target[taken], sun[1][taken], atol=1e-6)

    def test_no_room(self, sun):
        sun[1][..., 1] *= 3
        image, target = changed(sun, holes=8)
        np.testing.assert_allclose(image, sun[0], atol=1e-6)
        np.testing.assert_allclose(target, sun[1], atol=1e-6)
