"""The page in a real browser, as its users have it."""

import numpy as np
import pytest
from browser import Tab, chromium, running
from makers import dark_model, disk_map, sun_with_hole

from sunpy_scss.cli import main
from sunpy_scss.images import example_map
from sunpy_scss.label import label_images
from sunpy_scss.train import read_folder

pytest.importorskip("bokeh", reason="bokeh, of the extra label, is not installed")
pytest.importorskip("selenium", reason="selenium, of the extra tests, is not installed")
from selenium.webdriver.common.keys import Keys

HOLES = {"west": (78, 53), "east": (40, 80)}
SIZE = {"size": 128, "radius": 50}


def two_holes(x, y):
    image = sun_with_hole(x, y)
    return np.where(np.hypot(x + 0.47, y - 0.33) <= 0.15, 30.0, image)


@pytest.fixture(scope="module")
def driver():
    with chromium() as driver:
        yield driver


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    paths = [folder / f"sun{day}.fits" for day in range(1, 4)]
    for day, path in enumerate(paths, start=1):
        disk_map(two_holes, date=f"2017-06-0{day}T12:00:00", **SIZE).save(path)
    return paths


@pytest.fixture
def labels(tmp_path):
    return tmp_path / "labels"


@pytest.fixture
def serve(images, labels):
    def serve(notify, **settings):
        label_images(images, labels, model=dark_model(), order="date", annotator="Ada", notify=notify, **settings)

    return serve


@pytest.fixture
def tab(driver, serve):
    with running(serve) as (address, _):
        tab = Tab(driver, address)
        tab.counts(0, 2, 0)
        yield tab
        assert tab.complaints() == []


def draft(labels, key="sun1"):
    with np.load(labels / "drafts" / f"{key}.npz") as file:
        return file["verdicts"]


class TestRegions:
    def test_click_goes_through_the_verdicts(self, tab):
        for counts in [(1, 1, 0), (0, 1, 1), (0, 2, 0)]:
            tab.click(HOLES["west"])
            tab.counts(*counts)

    def test_two_quick_clicks_are_two(self, tab):
        tab.click(HOLES["west"], HOLES["west"])
        tab.counts(0, 1, 1)

    def test_keys_judge_what_is_under_the_pointer(self, tab):
        tab.point(HOLES["east"])
        for key, counts in {"a": (1, 1, 0), "r": (0, 1, 1), "o": (0, 2, 0), "A": (2, 0, 0)}.items():
            tab.press(key)
            tab.counts(*counts)
        tab.press("z")
        tab.counts(0, 2, 0)
        tab.press("y")
        tab.counts(2, 0, 0)

    def test_beside_a_region(self, tab):
        tab.click((64, 90))
        tab.says("message", "There is no region here")


class TestDraw:
    def test_grow_from_a_seed_at_a_level(self, tab, labels):
        tab.press("g")
        tab.click(HOLES["west"])
        tab.says("message", "Enter adds the region")
        tab.press("[")
        tab.press("]")
        tab.press(Keys.ENTER)
        tab.counts(1, 1, 0)
        assert (draft(labels) == 1).sum() == pytest.approx(np.pi * 12.5**2, rel=0.1)
        tab.click(HOLES["east"])
        tab.says("message", "Enter adds the region")
        tab.press(Keys.ESCAPE)
        tab.press(Keys.ENTER)  # with nothing to add: done
        tab.says("title", "image 2 of 3", "1 done")

    def test_brush_adds_and_cuts(self, tab, labels):
        tab.press("b", "[", "[", "[")
        tab.until(lambda: tab.get("radius", "value") == 6)
        tab.drag((50, 100), (80, 100))
        tab.counts(1, 2, 0)
        assert (draft(labels) == 1).sum() == pytest.approx(30 * 13 + 36 * np.pi, rel=0.1)
        tab.press("x")
        tab.drag((65, 115), (65, 85))
        tab.counts(2, 2, 0)
        tab.click((45, 100))
        tab.until(lambda: (draft(labels) == 1).sum() < 300)

    def test_polygon(self, tab, labels):
        tab.press("p")
        tab.click((50, 92), (80, 92), (80, 103), (50, 103))
        tab.press(Keys.ENTER)
        tab.counts(1, 2, 0)
        assert (draft(labels) == 1).sum() == pytest.approx(30 * 11, rel=0.1)
        tab.click((50, 30), (64, 30))
        tab.press("z", Keys.ENTER)
        tab.says("message", "needs three corners")
        tab.click((50, 30), (64, 30), (64, 40), (64, 40))
        tab.counts(2, 2, 0)


class TestLook:
    def test_stretch_is_of_the_browser_alone(self, tab):
        low, high = tab.get("stretch", "value")
        tab.press(",")
        assert tab.get("stretch", "value") == pytest.approx([low, high + 0.05])

    def test_zoom(self, tab):
        tab.point((64, 64))
        tab.press("+")
        assert tab.get("picture", "x_range.start") > 5
        tab.press("0")
        tab.until(lambda: tab.get("picture", "x_range.start") == 0)
        tab.wheel((30, 30), -200)
        tab.until(lambda: tab.get("picture", "x_range.end") < 127)

    def test_days(self, tab):
        tab.press("n")
        tab.says("title", "image 2 of 3")
        tab.press("1")
        tab.says("message", "The day before: 2017-06-01")
        tab.press("3")
        tab.says("message", "The day after: 2017-06-03")
        tab.press("2", " ")
        tab.until(lambda: tab.get("day", "active") == 0)
        tab.press(" ")
        tab.until(lambda: tab.get("day", "active") == 1)

    def test_nothing_from_elsewhere(self, tab):
        names = tab.driver.execute_script("return performance.getEntriesByType('resource').map(({name}) => name)")
        assert names
        assert {name.split("/")[2].split(":")[0] for name in names} == {"127.0.0.1"}


class TestKept:
    def test_a_closed_tab_loses_nothing(self, tab):
        tab.click(HOLES["west"])
        tab.counts(1, 1, 0)
        tab.driver.refresh()
        again = Tab(tab.driver, tab.driver.current_url)
        again.counts(1, 1, 0)
        again.says("title", "draft saved")

    def test_a_second_tab_takes_over(self, tab):
        driver, first, address = tab.driver, tab.driver.current_window_handle, tab.driver.current_url
        tab.click(HOLES["west"])
        tab.counts(1, 1, 0)
        driver.switch_to.new_window("tab")
        second = Tab(driver, address)
        second.counts(1, 1, 0)
        second.press("A")
        second.counts(2, 0, 0)
        here = driver.current_window_handle
        driver.switch_to.window(first)
        tab.says("message", "opened in another tab")
        tab.point(HOLES["west"])
        tab.press("r")
        driver.switch_to.window(here)
        second.press("z")
        second.counts(1, 1, 0)
        driver.close()
        driver.switch_to.window(first)

    def test_done_is_what_training_reads(self, tab, labels):
        tab.point(HOLES["west"])
        tab.press("a")
        tab.point(HOLES["east"])
        tab.press("r")
        tab.counts(1, 0, 1)
        tab.press(Keys.ENTER)
        tab.says("title", "image 2 of 3", "1 done")
        (labelled,) = read_folder(labels)
        assert labelled.key == "sun1"
        assert labelled.mask.data.sum() == pytest.approx(np.pi * 12.5**2, rel=0.1)
        assert labelled.rejected.data.sum() == pytest.approx(np.pi * 7.5**2, rel=0.15)
        assert labelled.mask.meta["SCSSLAB"] == "Ada"

    def test_a_closed_server_is_told(self, driver, serve, labels):
        with running(serve) as (address, stop):
            tab = Tab(driver, address)
            tab.click(HOLES["west"])
            tab.counts(1, 1, 0)
            stop()
            tab.until(lambda: driver.execute_script("return document.body.dataset.lost"))
            assert "is saved" in driver.execute_script("return document.body.innerText")
        assert (draft(labels) == 1).any()
        with running(serve) as (address, _):
            Tab(driver, address).counts(1, 1, 0)

    def test_an_image_that_cannot_be_opened_is_told_and_passed(self, driver, serve, labels):
        (labels / "drafts").mkdir(parents=True)
        (labels / "drafts" / "sun1.npz").write_bytes(b"no draft")
        with running(serve) as (address, _):
            tab = Tab(driver, address)
            tab.says("message", "sun1.npz is damaged")
            tab.click((0.5, 0.5))  # on nothing
            tab.press("A", Keys.ENTER, "n")
            tab.says("title", "image 2 of 3", "0 done")
            tab.counts(0, 2, 0)

    def test_two_annotators(self, driver, serve, images, tmp_path):
        with running(serve) as (address, _):
            tab = Tab(driver, address)
            tab.press("A", Keys.ENTER)
            tab.says("title", "1 done")

        def other(notify):
            other = tmp_path / "labels"
            settings = {"model": dark_model(), "order": "date", "other": other, "notify": notify}
            label_images(images, tmp_path / "ben", annotator="Ben", **settings)

        with running(other) as (address, _):
            tab = Tab(driver, address)
            tab.press("A", "d")
            tab.says("message", "IoU 1.000 with labels")
            tab.point(HOLES["east"])
            tab.press("r")
            tab.says("message", "IoU 0.7")


def test_the_command(driver, tmp_path, monkeypatch, capsys):
    path = tmp_path / "sun.fits"
    example_map(193).save(path)

    def serve(notify):
        monkeypatch.setattr("sunpy_scss.cli._label.say", notify)
        return main(["label", str(path), "--output", str(tmp_path / "labels"), "--no-browser"])

    with running(serve) as (address, stop):
        tab = Tab(driver, address)
        tab.says("title", "AIA 193", "doubt")
        tab.press("A", Keys.ENTER)
        tab.says("message", "All images are done")
        assert stop() == 0
    assert "The labels are in" in capsys.readouterr().err
    (labelled,) = read_folder(tmp_path / "labels")
    assert labelled.mask.data.sum() > 1000
