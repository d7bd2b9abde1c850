"""What is in a figure; how it looks is compared with pictures in ``tests/figures``."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from makers import CARD, dark_model
from matplotlib.colors import to_rgba

import astropy.units as u
import sunpy.map
from astropy.table import QTable
from astropy.time import Time
from astropy.visualization.wcsaxes import WCSAxes

from sunpy_scss.evaluation import score_model
from sunpy_scss.models import ModelCard
from sunpy_scss.plotting import cases, comparison, evaluation_page, overlay, scores_over_time, training_history
from sunpy_scss.synthetic import Cap, synthetic_sun
from sunpy_scss.train import LabelledMap, make_dataset

SMALL = ModelCard.from_dict({**CARD.to_dict(), "grid_size": 64})
DATES = ("2016-03-01", "2016-03-02", "2016-04-20", "2017-06-01", "2017-06-02")

figure_test = pytest.mark.mpl_image_compare(savefig_kwargs={"dpi": 40}, tolerance=5, style="default")


def sun(date=DATES[0], shift=0, **settings):
    """A hole in each hemisphere."""
    holes = [Cap((20 + shift) * u.deg, 35 * u.deg, 18 * u.deg), Cap((-30 + shift) * u.deg, -20 * u.deg, 14 * u.deg)]
    return synthetic_sun(date, coronal_holes=holes, active_regions=[], size=128, **settings)


@pytest.fixture(scope="module")
def scene():
    """Image, labels, and a mask that lies 4 degrees to the west of them."""
    truth = sun()
    return truth.image, truth.coronal_holes, sun(shift=4).coronal_holes


@pytest.fixture(scope="module")
def scored():
    suns = [sun(date, seed=seed) for seed, date in enumerate(DATES)]
    dataset = make_dataset([LabelledMap(f"sun{n}", one.image, one.coronal_holes) for n, one in enumerate(suns)], SMALL)
    return dataset, score_model(dark_model(grid_size=64), dataset)


@pytest.fixture
def run(tmp_path):
    rows = ["loss,iou,val_loss,val_iou", "1,0.2,0.9,0.3", "0.5,0.6,0.5,0.5", "0.4,0.7,0.6,0.6"]
    (tmp_path / "history.csv").write_text("\n".join(rows), encoding="utf-8")
    return tmp_path


class TestComparison:
    def test_panels(self, scene):
        figure = comparison(*scene)
        assert len(figure.axes) == 4
        assert all(isinstance(axes, WCSAxes) for axes in figure.axes)

    def test_scores(self, scene):
        image, labels, _ = scene
        assert comparison(image, labels, labels).axes[3].get_title() == "Dice 1.000, IoU 1.000"

    def test_only_the_disc_counts(self, scene):
        image, labels, _ = scene
        mask = sunpy.map.Map(labels.data.copy(), labels.meta)
        mask.data[:5] = 1
        axes = comparison(image, labels, mask).axes[3]
        assert axes.get_title() == "Dice 1.000, IoU 1.000"
        assert not axes.images[-1].get_array()[:5].any()

    def test_colours(self, scene):
        """Each pixel has the colour of what the masks say of it."""
        _, labels, mask = scene
        colours = np.asarray(comparison(*scene).axes[3].images[-1].get_array())
        assert (colours[..., 3] > 0).sum() == ((labels.data + mask.data) > 0).sum()
        for pixels, name in (
            ((labels.data == 1) & (mask.data == 1), "deepskyblue"),
            ((labels.data == 1) & (mask.data == 0), "lime"),
            ((labels.data == 0) & (mask.data == 1), "magenta"),
        ):
            assert pixels.any()
            assert np.unique(colours[pixels], axis=0).tolist() == [list(to_rgba(name, 0.5))]

    def test_empty_masks(self, scene):
        image, labels, _ = scene
        empty = sunpy.map.Map(np.zeros_like(labels.data), labels.meta)
        comparison(image, empty, empty).canvas.draw()

    def test_other_pixels(self, scene):
        image, labels, mask = scene
        with pytest.raises(ValueError, match=r"same pixels \(got the shapes \(128, 128\), \(128, 128\) and \(64, 64\)"):
            comparison(image, labels, mask.resample((64, 64) * u.pix, method="nearest"))

    @figure_test
    def test_figure_comparison(self, scene):
        return comparison(*scene)


class TestOverlay:
    def test_axes_of_its_own_or_given(self, scene):
        image, labels, _ = scene
        axes = overlay(image, labels)
        assert isinstance(axes, WCSAxes)
        assert overlay(image, labels, axes=axes) is axes

    @figure_test
    def test_figure_overlay(self, scene):
        image, labels, _ = scene
        return overlay(image, labels).figure


class TestHistory:
    def test_one_axes_for_each_quantity(self, run):
        figure = training_history(run)
        assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "iou"]
        kept = figure.axes[0].lines[2].get_xdata()
        assert list(kept) == [1, 1]

    def test_before_the_first_epoch(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"history\.csv"):
            training_history(tmp_path)

    @figure_test
    def test_figure_history(self, run):
        return training_history(run)


class TestCases:
    def test_worst_above_best(self, scored):
        dataset, evaluation = scored
        titles = [axes.get_title().split("\n")[0] for axes in cases(dataset, evaluation, number=2).axes]
        order = [dataset.keys[place] for place in np.argsort(evaluation.images["iou"])]
        assert titles == [*order[:2], *order[:-3:-1]]

    def test_fewer_than_asked_for(self, scored):
        assert len(cases(*scored, number=9).axes) == 10

    def test_of_another_data_set(self, scored):
        _, evaluation = scored
        other = make_dataset([LabelledMap("other", sun().image, sun().coronal_holes)], SMALL)
        with pytest.raises(ValueError, match="not of this data set"):
            cases(other, evaluation)

    @figure_test
    def test_figure_cases(self, scored):
        return cases(*scored, number=2)


class TestOverTime:
    def test_one_point_for_each_image(self, scored):
        upper, lower = scores_over_time(scored[1].images).axes
        assert [len(line.get_xdata()) for axes in (upper, lower) for line in axes.lines] == [5] * 4

    def test_a_table_of_ones_own(self):
        images = QTable({"date": Time(["2017-01-01"]), "dice": [1.0], "iou": [1.0]})
        images["labelled_area"] = images["claimed_area"] = [0.02] * u.dimensionless_unscaled
        (line, _) = scores_over_time(images).axes[1].lines
        assert line.get_ydata() == [2]

    @figure_test
    def test_figure_over_time(self, scored):
        return scores_over_time(scored[1].images)


class TestPage:
    def test_names_the_model(self, scored):
        figure = evaluation_page(scored[1])
        assert figure.get_suptitle().startswith("test-ch on 5 images in 3 blocks of time: IoU 0.")
        assert plt.fignum_exists(figure.number)

    @figure_test
    def test_figure_page(self, scored):
        return evaluation_page(scored[1])
