"""One area for the same pixels, whoever asks."""

from types import SimpleNamespace

import numpy as np
import pytest
from hek_records import box, polygon_text, record, sun
from makers import dark_model, disk_map

import astropy.units as u
import sunpy.map

from sunpy_scss import segment_coronal_holes
from sunpy_scss._sun import surface as surface_module
from sunpy_scss._sun.surface import canonical_surface, remove_small_regions, surface_of
from sunpy_scss.canonical._grid import CanonicalGrid
from sunpy_scss.hek import drawn_events, hek_to_mask
from sunpy_scss.masks import region_table
from sunpy_scss.segment import threshold_coronal_holes
from sunpy_scss.synthetic import Cap, synthetic_sun
from sunpy_scss.train._scores import zone_sums


def at_the_limb(lon=84, radius=6, **changes):
    hole = Cap(lon * u.deg, 5 * u.deg, radius * u.deg)
    return synthetic_sun(coronal_holes=[hole], active_regions=[], size=256, **changes)


@pytest.mark.parametrize("corners", [(-100, -100, 100, 100), (850, -100, 1100, 100)], ids=["centre", "limb"])
def test_an_event_has_the_area_of_its_mask(corners):
    event = record(polygon_text(box(*corners)))
    drawn, table = drawn_events(event, sun()), region_table(hek_to_mask(event, sun()))
    assert len(drawn) == len(table) == 1
    assert u.allclose(drawn["area_drawn"], table["area"], rtol=1e-6)
    assert drawn["centroid"][0].separation(table["centroid"][0]) < 1e-6 * u.deg


@pytest.mark.parametrize("lon", [0, 60, 84])
@pytest.mark.parametrize("segment", [lambda smap, **least: segment_coronal_holes(smap, model=dark_model(), **least),
                                     threshold_coronal_holes], ids=["network", "classical"])  # fmt: skip
def test_min_area_is_the_area_of_the_table(segment, lon):
    image = at_the_limb(lon, 12).image
    area = region_table(segment(image, min_area=0 * u.Mm**2))["area"].max()
    assert segment(image, min_area=area * (1 - 1e-6)).data.any()
    assert not segment(image, min_area=area * (1 + 1e-6)).data.any()


def test_scores_measure_on_the_canonical_disk():
    mask = at_the_limb().coronal_holes
    inside = mask.data == 1
    disk = np.hypot(*(np.indices((256, 256)) - 127.5)) <= 100
    labels = SimpleNamespace(
        disk=disk, labels=inside[np.newaxis], rejected=0 * inside[np.newaxis], counted=lambda image: disk
    )
    sums = zone_sums(labels, inside[np.newaxis], np.zeros(1), CanonicalGrid(256, 1.28))
    [area] = region_table(mask)["area_percent"]
    assert sums["labelled_area"][0, 0] == pytest.approx(area.to_value(u.percent), rel=1e-3)


class TestCells:
    """Of pixels at the limb, against caps of known size."""

    @pytest.mark.parametrize("size", [64, 300])
    def test_share_the_visible_surface(self, size):
        surface = canonical_surface(CanonicalGrid(size, 1.3), 215)
        rows, columns = np.indices((size, size)).reshape(2, -1)
        shown = surface.on_sun(rows, columns)
        areas, middles = surface.cells(rows[shown], columns[shown])
        assert areas.sum() == pytest.approx(2 * np.pi * (1 - 1 / 215), rel=5e-4)
        assert areas.min() > 0.999 * surface.smallest
        # The mean of the height above the plane of the sky is half of its range.
        assert areas @ middles[0] / areas.sum() == pytest.approx((1 + 1 / 215) / 2, rel=2e-3)

    def test_do_not_depend_on_what_else_is_asked_for(self):
        surface = canonical_surface(CanonicalGrid(128, 1.3), 215)
        rows, columns = np.indices((128, 128)).reshape(2, -1)
        shown = surface.on_sun(rows, columns)
        rows, columns = rows[shown], columns[shown]
        some = (columns > 100) & (rows % 3 == 0)
        np.testing.assert_allclose(surface.areas(rows[some], columns[some]), surface.areas(rows, columns)[some])

    # With pixels that extended to the limb these came out 13 to 20 % too large.
    @pytest.mark.parametrize("end", [80, 84, 86, 88, 92, 96])
    def test_add_up_to_caps_at_the_limb(self, end):
        surface, radius, errors = canonical_surface(CanonicalGrid(256, 1.3), 215), np.radians(10), []
        rows, columns = np.indices((256, 256)).reshape(2, -1)
        shown = surface.on_sun(rows, columns)
        areas, points = surface.areas(rows[shown], columns[shown]), surface.points(rows[shown], columns[shown])
        for direction in np.radians([3, 17, 31, 46, 62, 88]):
            towards = np.radians(end) - radius
            centre = np.array([np.cos(towards), *(np.sin(towards) * np.array([np.cos(direction), np.sin(direction)]))])
            errors.append(areas @ (centre @ points > np.cos(radius)) / visible_cap(towards, radius, 215) - 1)
        assert np.abs(np.mean(errors)) < 0.04
        assert np.abs(errors).max() < 0.1


def visible_cap(angle, radius, distance):
    """The area of what is visible of a cap so far from disc centre, summed over rings around that."""
    edges = np.linspace(angle - radius, min(angle + radius, np.arccos(1 / distance)), 2001)
    rings = (edges[1:] + edges[:-1]) / 2
    cosine = (np.cos(radius) - np.cos(rings) * np.cos(angle)) / (np.sin(rings) * np.sin(angle))
    return 2 * np.arccos(np.clip(cosine, -1, 1)) @ -np.diff(np.cos(edges))


class TestRemoveSmall:
    """Of a mask with regions of 1, 2, 3 and 400 pixels."""

    smap = disk_map(lambda x, y: np.zeros_like(x))
    surface = surface_of(smap)

    @pytest.fixture
    def mask(self):
        mask = np.zeros((256, 256), dtype=bool)
        mask[100, 100] = mask[110, 100] = mask[111, 101] = mask[120, 100:103] = True
        mask[130:150, 130:150] = True
        return mask

    @pytest.mark.parametrize(("pixels", "left"), [(0, 406), (1.5, 405), (2.5, 403), (3.5, 400), (500, 0)])
    def test_by_area(self, mask, pixels, left):
        before = mask.copy()
        kept = remove_small_regions(mask, self.surface, pixels * self.surface.smallest)
        assert kept.sum() == left
        np.testing.assert_array_equal(mask, before)

    def test_only_what_may_be_too_small_is_measured(self, mask, monkeypatch):
        measured = []
        areas = surface_module.Surface.areas
        monkeypatch.setattr(
            surface_module.Surface, "areas", lambda *args: (measured.append(len(args[1])), areas(*args))[1]
        )
        remove_small_regions(mask, self.surface, 2.5 * self.surface.smallest)
        assert measured == [3]

    def test_nothing(self):
        empty = np.zeros((256, 256), dtype=bool)
        assert not remove_small_regions(empty, self.surface, 1.0).any()

    def test_of_a_cutout_without_disc_centre(self):
        cutout = self.smap.submap([0, 0] * u.pix, top_right=[60, 120] * u.pix)
        mask = np.zeros(cutout.data.shape, dtype=bool)
        mask[100:110, 40:50] = True
        [area] = region_table(sunpy.map.Map(mask.astype(np.int16), cutout.meta))["area"]
        least = (area / cutout.rsun_meters**2).to_value(u.one)
        assert remove_small_regions(mask, surface_of(cutout), 0.99 * least).sum() == 100
        assert not remove_small_regions(mask, surface_of(cutout), 1.01 * least).any()
