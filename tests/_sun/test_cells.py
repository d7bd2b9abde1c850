import numpy as np
import pytest

from sunpy_scss._sun.cells import nearest_cells

AXIS, ANGLE = np.array([0.6, 0, 0.8]), 1.5


def cap(count, *, deepest=ANGLE):
    """Points spread evenly over a cap, or over the part of it that is so near to its edge."""
    rng = np.random.default_rng(11)
    along = rng.uniform(np.cos(ANGLE), np.cos(ANGLE - deepest), count)
    turn = rng.uniform(0, 2 * np.pi, count)
    across = np.sqrt(1 - along**2)
    basis = np.array([[0.8, 0, -0.6], [0, 1, 0], AXIS])
    return basis.T @ np.array([across * np.cos(turn), across * np.sin(turn), along])


def test_cells_are_what_is_nearest():
    points = cap(40)
    areas, middles = nearest_cells(points, AXIS, ANGLE, margin=ANGLE)
    whole = 2 * np.pi * (1 - np.cos(ANGLE))
    assert areas.sum() == pytest.approx(whole, rel=1e-2)  # the edge is straight between points
    many = np.random.default_rng(12).normal(size=(3, 200_000))
    many /= np.linalg.norm(many, axis=0)
    many = many[:, AXIS @ many > np.cos(ANGLE)]
    nearest = (points.T @ many).argmax(axis=0)
    counts = np.bincount(nearest, minlength=40)
    np.testing.assert_allclose(areas, counts / counts.sum() * whole, atol=0.02)
    for number in range(40):
        assert middles[:, number] @ _unit(many[:, nearest == number].mean(axis=1)) > np.cos(np.radians(2))


def test_mirror_images_of_deep_points_are_not_needed():
    points = cap(4000, deepest=0.2)
    near = AXIS @ points < np.cos(ANGLE - 0.1)
    few, all_of_them = (nearest_cells(points, AXIS, ANGLE, margin=margin)[0][near] for margin in (0.12, ANGLE))
    np.testing.assert_allclose(few, all_of_them, rtol=1e-9)


def _unit(vector):
    return vector / np.linalg.norm(vector)
