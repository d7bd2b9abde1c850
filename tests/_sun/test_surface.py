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
from sunpy_scss._sun.surface import remove_small_regions, surface_of
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
    sums = zone_sums(labels, inside[np.newaxis], np.zeros(1), 1.28)
    [area] = region_table(mask)["area_percent"]
    assert sums["labelled_area"][0, 0] == pytest.approx(area.to_value(u.percent), rel=1e-3)


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
        assert measured == [6]

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
