"""Masks that agree by a known amount."""

import numpy as np
import pytest
from makers import DATE, disk_map, mask_of_caps

import astropy.units as u
import sunpy.map
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from sunpy.coordinates import HeliographicStonyhurst, propagate_with_solar_surface
from sunpy.map.header_helper import make_heliographic_header

from sunpy_scss._mask_map import ResultMap
from sunpy_scss.exceptions import InvalidMapError
from sunpy_scss.masks import (
    area_fraction,
    compare_masks,
    consensus,
    disagreement,
    label_regions,
    match_regions,
    region_table,
    reproject_mask,
)
from sunpy_scss.synthetic import Cap, synthetic_sun

R = 695.7 * u.Mm


def caps(*places, radius=10 * u.deg, size=512, **changes):
    """A mask with spherical caps at heliographic (lon, lat) in degrees."""
    holes = [Cap(lon * u.deg, lat * u.deg, radius) for lon, lat in places]
    return mask_of_caps(DATE, holes, size=size, **changes)


def observer(lon, lat=0):
    return SkyCoord(lon * u.deg, lat * u.deg, 1 * u.AU, frame="heliographic_stonyhurst", obstime=DATE)


def cap_area(radius):
    return (2 * np.pi * R**2 * (1 - np.cos(radius))).to_value(u.Mm**2)


class TestReproject:
    @pytest.mark.parametrize("size", [200, 512, 1000])
    def test_to_another_size(self, size):
        mask, target = caps((30, 20), (-40, -10)), caps(size=size)
        result = reproject_mask(mask, target)
        assert result.data.shape == target.data.shape
        assert result.data.dtype == np.int16
        assert u.isclose(area_fraction(result), area_fraction(mask), rtol=0.01)
        assert compare_masks([result, caps((30, 20), (-40, -10), size=size)])["iou"] > 0.94

    def test_to_a_rotated_cutout(self):
        mask = caps((30, 20))
        target = disk_map(lambda x, y: x, 300, radius=400, centre=(-10, 40), rotation=25 * u.deg)
        result = reproject_mask(mask, target)
        table = region_table(result)
        assert u.allclose(table["area"].to_value(u.Mm**2), cap_area(10 * u.deg), rtol=0.01)
        assert table["centroid"].separation(region_table(mask)["centroid"]) < 0.1 * u.deg

    def test_to_another_observer(self):
        mask, side = caps((30, 0), (-70, 10)), caps((30, 0), (-70, 10), observer=observer(60))
        result = reproject_mask(mask, side)
        # The second one is behind the limb there.
        assert compare_masks([result, side])["iou"] > 0.94
        assert len(region_table(result)) == 1

    def test_to_heliographic_and_back(self):
        header = make_heliographic_header(DATE, observer(0), (720, 1440), frame="carrington", projection_code="CEA")
        mask = caps((30, 0), (-60, 20))
        there = reproject_mask(mask, sunpy.map.Map(np.zeros((720, 1440)), header))
        assert u.allclose(region_table(there)["area"].to_value(u.Mm**2), cap_area(10 * u.deg), rtol=0.01)
        assert compare_masks([reproject_mask(there, mask), mask])["iou"] > 0.97

    @pytest.mark.parametrize("size", [150, 700])
    def test_up_to_the_limb(self, size):
        whole, target = (disk_map(np.hypot, n, radius=0.4 * n) for n in (300, size))
        mask = sunpy.map.Map((whole.data <= 1).astype(np.int16), whole.meta)
        np.testing.assert_array_equal(reproject_mask(mask, target).data == 1, target.data <= 1)

    def test_the_sun_turns(self):
        later = SkyCoord(0 * u.deg, 0 * u.deg, 1 * u.AU, frame="heliographic_stonyhurst", obstime="2017-06-03T12:00")
        target = synthetic_sun("2017-06-03T12:00", observer=later, size=512).coronal_holes
        centroid = region_table(reproject_mask(caps((-20, 30)), target))["centroid"][0]
        start = SkyCoord(-20 * u.deg, 30 * u.deg, R, frame=HeliographicStonyhurst(obstime=DATE))
        with propagate_with_solar_surface():
            there = start.transform_to(centroid.frame)
        assert centroid.separation(SkyCoord(there.lon, there.lat, frame=centroid.frame)) < 0.3 * u.deg
        assert centroid.lon > 4 * u.deg

    def test_not_over_years(self):
        other = synthetic_sun("2019-06-01", size=64).coronal_holes
        with pytest.raises(InvalidMapError, match=r"2019-06-01.* and 2017-06-01"):
            reproject_mask(caps((0, 0), size=64), other)

    def test_keeps_what_the_mask_is(self):
        mask = caps((0, 0), size=64)
        mask.meta["SCSSTHR"] = 0.4
        target = disk_map(lambda x, y: x, 80, wavelength=304, meta={"filename": "other.fits"})
        before = mask.data.copy()
        result = reproject_mask(mask, target)
        for key in ("SCSSFEAT", "SCSSMOD", "SCSSTHR", "SCSSLAB", "CONTENT", "PARENT", "TELESCOP", "WAVELNTH"):
            assert result.meta[key] == mask.meta[key]
        assert "reproject_mask" in result.meta["history"]
        assert mask.meta["history"] in result.meta["history"]
        assert result.date == target.date
        np.testing.assert_array_equal(mask.data, before)

    def test_survives_a_file(self, tmp_path):
        result = reproject_mask(caps((0, 0), size=64), disk_map(lambda x, y: x, 80))
        result.save(tmp_path / "mask.fits")
        again = sunpy.map.Map(tmp_path / "mask.fits")
        np.testing.assert_array_equal(again.data, result.data)
        assert again.meta["SCSSMOD"] == "synthetic"

    def test_labels_remain_labels(self):
        labels = label_regions(caps((-30, 0), (30, 0)))
        assert set(np.unique(reproject_mask(labels, caps(size=200)).data)) == {0, 1, 2}

    def test_probabilities_are_refused(self):
        smap = disk_map(lambda x, y: x)
        with pytest.raises(InvalidMapError, match="threshold"):
            reproject_mask(smap, smap)
        with pytest.raises(TypeError, match="sunpy Map"):
            reproject_mask(caps(), np.zeros((3, 3)))


class TestCompare:
    def test_known_overlap(self):
        large, small = caps((20, 10), radius=16 * u.deg), caps((20, 10), radius=8 * u.deg)
        row = compare_masks([large, small])[0]
        share = cap_area(8 * u.deg) / cap_area(16 * u.deg)
        assert row["iou"] == pytest.approx(share, rel=0.01)
        assert row["dice"] == pytest.approx(2 * share / (1 + share), rel=0.01)
        assert row["area_ratio"] == pytest.approx(share, rel=0.01)
        assert u.isclose(row["overlap"], row["area_second"])

    def test_area_counts_and_not_pixels(self):
        # Two equal caps, of which that near the limb has half the pixels.
        both, one = caps((0, 0), (60, 0)), caps((0, 0))
        assert both.data.sum() < 1.7 * one.data.sum()
        assert compare_masks([both, one])["iou"] == pytest.approx(0.5, abs=0.005)

    def test_each_with_each(self):
        masks = [caps((lon, 0), size=128) for lon in (0, 5, 10, 30)]
        table = compare_masks(masks, names="abcd")
        assert [f"{row['first']}{row['second']}" for row in table] == ["ab", "ac", "ad", "bc", "bd", "cd"]
        assert table["iou"][0] > table["iou"][1] > table["iou"][2] == 0

    def test_on_different_grids(self):
        table = compare_masks([caps((25, 5)), caps((25, 5), size=300), caps((25, 5), observer=observer(40, 5))])
        assert (table["iou"] > 0.94).all()

    def test_only_what_all_can_see_counts(self):
        earth, side = caps((30, 0), (-70, 10)), caps((30, 0), (-70, 10), (110, 0), observer=observer(60))
        table = compare_masks([earth, side])
        assert table["iou"] > 0.97
        assert u.allclose(table["area_first"].to_value(u.Mm**2), cap_area(10 * u.deg), rtol=0.01)

    def test_empty_masks(self):
        row = compare_masks([caps(size=64), caps(size=64)])[0]
        assert (row["iou"], row["dice"]) == (1, 1)
        assert np.isnan(row["area_ratio"])
        assert compare_masks([caps(size=64), caps((0, 0), size=64)])["iou"] == 0

    def test_names(self):
        one, other = caps(size=64), caps(size=64)
        other.meta["SCSSMOD"] = "HEK SPoCA"
        assert list(compare_masks([one, other])[0]["first", "second"]) == ["synthetic", "HEK SPoCA"]
        assert list(compare_masks([one, one])[0]["first", "second"]) == ["synthetic (1)", "synthetic (2)"]
        with pytest.raises(ValueError, match="1 names for 2 masks"):
            compare_masks([one, other], names=["a"])

    def test_comes_back_from_a_file(self, tmp_path):
        table = compare_masks([caps((0, 0), size=64), caps((5, 0), size=64)])
        table.write(tmp_path / "table.ecsv")
        assert (QTable.read(tmp_path / "table.ecsv") == table).all()

    def test_one_alone(self):
        for function in (compare_masks, consensus, disagreement):
            with pytest.raises(ValueError, match="two masks or more"):
                function([caps(size=64)])
            with pytest.raises(TypeError, match=r"give a list, as \[mask\]"):
                function(caps(size=64))


def test_consensus_and_disagreement_by_eye():
    rows = ["1100", "1010", "0010", "0000"], ["1000", "1010", "0000", "0000"], ["1000", "1000", "0000", "0000"]
    masks = [disk_map(lambda x, y, m=mask: np.array([list(map(int, row)) for row in m]), 4) for mask in rows]
    votes = consensus(masks)
    np.testing.assert_array_equal(votes.data, [[3, 1, 0, 0], [3, 0, 2, 0], [0, 0, 1, 0], [0, 0, 0, 0]])
    odds = disagreement(masks)
    np.testing.assert_array_equal(odds.data, [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]])
    for result in (votes, odds):
        assert result.data.dtype == np.int16
        assert type(result) is ResultMap


class TestMatch:
    def test_split_born_and_gone(self):
        first = caps((-40, 0), (0, 0), (50, 10), radius=10 * u.deg)
        second = caps((-46, 0), (-34, 0), (0, 30), (50, 10), radius=4 * u.deg)
        table = match_regions(first, second)
        ids = {round(centroid.lon.deg): number for number, centroid in enumerate(region_table(first)["centroid"], 1)}
        partners = {number: list(table["second"][table["first"] == ids[number]]) for number in (-40, 0, 50)}
        assert len(partners[-40]) == 2
        assert partners[0] == [0]
        assert len(partners[50]) == 1
        born = table[table["first"] == 0]
        assert len(born) == 1
        assert u.isclose(region_table(second)["centroid"][born["second"][0] - 1].lat, 30 * u.deg, atol=0.1 * u.deg)
        row = table[table["first"] == ids[50]][0]
        assert row["share_second"] == pytest.approx(1)
        assert row["share_first"] == row["iou"] == pytest.approx(cap_area(4 * u.deg) / cap_area(10 * u.deg), rel=0.03)
        assert u.allclose(table["overlap"][table["first"] == 0], 0 * u.Mm**2)

    def test_numbers_are_those_of_each_table(self):
        earth, side = caps((-70, -20), (30, 0)), caps((30, 0), (125, -30), observer=observer(60))
        table = match_regions(earth, side)
        pair = table[(table["first"] > 0) & (table["second"] > 0)][0]
        for mask, number in ((earth, pair["first"]), (side, pair["second"])):
            assert abs(region_table(mask)["centroid"][number - 1].lon - 30 * u.deg) < 1 * u.deg
        # The others are each seen from one side only.
        assert len(table) == 1

    def test_of_nothing(self):
        table = match_regions(caps(size=64), caps(size=64))
        assert len(table) == 0
        assert table.colnames == match_regions(caps((0, 0), size=64), caps((0, 0), size=64)).colnames
        assert table["overlap"].unit == u.Mm**2
