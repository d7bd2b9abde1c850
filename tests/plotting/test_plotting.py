"""What is in a figure; how it looks is compared with pictures in ``tests/figures``."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from makers import CARD, dark_model
from matplotlib.colors import to_rgba
from scipy import ndimage

import astropy.units as u
import sunpy.map
from astropy.table import QTable
from astropy.time import Time
from astropy.visualization.wcsaxes import WCSAxes
from sunpy.coordinates import get_earth
from sunpy.map.header_helper import make_heliographic_header

from sunpy_scss.exceptions import InvalidMapError
from sunpy_scss.masks import consensus, label_regions, region_table, reproject_mask
from sunpy_scss.masks import disagreement as differ
from sunpy_scss.models import ModelCard
from sunpy_scss.plotting import (
    plot_cases,
    plot_comparison,
    plot_disagreement,
    plot_evaluation,
    plot_masks,
    plot_probability,
    plot_regions,
    plot_scores,
    plot_training,
)
from sunpy_scss.synthetic import Cap, synthetic_sun
from sunpy_scss.train import LabelledMap, evaluate, make_dataset

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
    return dataset, evaluate(dark_model(grid_size=64), dataset)


@pytest.fixture
def run(tmp_path):
    rows = ["loss,iou,val_loss,val_iou", "1,0.2,0.9,0.3", "0.5,0.6,0.5,0.5", "0.4,0.7,0.6,0.6"]
    (tmp_path / "history.csv").write_text("\n".join(rows), encoding="utf-8")
    return tmp_path


def with_header(smap, **keywords):
    return sunpy.map.Map(smap.data, {**smap.meta, **keywords})


class TestSeveralMasks:
    def test_of_one_feature_are_told_apart(self):
        scene = sun()
        other = sunpy.map.Map(scene.coronal_holes.data, {**scene.coronal_holes.meta, "scssmod": "other"})
        axes = plot_masks(scene.image, scene.coronal_holes, other)
        assert [text.get_text() for text in axes.get_legend().get_texts()] == ["synthetic", "other"]
        first, second = (collection.get_edgecolor() for collection in axes.collections)
        assert not np.array_equal(first, second)

    def test_swapped_or_in_a_list(self):
        scene = sun()
        with pytest.raises(InvalidMapError, match="0 and 1 only"):
            plot_masks(scene.coronal_holes, scene.image)
        with pytest.raises(TypeError, match=r"given as \*masks"):
            plot_masks(scene.image, [scene.coronal_holes])

    def test_spread(self):
        scene = sun()
        meta = {**scene.coronal_holes.meta, "content": "coronal hole probability spread"}
        axes = plot_probability(scene.image, sunpy.map.Map(scene.coronal_holes.data * 0.2, meta))
        assert axes.images[-1].norm.vmax == pytest.approx(0.2)


class TestComparison:
    def test_panels(self, scene):
        figure = plot_comparison(*scene)
        assert len(figure.axes) == 4
        assert all(isinstance(axes, WCSAxes) for axes in figure.axes)

    def test_scores(self, scene):
        image, labels, _ = scene
        assert plot_comparison(image, labels, labels).axes[3].get_title() == "Dice 1.000, IoU 1.000"

    def test_only_the_disc_counts(self, scene):
        image, labels, _ = scene
        mask = sunpy.map.Map(labels.data.copy(), labels.meta)
        mask.data[:5] = 1
        axes = plot_comparison(image, labels, mask).axes[3]
        assert axes.get_title() == "Dice 1.000, IoU 1.000"
        assert not axes.images[-1].get_array()[:5].any()

    def test_colours(self, scene):
        """Each pixel has the colour of what the masks say of it."""
        _, labels, mask = scene
        colours = np.asarray(plot_comparison(*scene).axes[3].images[-1].get_array())
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
        plot_comparison(image, empty, empty).canvas.draw()

    def test_other_pixels(self, scene):
        image, labels, mask = scene
        with pytest.raises(ValueError, match=r"\(got \(64, 64\) of .* over \(128, 128\) of .*reproject_mask"):
            plot_comparison(image, labels, mask.resample((64, 64) * u.pix, method="nearest"))

    def test_of_another_observer(self, scene):
        image, labels, _ = scene
        there = with_header(labels, hgln_obs=120)
        for pair in ((labels, there), (there, labels)):
            with pytest.raises(InvalidMapError, match=r"masks\.reproject_mask"):
                plot_comparison(image, *pair)

    @figure_test
    def test_figure_comparison(self, scene):
        return plot_comparison(*scene)


class TestOverlay:
    def test_axes_of_its_own_or_given(self, scene):
        image, labels, _ = scene
        axes = plot_masks(image, labels)
        assert isinstance(axes, WCSAxes)
        assert plot_masks(image, labels, axes=axes) is axes

    def test_outlines_in_order(self, scene):
        image, labels, mask = scene
        axes = plot_masks(image, labels, mask)
        assert len(axes.images) == 1
        assert len(axes.collections) == 2

    def test_other_pixels(self, scene):
        image, labels, _ = scene
        with pytest.raises(ValueError, match="on the pixels of the image"):
            plot_masks(image, labels.resample((64, 64) * u.pix, method="nearest"))

    @figure_test
    def test_figure_overlay(self, scene):
        image, labels, _ = scene
        return plot_masks(image, labels).figure


def empty(smap):
    return sunpy.map.Map(np.zeros_like(smap.data), smap.meta)


def heliographic(data):
    header = make_heliographic_header(DATES[0], get_earth(DATES[0]), data.shape, frame="carrington")
    header |= {"hgln_obs": 0, "hglt_obs": 0, "dsun_obs": 1.5e11}
    return sunpy.map.Map(data.astype(np.int16), header)


class TestLabelledRegions:
    def test_number_and_outline_of_each_region(self, scene):
        image, mask, _ = scene
        axes = plot_regions(image, label_regions(mask))
        assert [text.get_text() for text in axes.texts] == ["1", "2"]
        assert len(axes.collections) == 2

    def test_numbers_at_centroids(self, scene):
        image, mask, _ = scene
        axes = plot_regions(image, label_regions(mask))
        columns, rows = image.wcs.world_to_pixel(region_table(mask)["centroid"])
        places = [text.get_position() for text in axes.texts]
        assert np.allclose(places, np.transpose([columns, rows]), atol=0.1)

    def test_across_the_seam_of_a_heliographic_map(self):
        mask = heliographic(np.zeros((180, 360)))
        mask.data[80:100, :30] = 1
        mask.data[80:100, -10:] = 1
        axes = plot_regions(mask, label_regions(mask))
        assert np.allclose(axes.texts[0].get_position(), (9.5, 89.5))
        axes.figure.canvas.draw()

    def test_labels_with_gaps_and_single_pixels(self, scene):
        image, mask, _ = scene
        data = np.zeros_like(mask.data)
        data[64, 64], data[60:62, 40:50] = 7, 3
        axes = plot_regions(image, sunpy.map.Map(data, mask.meta))
        assert [text.get_text() for text in axes.texts] == ["3", "7"]

    def test_one_region_everywhere(self):
        everything = heliographic(np.ones((18, 36)))
        assert [text.get_text() for text in plot_regions(everything, everything).texts] == ["1"]

    def test_none(self, scene):
        image, mask, _ = scene
        assert not plot_regions(image, label_regions(empty(mask))).texts

    def test_axes_given(self, scene):
        image, mask, _ = scene
        axes = plt.figure().add_subplot(projection=image)
        assert plot_regions(image, label_regions(mask), axes=axes) is axes

    @figure_test
    def test_figure_labels(self, scene):
        image, mask, _ = scene
        return plot_regions(image, label_regions(mask)).figure


class TestProbability:
    @pytest.fixture
    def smooth(self, scene):
        mask = scene[1]
        return sunpy.map.Map(ndimage.gaussian_filter(mask.data.astype(np.float32), 4), mask.meta)

    def test_artists(self, scene, smooth):
        axes = plot_probability(scene[0], smooth)
        shown = axes.images[-1]
        assert np.array_equal(shown.get_array(), smooth.data)
        assert (shown.norm.vmin, shown.norm.vmax) == (0, 1)
        assert shown.colorbar.ax.get_ylabel() == "probability"
        assert list(axes.collections[0].levels) == [0.16, 0.5, 0.84]

    @pytest.mark.parametrize("value", [0, 0.3, 1])
    def test_constant(self, scene, value):
        image, mask, _ = scene
        constant = sunpy.map.Map(np.full(mask.data.shape, value, dtype=np.float32), mask.meta)
        plot_probability(image, constant).figure.canvas.draw()

    @figure_test
    def test_figure_probability(self, scene, smooth):
        return plot_probability(scene[0], smooth).figure

    @pytest.mark.parametrize("draw", [plot_masks, plot_regions, plot_probability, plot_disagreement])
    @pytest.mark.parametrize("other", ["turned", "shifted", "another observer", "another time"])
    def test_drawn_only_where_it_belongs(self, draw, other):
        image = sun().image
        mask = {
            "turned": lambda: with_header(sun().coronal_holes, pc1_1=0, pc1_2=-1, pc2_1=1, pc2_2=0),
            "shifted": lambda: with_header(sun().coronal_holes, crpix1=66.5),
            "another observer": lambda: with_header(sun().coronal_holes, hgln_obs=60),
            "another time": lambda: sun("2016-03-01T01:00").coronal_holes,
        }[other]()
        with pytest.raises(InvalidMapError, match=r"masks\.reproject_mask"):
            draw(image, mask)
        assert draw(image, reproject_mask(mask, image))


class TestDisagreement:
    def test_counts(self, scene):
        image, *masks = scene
        shown = plot_disagreement(image, consensus(masks)).images[-1]
        assert list(shown.colorbar.get_ticks()) == [1, 2]
        assert shown.colorbar.ax.get_ylabel() == "masks: consensus"
        assert (shown.get_array().mask == (masks[0].data + masks[1].data == 0)).all()

    def test_none(self, scene):
        image, mask, _ = scene
        plot_disagreement(image, differ([mask, mask])).figure.canvas.draw()

    def test_other_pixels(self, scene):
        image, mask, _ = scene
        with pytest.raises(ValueError, match="reproject_mask"):
            plot_disagreement(image, mask.resample((64, 64) * u.pix, method="nearest"))

    @figure_test
    def test_figure_disagreement(self, scene):
        image, *masks = scene
        return plot_disagreement(image, consensus(masks)).figure


class TestHistory:
    def test_one_axes_for_each_quantity(self, run):
        figure = plot_training(run)
        assert [axes.get_ylabel() for axes in figure.axes] == ["loss", "iou"]
        kept = figure.axes[0].lines[2].get_xdata()
        assert list(kept) == [1, 1]

    def test_before_the_first_epoch(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"history\.csv"):
            plot_training(tmp_path)

    @figure_test
    def test_figure_history(self, run):
        return plot_training(run)


class TestCases:
    def test_worst_above_best(self, scored):
        dataset, evaluation = scored
        titles = [axes.get_title().split("\n")[0] for axes in plot_cases(dataset, evaluation, number=2).axes]
        order = [dataset.keys[place] for place in np.argsort(evaluation.images["iou"])]
        assert titles == [*order[:2], *order[:-3:-1]]

    def test_fewer_than_asked_for(self, scored):
        assert len(plot_cases(*scored, number=9).axes) == 10

    def test_of_another_data_set(self, scored):
        _, evaluation = scored
        other = make_dataset([LabelledMap("other", sun().image, sun().coronal_holes)], SMALL)
        with pytest.raises(ValueError, match="not of this data set"):
            plot_cases(other, evaluation)

    @figure_test
    def test_figure_cases(self, scored):
        return plot_cases(*scored, number=2)


class TestOverTime:
    def test_one_point_for_each_image(self, scored):
        upper, lower = plot_scores(scored[1].images).axes
        assert [len(line.get_xdata()) for axes in (upper, lower) for line in axes.lines] == [5] * 4

    def test_a_table_of_ones_own(self):
        images = QTable({"date": Time(["2017-01-01"]), "dice": [1.0], "iou": [1.0]})
        images["labelled_area"] = images["predicted_area"] = [0.02] * u.dimensionless_unscaled
        (line, _) = plot_scores(images).axes[1].lines
        assert line.get_ydata() == [2]

    @figure_test
    def test_figure_over_time(self, scored):
        return plot_scores(scored[1].images)


class TestPage:
    def test_names_the_model(self, scored):
        figure = plot_evaluation(scored[1])
        assert figure.get_suptitle().startswith("test-ch on 5 images in 3 blocks of time: IoU 0.")
        assert plt.fignum_exists(figure.number)

    @figure_test
    def test_figure_page(self, scored):
        return plot_evaluation(scored[1])
