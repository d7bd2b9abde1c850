"""What one image's labels become, step by step; arrays that can be checked by eye."""

import numpy as np
import pytest

from sunpy_scss.label._session import (
    ACCEPTED,
    OPEN,
    OUTSIDE,
    REJECTED,
    Session,
    labels_of,
    verdicts_of,
)

SIZE = 40
ROWS, COLUMNS = np.indices((SIZE, SIZE))
DISK = np.hypot(ROWS - 19.5, COLUMNS - 19.5) <= 18


def box(rows, columns):
    inside = np.zeros((SIZE, SIZE), dtype=bool)
    inside[rows, columns] = True
    return inside


LEFT, RIGHT = box(slice(15, 22), slice(8, 14)), box(slice(15, 22), slice(24, 32))


@pytest.fixture
def session():
    """Two open regions, dark in a Sun of brightness 1."""
    brightness = np.where(LEFT, 0.2, np.where(RIGHT, 0.4, 1.0))
    return Session(brightness, DISK, np.where(LEFT | RIGHT, OPEN, OUTSIDE).astype(np.uint8))


class TestJudge:
    def test_one_region(self, session):
        assert session.judge((18, 10), ACCEPTED)
        assert session.judge((18, 28), REJECTED)
        assert (session.verdicts == np.where(LEFT, ACCEPTED, np.where(RIGHT, REJECTED, OUTSIDE))).all()

    def test_near_a_region_is_meant(self, session):
        assert session.verdict_at((18, 5.4)) == OPEN
        assert session.verdict_at((30, 20)) == OUTSIDE
        assert not session.judge((30, 20), ACCEPTED)

    @pytest.mark.parametrize("position", [(-50, 10), (1e6, 1e6), (0, 0)])
    def test_beside_the_image_is_nothing(self, session, position):
        assert not session.judge(position, ACCEPTED)
        assert not session.plant(position)

    def test_again_is_no_step(self, session):
        session.judge((18, 10), ACCEPTED)
        assert not session.judge((18, 10), ACCEPTED)
        session.undo()
        assert not session.undo()

    def test_regions_that_touch_at_corners_are_one(self):
        verdicts = np.where(np.eye(SIZE, dtype=bool) & DISK, OPEN, OUTSIDE)
        assert Session(np.ones((SIZE, SIZE)), DISK, verdicts).count(OPEN) == 1

    def test_all_open(self, session):
        session.judge((18, 10), REJECTED)
        assert session.judge_open(ACCEPTED)
        assert session.count(REJECTED) == session.count(ACCEPTED) == 1
        assert not session.judge_open(ACCEPTED)


class TestDraw:
    def test_stroke_is_within_its_radius(self, session):
        assert session.stroke([(28, 14), (28, 26)], 3, ACCEPTED)
        distance = np.hypot(ROWS - 28, COLUMNS - np.clip(COLUMNS, 14, 26))
        assert (session.verdicts[distance <= 3] == ACCEPTED).all()
        assert (session.verdicts[distance > 3] != ACCEPTED).all()

    def test_one_dab(self, session):
        session.stroke([(28, 14)], 2, ACCEPTED)
        assert (session.verdicts == ACCEPTED).sum() == 13

    def test_cut_parts_a_region(self, session):
        session.judge_open(ACCEPTED)
        session.stroke([(10, 28), (28, 28)], 1, OUTSIDE)
        assert session.count(ACCEPTED) == 3

    def test_polygon(self, session):
        corners = [(25, 10), (25, 20), (31, 20), (31, 10)]
        assert session.polygon(corners, ACCEPTED)
        assert (session.verdicts[26:31, 11:20] == ACCEPTED).all()
        assert session.verdicts[20, 15] == OUTSIDE

    def test_nothing_off_the_disc(self, session):
        session.stroke([(-5, -5), (60, 60)], 30, ACCEPTED)
        session.polygon([(-9, -9), (-9, 90), (90, 90), (90, -9)], ACCEPTED)
        assert (session.verdicts[~DISK] == OUTSIDE).all()
        assert (session.verdicts[DISK] == ACCEPTED).all()

    def test_no_label_off_the_disc_to_begin_with(self):
        session = Session(np.ones((SIZE, SIZE)), DISK, np.full((SIZE, SIZE), OPEN, dtype=np.uint8))
        assert ((session.verdicts == OPEN) == DISK).all()


class TestGrow:
    def test_level_half_way_to_the_quiet_sun(self, session):
        assert session.plant((18, 10))
        assert session.level == pytest.approx(np.sqrt(0.2))
        assert (session.grown == LEFT).all()

    def test_higher_level_grows_no_less(self, session):
        session.plant((18, 10))
        areas = []
        for level in (0.1, 0.2, 0.5, 1.0):
            session.grow(level)
            areas.append(session.grown.sum())
        assert areas == [0, LEFT.sum(), LEFT.sum(), DISK.sum()]

    def test_of_a_bright_seed_what_is_brighter(self):
        session = Session(np.where(LEFT, 4.0, 1.0), DISK)
        session.plant((18, 10))
        assert (session.grown == LEFT).all()

    def test_takes_the_place_of_what_it_touches(self, session):
        session.plant((18, 28))
        session.grow(0.5)
        session.grown[:, 28:] = False
        assert session.add_grown()
        assert session.count(OPEN) == 1
        assert (session.verdicts[RIGHT & (COLUMNS < 28)] == ACCEPTED).all()
        assert (session.verdicts[RIGHT & (COLUMNS >= 28)] == OUTSIDE).all()
        session.undo()
        assert (session.verdicts[RIGHT] == OPEN).all()

    def test_is_not_added_unasked(self, session):
        before = session.verdicts.copy()
        session.plant((18, 10))
        session.drop_grown()
        session.grow(1.0)
        assert session.grown is None
        assert not session.add_grown()
        assert (session.verdicts == before).all()

    def test_no_seed_where_there_is_no_image(self, session):
        session.brightness[18, 10] = np.nan
        assert not session.plant((18, 10))
        assert not session.plant((0, 0))


def test_undo_and_redo_any_number_of_steps(session):
    rng = np.random.default_rng(0)
    states = [session.verdicts.copy()]
    while len(states) < 20:
        verdict = rng.integers(4)
        if session.stroke(rng.uniform(0, SIZE, (2, 2)), rng.uniform(1, 6), verdict):
            states.append(session.verdicts.copy())
    for state in states[-2::-1]:
        assert session.undo()
        assert (session.verdicts == state).all()
    assert not session.undo()
    for state in states[1:]:
        assert session.redo()
        assert (session.verdicts == state).all()
    assert not session.redo()


def test_a_new_step_ends_what_was_undone(session):
    session.judge((18, 10), ACCEPTED)
    session.undo()
    session.judge((18, 28), REJECTED)
    assert not session.redo()


def test_outlines_are_closed_and_around_their_pixels(session):
    assert session.outlines(REJECTED) == []
    lines = session.outlines(OPEN)
    assert len(lines) == 2
    for line in lines:
        assert (line[0] == line[-1]).all()
    assert {tuple(line.min(axis=0)) for line in lines} == {(14.5, 7.5), (14.5, 23.5)}


def test_outline_at_the_edge_of_the_image_is_closed():
    session = Session(np.ones((6, 6)), np.ones((6, 6), dtype=bool), np.full((6, 6), ACCEPTED, dtype=np.uint8))
    (line,) = session.outlines(ACCEPTED)
    assert (line[0] == line[-1]).all()
    assert line.min() == -0.5


def test_labels_and_back():
    verdicts = np.array([[OUTSIDE, ACCEPTED], [OPEN, REJECTED]], dtype=np.uint8)
    mask, rejected = labels_of(verdicts)
    assert mask.tolist() == [[0, 1], [-1, 0]]
    assert rejected.tolist() == [[0, 0], [0, 1]]
    assert mask.dtype == rejected.dtype == np.int16
    assert (verdicts_of(mask, rejected) == verdicts).all()
    assert (verdicts_of(mask) == [[OUTSIDE, ACCEPTED], [OPEN, OUTSIDE]]).all()
