"""Dark regions of known shape, contrast and outline."""

import numpy as np
import pytest
from makers import disk_map
from scipy.special import logit

import astropy.units as u
import sunpy.map

from sunpy_scss.exceptions import InvalidMapError
from sunpy_scss.masks import filament_score, region_table

RSUN = 695.7  # Mm
SHARES = ["by_width", "by_contrast", "by_bright_points", "by_sharpness"]


def sun(regions, *, size=512, radius=200, **settings):
    """An image of 100 DN/s and the mask of regions, pairs of a condition of (x, y) and an intensity."""

    def image(x, y):
        values = np.where(np.hypot(x, y) <= 1, 100.0, 5.0)
        for inside, intensity in regions:
            values = np.where(inside(x, y), intensity, values)
        return values

    def mask(x, y):
        return np.any([inside(x, y) for inside, _ in regions] or [np.zeros(x.shape)], axis=0).astype(np.int16)

    settings = {"size": size, "radius": radius, **settings}
    return disk_map(mask, **settings), disk_map(image, **settings)


def disc(x0, y0, radius):
    return lambda x, y: np.hypot(x - x0, y - y0) <= radius


def bar(x0, y0, length, width):
    return lambda x, y: (np.abs(x - x0) <= length / 2) & (np.abs(y - y0) <= width / 2)


HOLE, FILAMENT = (disc(0.1, -0.3, 0.25), 30.0), (bar(0, 0.4, 0.6, 0.035), 70.0)


@pytest.fixture(scope="module")
def both():
    return filament_score(*sun([HOLE, FILAMENT]))


class TestScore:
    def test_a_hole_and_a_filament(self, both):
        hole, filament = both
        assert (hole["filament"], filament["filament"]) == (False, True)
        assert hole["score"] < 0.1
        assert filament["score"] > 0.9

    def test_the_parts_add_up(self, both):
        total = sum(both[name] for name in SHARES)
        np.testing.assert_allclose(total, logit(both["score"]), rtol=1e-6)

    def test_reasons_in_the_order_of_their_weight(self, both):
        words = {
            "by_width": "narrow",
            "by_contrast": "low contrast",
            "by_bright_points": "few bright points",
            "by_sharpness": "soft boundary",
        }
        for row in both:
            expected = sorted((name for name in SHARES if row[name] > 0), key=lambda name: -row[name])
            assert row["reasons"] == ", ".join(words[name] for name in expected)
        assert "low contrast" in both["reasons"][1]

    def test_the_narrower_and_the_fainter(self):
        """Each part alone makes the score rise."""
        wide, narrow = (filament_score(*sun([(bar(0, 0, 0.5, width), 60.0)]))[0] for width in (0.2, 0.04))
        assert narrow["by_width"] > wide["by_width"]
        deep, faint = (filament_score(*sun([(disc(0, 0, 0.2), level)]))[0] for level in (30.0, 70.0))
        assert faint["by_contrast"] > deep["by_contrast"]
        assert faint["score"] > deep["score"]


class TestParts:
    def test_width_of_a_cap(self):
        """Twice the area over the perimeter of a cap is twice the tangent of half of its angle."""
        angle = np.arcsin(0.3)
        (row,) = filament_score(*sun([(disc(0, 0, 0.3), 30.0)]))
        assert row["width"].to_value(u.Mm) == pytest.approx(2 * np.tan(angle / 2) * RSUN, rel=0.02)
        assert row["elongation"] == pytest.approx(1, abs=0.01)

    def test_elongation_of_a_bar(self):
        (row,) = filament_score(*sun([(bar(0, 0, 0.4, 0.08), 30.0)]))
        assert row["elongation"] == pytest.approx(5, rel=0.05)

    def test_a_single_pixel_is_square(self):
        mask, image = sun([])
        mask.data[256, 256] = 1
        (row,) = filament_score(mask, image)
        assert row["elongation"] == pytest.approx(1, abs=0.01)

    @pytest.mark.parametrize("level", [30.0, 60.0])
    def test_contrast(self, level):
        (row,) = filament_score(*sun([(disc(0.3, 0.2, 0.2), level)]))
        assert row["contrast"] == pytest.approx(np.log10(100 / level), abs=0.01)

    def test_contrast_does_not_mind_the_limb(self):
        """Brightening towards the limb that all of the Sun has at that distance says nothing of the region."""
        mask, image = sun([(disc(0.6, 0, 0.15), 50.0)])
        x, y = np.meshgrid(*[(np.arange(512) - 255.5) / 200] * 2)
        brighter = sunpy.map.Map(image.data * 10 ** (0.4 * np.hypot(x, y) ** 2), image.meta)
        flat, tilted = (filament_score(mask, one)[0]["contrast"] for one in (image, brighter))
        assert tilted == pytest.approx(flat, abs=0.02)

    def test_bright_points(self):
        mask, image = sun([(disc(0, 0, 0.3), 30.0)])
        for column, row in ((230, 240), (260, 270), (280, 250), (250, 220)):
            image.data[row - 1 : row + 2, column - 1 : column + 2] = 80
            image.data[row, column] = 120
        row = filament_score(mask, image)[0]
        area = region_table(mask)["area"][0]
        assert (row["bright_points"] * area).to_value(u.dimensionless_unscaled) == pytest.approx(4)

    def test_sharpness_of_a_ramp(self):
        """0.4 in log10 over 0.2 solar radii, with the outline half-way."""

        def image(x, y):
            r = np.hypot(x - 0.4, y - 0.2)
            return np.where(np.hypot(x, y) <= 1, 100 * 10 ** -(0.4 * np.clip((0.4 - r) / 0.2, 0, 1)), 5)

        mask, _ = sun([(disc(0.4, 0.2, 0.3), 30.0)])
        (row,) = filament_score(mask, disk_map(image, size=512, radius=200))
        assert row["sharpness"].value == pytest.approx(0.4 / (0.2 * RSUN), rel=0.05)

    def test_dark_is_raised_to_the_clip_of_the_training_images(self):
        levels = [filament_score(*sun([(disc(0, 0, 0.2), level)]))[0]["contrast"] for level in (8.0, 21.0)]
        assert levels[0] == levels[1]


class TestInvariance:
    @pytest.mark.parametrize(
        "changes", [{"rotation": 30 * u.deg}, {"size": 1024, "radius": 400}, {"centre": (240, 262)}]
    )
    def test_geometry(self, both, changes):
        # The order of the regions is that of their first pixels.
        other = filament_score(*sun([HOLE, FILAMENT], **changes))
        np.testing.assert_allclose(np.sort(other["score"]), np.sort(both["score"]), atol=0.05)

    def test_unit(self, both):
        mask, image = sun([HOLE, FILAMENT])
        counts = sunpy.map.Map(image.data * 2, {**image.meta, "bunit": "DN"})
        np.testing.assert_allclose(filament_score(mask, counts)["score"], both["score"], atol=1e-6)

    def test_inputs_are_not_changed(self):
        mask, image = sun([HOLE])
        before = mask.data.copy(), image.data.copy()
        filament_score(mask, image)
        np.testing.assert_array_equal((mask.data, image.data), before)


class TestForm:
    def test_ids_are_those_of_the_regions(self, both):
        assert both["id"].tolist() == region_table(sun([HOLE, FILAMENT])[0])["id"].tolist()

    def test_empty(self, both):
        empty = filament_score(*sun([]))
        assert len(empty) == 0
        assert empty.colnames == both.colnames
        assert empty["width"].unit == u.Mm

    def test_unknown_parts_count_nothing(self):
        """No data in the hole, and as much as before in the filament."""
        mask, image = sun([HOLE, FILAMENT])
        image.data[130:260, 210:340] = np.nan
        hole, filament = filament_score(mask, image)
        assert all(np.isnan(hole[name]) for name in ("contrast", "bright_points", "sharpness"))
        assert hole["by_contrast"] == hole["by_bright_points"] == hole["by_sharpness"] == 0
        assert np.isfinite(hole["score"])
        assert filament["contrast"] == pytest.approx(np.log10(100 / 70), abs=0.01)

    def test_saving(self, both, tmp_path):
        both.write(tmp_path / "table.ecsv")
        again = type(both).read(tmp_path / "table.ecsv")
        assert again["reasons"].tolist() == both["reasons"].tolist()
        np.testing.assert_allclose(again["bright_points"], both["bright_points"])

    def test_magnetogram(self, both):
        mask, image = sun([HOLE, FILAMENT])
        x, _ = np.meshgrid(*[(np.arange(512) - 255.5) / 200] * 2)
        # One polarity in the hole, both in the filament, which is centred on x = 0.
        field = np.where(image.data == 30, 5.0, 20 * np.sign(x))
        table = filament_score(mask, image, magnetogram=sunpy.map.Map(field, {**image.meta, "bunit": "G"}))
        assert table["unipolarity"] == pytest.approx([1, 0], abs=0.02)
        np.testing.assert_array_equal(table["score"], both["score"])


class TestErrors:
    def test_image_of_another_size(self):
        mask, image = sun([HOLE])
        with pytest.raises(InvalidMapError, match="on the pixels of the mask"):
            filament_score(mask, image.superpixel([2, 2] * u.pix))

    def test_heliographic(self):
        mask, image = sun([HOLE])
        header = {**mask.meta, "ctype1": "HGLN-CAR", "ctype2": "HGLT-CAR", "cunit1": "deg", "cunit2": "deg"}
        header |= {"cdelt1": 0.1, "cdelt2": 0.1}
        with pytest.raises(InvalidMapError, match="helioprojective"):
            filament_score(sunpy.map.Map(mask.data, header), image)

    def test_not_a_mask(self):
        _, image = sun([HOLE])
        with pytest.raises(InvalidMapError, match="0 and 1"):
            filament_score(image, image)

    def test_not_a_map(self):
        with pytest.raises(TypeError, match="sunpy Map"):
            filament_score(np.zeros((4, 4)), None)
