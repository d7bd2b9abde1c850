"""Regions of known size and place, measured."""

import numpy as np
import pytest
from makers import DATE, disk_map, mask_of_caps

import astropy.units as u
import sunpy.map
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import QTable
from sunpy.coordinates import HeliographicCarrington, HeliographicStonyhurst, get_earth
from sunpy.data.test import get_test_filepath
from sunpy.map.header_helper import make_heliographic_header

from sunpy_scss.evolution import track_regions
from sunpy_scss.exceptions import InvalidMapError
from sunpy_scss.hek import hek_records
from sunpy_scss.masks import _regions, area_fraction, label_regions, region_table, write_geojson
from sunpy_scss.report._scenes import scenes_of
from sunpy_scss.synthetic import Cap

R = 695.7 * u.Mm


def cap_area(radius):
    return 2 * np.pi * R**2 * (1 - np.cos(radius))


def caps(*places, radius=8 * u.deg, size=1024, **changes):
    """A mask with spherical caps at heliographic (lon, lat) in degrees."""
    holes = [Cap(lon * u.deg, lat * u.deg, radius) for lon, lat in places]
    return mask_of_caps(DATE, holes, size=size, **changes)


def stonyhurst(smap):
    """Where the pixels of a Map are on the Sun, by sunpy's coordinates alone; NaN off the disc."""
    rows, columns = np.indices(smap.data.shape)
    frame = HeliographicStonyhurst(obstime=smap.coordinate_frame.obstime)
    there = smap.wcs.pixel_to_world(columns, rows).transform_to(frame)
    return SkyCoord(there.lon, there.lat, frame=frame)


def angles(smap, lon, lat):
    """How far on the Sun the pixels of a Map are from a place."""
    there = stonyhurst(smap)
    return SkyCoord(lon, lat, frame=there.frame).separation(there)


def heliographic(data, projection="CAR", frame="carrington"):
    header = make_heliographic_header(DATE, get_earth(DATE), data.shape, frame=frame, projection_code=projection)
    header |= {"hgln_obs": 0, "hglt_obs": 0, "dsun_obs": 1.5e11}
    return sunpy.map.Map(data.astype(np.int16), header)


def mask_of(rows, **changes):
    """A small mask, its rows from north to south as written."""
    data = np.array([[int(pixel) for pixel in row] for row in rows], dtype=np.int16)[::-1]
    return disk_map(lambda x, y: data, len(rows), radius=changes.pop("radius", 100), unit=None, **changes)


class TestArea:
    # The edges of the caps are up to 60 degrees from disc centre.
    @pytest.mark.parametrize("distance", [13, 20, 38, 52])
    def test_of_caps_anywhere_to_60_degrees(self, distance):
        places = [(distance * np.cos(angle), distance * np.sin(angle)) for angle in np.radians([20, 110, 200, 290])]
        table = region_table(caps(*places))
        assert len(table) == len(places)
        assert u.allclose(table["area"], cap_area(8 * u.deg), rtol=0.005)
        for lon, lat in places:
            there = SkyCoord(lon * u.deg, lat * u.deg, frame=table["centroid"].frame)
            assert there.separation(table["centroid"]).min() < 0.05 * u.deg

    @pytest.mark.parametrize("rotation", [0, 30, 179] * u.deg)
    def test_with_any_rotation_and_centre(self, rotation):
        smap = disk_map(lambda x, y: x, 700, radius=400, centre=(211.3, 402.8), rotation=rotation)
        inside = angles(smap, 20 * u.deg, -25 * u.deg) < 10 * u.deg
        mask = sunpy.map.Map(inside.astype(np.int16), smap.meta)
        assert u.allclose(region_table(mask)["area"], cap_area(10 * u.deg), rtol=0.005)

    @pytest.mark.parametrize("distance", [0.28, 1, 5] * u.AU)
    def test_from_any_distance(self, distance):
        near = SkyCoord(15 * u.deg, 6 * u.deg, distance, frame="heliographic_stonyhurst", obstime=DATE)
        assert u.allclose(region_table(caps((0, 20), observer=near))["area"], cap_area(8 * u.deg), rtol=0.005)

    def test_seen_from_earth_and_from_the_side(self):
        stereo = SkyCoord(-70 * u.deg, 5 * u.deg, 0.96 * u.AU, frame="heliographic_stonyhurst", obstime=DATE)
        earth, side = (region_table(caps((-35, 12), radius=12 * u.deg, **view)) for view in ({}, {"observer": stereo}))
        assert u.allclose(earth["area"], side["area"], rtol=0.005)
        assert u.allclose(earth["perimeter"], side["perimeter"], rtol=0.01)
        assert earth["centroid"].separation(side["centroid"]) < 0.05 * u.deg
        for column in ("carrington_lon", "lon_min", "lon_max", "lat_min", "lat_max"):
            assert u.allclose(earth[column], side[column], atol=0.25 * u.deg)

    @pytest.mark.parametrize("projection", ["CAR", "CEA"])
    @pytest.mark.parametrize("frame", ["carrington", "stonyhurst"])
    def test_of_a_heliographic_rectangle(self, projection, frame):
        smap = heliographic(np.zeros((360, 720)), projection, frame)
        data = np.zeros((360, 720), dtype=np.int16)
        data[200:260, 100:180] = 1
        table = region_table(heliographic(data, projection, frame))
        ends = smap.wcs.pixel_to_world([99.5, 179.5], [199.5, 259.5])
        sines = np.diff(np.sin(ends.lat))[0]
        assert u.allclose(table["area"], R**2 * sines * np.radians(40), rtol=1e-4)
        assert u.allclose([table["left"][0], table["right"][0]], ends.lon.wrap_at("180d"))
        assert u.allclose([table["lat_min"][0], table["lat_max"][0]], ends.lat)
        sides = 2 * np.diff(ends.lat)[0].to_value(u.rad) + np.radians(40) * np.cos(ends.lat).sum()
        # Its corners are rounded.
        assert u.allclose(table["perimeter"], R * sides, rtol=0.03)

    def test_of_a_rectangle_in_an_image(self):
        smap = disk_map(lambda x, y: x, 1024, radius=400)
        there = stonyhurst(smap)
        inside = (abs(there.lon - 20 * u.deg) < 15 * u.deg) & (abs(there.lat - 25 * u.deg) < 10 * u.deg)
        table = region_table(sunpy.map.Map(inside.astype(np.int16), smap.meta))
        height = np.sin(35 * u.deg) - np.sin(15 * u.deg)
        assert u.allclose(table["area"], R**2 * height * np.radians(30), rtol=0.005)
        extents = u.Quantity([table[name][0] for name in ("lon_min", "lon_max", "lat_min", "lat_max")])
        assert u.allclose(extents, [5, 35, 15, 35] * u.deg, atol=0.2 * u.deg)

    @pytest.mark.parametrize("size", [64, 500])
    def test_of_the_whole_disk(self, size):
        smap = disk_map(lambda x, y: np.hypot(x, y), size, radius=0.4 * size)
        mask = sunpy.map.Map((smap.data <= 1).astype(np.int16), smap.meta)
        visible = 1 - (R / smap.observer_coordinate.radius).to_value(u.one)
        assert area_fraction(mask).to_value(u.one) == pytest.approx(visible, rel=5e-4)

    @pytest.mark.parametrize("projection", ["CAR", "CEA"])
    def test_of_the_whole_sun(self, projection):
        assert u.isclose(area_fraction(heliographic(np.ones((90, 180)), projection)), 200 * u.percent)

    def test_of_shares_of_the_sun(self):
        shares = np.full((90, 180), 0.25)
        shares[:45] = np.nan
        header = heliographic(np.zeros((90, 180)), "CEA").meta
        assert u.isclose(area_fraction(sunpy.map.Map(shares, header)), 25 * u.percent)
        with pytest.raises(InvalidMapError, match="between 0 and 1"):
            area_fraction(sunpy.map.Map(shares + 1, header))

    def test_in_three_units(self):
        table = region_table(caps((0, 0), size=256))
        assert u.allclose(table["area"], 2 * np.pi * R**2 * table["area_msh"] / 1e6)
        np.testing.assert_allclose(table["area_percent"].to_value(u.percent), table["area_msh"] / 1e4)
        assert u.isclose(table["area_percent"].sum(), area_fraction(caps((0, 0), size=256)))

    def test_near_the_limb(self):
        # The cap reaches from 50 to 70 degrees from disc centre.
        earth = get_earth(DATE)
        table = region_table(caps((60, earth.lat.deg), radius=10 * u.deg))
        assert 0.4 < table["beyond_60"][0] < 0.6
        assert table["beyond_75"] == 0
        assert region_table(caps((0, 0)))["beyond_60"] == 0


class TestPlace:
    def test_carrington_longitude(self):
        mask = caps((30, -10), size=256)
        table = region_table(mask)
        frame = HeliographicCarrington(obstime=DATE, observer=mask.observer_coordinate)
        assert u.allclose(table["centroid"].transform_to(frame).lon, table["carrington_lon"])

    def test_perimeter_of_a_cap(self):
        for place in ((0, 0), (45, 20)):
            table = region_table(caps(place, radius=10 * u.deg))
            assert u.allclose(table["perimeter"], 2 * np.pi * R * np.sin(10 * u.deg), rtol=0.01)

    # Along the sides of pixels these were 14 to 37 % too long.
    @pytest.mark.parametrize("lon", [70, 75, 79])
    def test_perimeter_of_a_cap_near_the_limb(self, lon):
        table = region_table(caps((lon, 0.3), radius=8 * u.deg, size=256))
        assert u.allclose(table["perimeter"], 2 * np.pi * R * np.sin(8 * u.deg), rtol=0.05)

    def test_perimeter_of_a_cap_at_the_pole_of_a_map(self):
        smap = heliographic(np.zeros((90, 180)))
        inside = angles(smap, 40 * u.deg, 83 * u.deg) < 12 * u.deg
        table = region_table(heliographic(inside))
        assert u.allclose(table["perimeter"], 2 * np.pi * R * np.sin(12 * u.deg), rtol=0.03)

    def test_area_on_the_sky_near_the_limb(self):
        # At the limb it was up to 16 % too large.
        mask = caps((78, 0), size=256)
        rings = np.linspace(70, 86, 2001) * u.deg
        middles = (rings[1:] + rings[:-1]) / 2
        cosine = (np.cos(8 * u.deg) - np.cos(middles) * np.cos(78 * u.deg)) / (np.sin(middles) * np.sin(78 * u.deg))
        sky = (2 * np.arccos(cosine.clip(-1, 1)).value * np.cos(middles)) @ -np.diff(np.cos(rings))
        [area] = hek_records(mask)["area_raw"]
        assert area == pytest.approx(sky.value * R.to_value(u.km) ** 2, rel=0.04)

    def test_perimeter_of_a_ring_has_both_borders(self):
        outer, inner = (caps((0, 0), radius=radius * u.deg) for radius in (20, 10))
        ring = sunpy.map.Map(outer.data - inner.data, outer.meta)
        circles = 2 * np.pi * R * (np.sin(20 * u.deg) + np.sin(10 * u.deg))
        assert u.allclose(region_table(ring)["perimeter"], circles, rtol=0.01)

    def box(self, mask, row):
        corners = ("left", "bottom"), ("right", "top")
        low, high = (SkyCoord(row[x], row[y], frame=mask.coordinate_frame) for x, y in corners)
        return mask.submap(low, top_right=high)

    def test_box_is_that_of_submap(self):
        mask = caps((30, -10), size=256)
        cutout = self.box(mask, region_table(mask)[0])
        assert cutout.data.sum() == mask.data.sum()
        # sunpy keeps the pixels that the box touches.
        rows, columns = cutout.data.nonzero()
        assert np.subtract(cutout.data.shape, (np.ptp(rows) + 1, np.ptp(columns) + 1)).max() <= 2

    def test_cutout_is_measured_like_the_whole(self):
        mask = caps((30, -10))
        table = region_table(mask)
        whole = region_table(self.box(mask, table[0]))
        assert u.allclose(whole["area"], table["area"])
        assert not table["touches_edge"]
        height, width = self.box(mask, table[0]).data.shape
        half = self.box(mask, table[0]).submap([0, 0] * u.pix, top_right=[width // 2, height] * u.pix)
        assert region_table(half)["touches_edge"]
        assert u.isclose(region_table(half)["area"][0], table["area"][0] / 2, rtol=0.1)

    def test_across_the_seam_of_a_map_around_the_sun(self):
        data = np.zeros((180, 360))
        data[80:100, :10] = data[80:100, -10:] = 1
        data[20:30, 100:120] = 1
        here = heliographic(data)
        there = heliographic(np.roll(data, 90, axis=1))
        assert label_regions(here).data.max() == label_regions(there).data.max() == 2
        one, other = region_table(here), region_table(there)
        across = one[1]
        assert u.isclose(across["left"], 170 * u.deg)
        assert u.isclose(across["right"], 190 * u.deg)
        assert not across["touches_edge"]
        assert u.allclose(np.sort(one["area"]), np.sort(other["area"]))
        assert u.allclose(np.sort(one["perimeter"]), np.sort(other["perimeter"]), rtol=0.01)

    def test_around_a_pole(self):
        above = SkyCoord(0 * u.deg, 70 * u.deg, 1 * u.AU, frame="heliographic_stonyhurst", obstime=DATE)
        row = region_table(caps((0, 85), radius=15 * u.deg, size=256, observer=above))[0]
        assert (row["lon_min"], row["lon_max"], row["lat_max"]) == (-180 * u.deg, 180 * u.deg, 90 * u.deg)
        assert u.isclose(row["lat_min"], 70 * u.deg, atol=1 * u.deg)
        assert u.isclose(row["centroid"].lat, 85 * u.deg, atol=0.2 * u.deg)

    def test_around_a_pole_of_a_heliographic_map(self):
        data = np.zeros((180, 360))
        data[:10] = 1
        row = region_table(heliographic(data))[0]
        assert u.isclose(row["lat_min"], -90 * u.deg)
        assert u.isclose(row["lat_max"], -80 * u.deg)
        assert u.isclose(row["right"] - row["left"], 360 * u.deg)
        assert u.isclose(row["area"], cap_area(10 * u.deg), rtol=1e-4)


class TestForm:
    COLUMNS = region_table(mask_of(["00", "00"], centre=(1, 1))).colnames

    def table(self, rows, **changes):
        mask = mask_of(rows, **changes)
        image = disk_map(lambda x, y: 100 + x, mask.data.shape[0], radius=100, **changes)
        field = disk_map(lambda x, y: 0 * x + 5, mask.data.shape[0], radius=100, unit=u.G, **changes)
        table = region_table(mask, image=image, magnetogram=field, probability=mask)
        assert table.colnames[: len(self.COLUMNS)] == self.COLUMNS
        assert len(table) == label_regions(mask).data.max()
        return table

    def test_of_no_region(self):
        full, empty = self.table(["010", "000", "000"]), self.table(["000", "000", "000"])
        assert len(empty) == 0
        assert empty.colnames == full.colnames
        for name in full.colnames:
            assert type(empty[name]) is type(full[name])
            assert getattr(empty[name], "unit", None) == getattr(full[name], "unit", None)
            if name != "centroid":
                assert empty[name].dtype == full[name].dtype

    def test_of_a_single_pixel(self):
        row = self.table(["000", "010", "000"])[0]
        assert row["n_pixels"] == 1
        assert u.isclose(row["area"], (R / 100) ** 2, rtol=0.02)
        # The least that it can be is that of a circle in the pixel.
        assert 2 * R / 100 < row["perimeter"] < 4 * R / 100
        assert row["intensity_std"] == 0 * u.DN / u.s

    def test_touching_the_edge(self):
        table = self.table(["100", "000", "000"])
        assert table["touches_edge"]
        assert table["area"] > 0

    def test_diagonal_neighbours_are_one_region(self):
        assert len(self.table(["1001", "0110", "0000", "0001"])) == 2

    def test_cut_by_the_limb(self):
        # Solar west is right: the last two columns are off the disc.
        rows = ["000000", "001111", "001111", "000000", "000011", "000000"]
        table = self.table(rows, centre=(-96.4, 2.5))
        assert len(table) == 1
        assert table["touches_limb"]
        assert table["n_pixels"] == 4
        assert label_regions(mask_of(rows, centre=(-96.4, 2.5))).data.sum() == 4

    def test_label_map_is_numbered_like_the_table(self):
        mask = caps((0, 0), (40, 20), (-40, -20), size=256)
        labels, table = label_regions(mask), region_table(mask)
        assert labels.data.dtype == np.int16
        np.testing.assert_array_equal(np.bincount(labels.data[labels.data > 0])[1:], table["n_pixels"])
        np.testing.assert_array_equal(labels.data > 0, mask.data == 1)
        assert labels.meta["SCSSMOD"] == mask.meta["SCSSMOD"]
        for number, centroid in enumerate(table["centroid"], start=1):
            column, row = labels.wcs.world_to_pixel(centroid.transform_to(mask.coordinate_frame))
            assert labels.data[round(float(row)), round(float(column))] == number

    @pytest.mark.parametrize("name", ["table.ecsv", "table.fits"])
    @pytest.mark.filterwarnings("ignore:The unit 'DN / s' could not be saved in native FITS")
    @pytest.mark.parametrize("rows", [["0000", "0000", "0000", "0000"], ["1100", "0000", "0001", "0000"]])
    def test_comes_back_from_a_file(self, tmp_path, name, rows):
        table = self.table(rows)
        table.write(tmp_path / name)
        back = QTable.read(tmp_path / name)
        assert back.colnames == table.colnames
        assert back.meta == table.meta
        for column in table.colnames:
            if column == "centroid":
                assert back[column].frame.is_equivalent_frame(table[column].frame)
                assert (back[column].separation(table[column]) < 1e-9 * u.deg).all()
            else:
                np.testing.assert_array_equal(back[column], table[column])
                assert u.Quantity(back[column]).unit == u.Quantity(table[column]).unit

    def test_mask_is_not_changed(self):
        mask = caps((89, 0), size=256)
        before = mask.data.copy()
        region_table(mask, probability=mask)
        np.testing.assert_array_equal(mask.data, before)


class TestIntensity:
    def test_on_the_pixels_of_the_mask(self):
        mask = mask_of(["000", "011", "000"])
        image = disk_map(lambda x, y: 100 * (x + 1), 3)
        row = region_table(mask, image=image)[0]
        inside = image.data[1, 1:]
        for name in ("mean", "median", "std", "min", "max"):
            assert row[f"intensity_{name}"] == getattr(np, name)(inside) * u.DN / u.s

    def test_on_a_larger_and_rotated_image_of_another_time(self):
        # Brightness is the sine of Stonyhurst longitude; in three hours the Sun turns by 1.65 degrees.
        mask = caps((10, 0), radius=3 * u.deg, size=256)
        later = get_earth(DATE).obstime + 3 * u.hour
        image = disk_map(lambda x, y: x, 1500, radius=700, rotation=20 * u.deg, observer=get_earth(later))
        image = sunpy.map.Map(image.data, {**image.meta, "date-obs": later.isot})
        table = region_table(mask, image=image)
        assert u.isclose(table["intensity_mean"][0], np.sin(11.65 * u.deg) * u.DN / u.s, atol=0.001 * u.DN / u.s)

    def test_missing_data_is_left_out(self):
        mask = mask_of(["0000", "1101", "0000", "0000"])
        image = disk_map(lambda x, y: np.where(x > 0.01, np.nan, 7), 4)
        np.testing.assert_array_equal(region_table(mask, image=image)["intensity_mean"].value, [7, np.nan])


def hmi(values, size=512):
    """
    A synthetic magnetogram under a true header of HMI, its scale changed to ``size`` pixels for the full disc.

    ``values(lon, lat)`` gives the radial field from Stonyhurst coordinates in degrees.
    """
    header = fits.Header.fromtextfile(get_test_filepath("hmi_sharp_magnetogram.header"))
    header = {key: value for key, value in header.items() if key not in ("HISTORY", "COMMENT", "")}
    factor = 4096 / size
    header |= {"NAXIS1": size, "NAXIS2": size, "CRPIX1": size / 2 - 3.2, "CRPIX2": size / 2 + 7.7}
    header |= {key: factor * header[key] for key in ("CDELT1", "CDELT2")}
    empty = sunpy.map.Map(np.zeros((size, size)), header)
    rows, columns = np.indices((size, size))
    frame = HeliographicStonyhurst(obstime=empty.coordinate_frame.obstime)
    there = empty.wcs.pixel_to_world(columns, rows).make_3d().transform_to(frame)
    surface = there.cartesian.xyz
    sight = empty.observer_coordinate.transform_to(frame).cartesian.xyz[:, np.newaxis, np.newaxis] - surface
    cosine = (surface * sight).sum(axis=0) / np.linalg.norm(surface, axis=0) / np.linalg.norm(sight, axis=0)
    return sunpy.map.Map(values(there.lon.deg, there.lat.deg) * cosine.to_value(u.one), header)


@pytest.fixture(scope="module")
def mask():
    holes = [Cap(lon * u.deg, lat * u.deg, 10 * u.deg) for lon, lat in ((-40, -20), (10, 30))]
    return mask_of_caps("2024-06-28T00:00:00", holes, size=512)


class TestField:
    """On synthetic magnetograms; only the header is that of a real one."""

    @pytest.mark.parametrize("size", [256, 512, 1024])
    def test_of_one_sign(self, mask, size):
        table = region_table(mask, magnetogram=hmi(lambda lon, lat: np.full(lon.shape, -4.0), size))
        assert table["field_mean"].unit == u.G
        assert u.allclose(table["field_mean"], -4 * u.G, rtol=1e-3)
        assert u.allclose(table["flux_signed"], (-4 * u.G * cap_area(10 * u.deg)).to(u.Unit("Mx")), rtol=0.01)
        assert u.allclose(table["flux_unsigned"], -table["flux_signed"])
        np.testing.assert_array_equal(table["polarity"], [-1, -1])
        np.testing.assert_allclose(table["unipolarity"], 1)
        np.testing.assert_allclose(table["field_coverage"], 1)

    def test_of_two_signs(self, mask):
        table = region_table(mask, magnetogram=hmi(lambda lon, lat: np.where(lon < 10, 30.0, -10.0)))
        np.testing.assert_array_equal(table["polarity"], [1, 1])
        # Half of the second cap has 30 G, half -10 G.
        assert u.isclose(table["field_mean"][1], 10 * u.G, atol=0.3 * u.G)
        assert table["unipolarity"][1] == pytest.approx(0.5, abs=0.02)
        assert table["field_skewness"][1] == pytest.approx(0, abs=0.1)

    def test_skewness_of_rare_strong_field(self, mask):
        field = hmi(lambda lon, lat: np.where(np.hypot(lon - 10, lat - 30) < 3, 50.0, 0))
        table = region_table(mask, magnetogram=field)
        # A share q of the area at one value, the rest at another.
        q = (1 - np.cos(np.radians(3))) / (1 - np.cos(np.radians(10)))
        assert table["field_skewness"][1] == pytest.approx((1 - 2 * q) / np.sqrt(q * (1 - q)), rel=0.15)

    def test_unknown_near_the_limb_and_behind(self):
        behind = SkyCoord(120 * u.deg, 0 * u.deg, 1 * u.AU, frame="heliographic_stonyhurst", obstime="2024-06-28")
        holes = [Cap(lon * u.deg, 0 * u.deg, 8 * u.deg) for lon in (75, 130)]
        mask = mask_of_caps("2024-06-28", holes, size=512, observer=behind)
        table = region_table(mask, magnetogram=hmi(lambda lon, lat: np.full(lon.shape, 6.0)))
        table.sort("lon_min")
        assert 0.4 < table["field_coverage"][0] < 0.6
        assert u.isclose(table["field_mean"][0], 6 * u.G, rtol=0.01)
        assert table["field_coverage"][1] == 0
        assert np.isnan(table["flux_signed"][1])
        assert np.isnan(table["flux_unsigned"][1])
        assert table["polarity"][1] == 0

    @pytest.mark.filterwarnings("ignore:Missing metadata for observer")
    @pytest.mark.parametrize(
        ("name", "content", "field"),
        [
            ("hmi_synoptic", None, "radial"),
            ("mdi_synoptic", None, "radial"),
            ("gong_synoptic", None, "radial"),
            ("hmi_synoptic", "Carrington Synoptic Chart Of Ml Field", "along sight"),
            ("gong_synoptic", "Synoptic chart, line-of-sight field", "along sight"),
        ],
    )
    def test_of_a_synoptic_chart(self, name, content, field):
        """A chart of the radial field is not divided by the cosine again."""
        header = fits.Header.fromtextfile(get_test_filepath(f"{name}.header"))
        header = {key: value for key, value in header.items() if key not in ("HISTORY", "COMMENT", "")}
        if content:
            header["CONTENT"] = content
        cosine = np.sqrt(1 - ((np.arange(header["NAXIS2"]) + 0.5) / header["NAXIS2"] * 2 - 1) ** 2)
        values = 3 * (cosine if field == "along sight" else np.ones_like(cosine))
        chart = sunpy.map.Map(np.repeat(values[:, np.newaxis], header["NAXIS1"], axis=1), header)
        mask = mask_of_caps(chart.date.isot, [Cap(0 * u.deg, 60 * u.deg, 8 * u.deg)], size=64)
        (row,) = region_table(mask, magnetogram=chart)
        assert u.isclose(row["field_mean"], 3 * u.G, rtol=0.01)
        assert u.isclose(row["flux_signed"], (3 * u.G * row["area"]).to(u.Unit("Mx")), rtol=0.01)

    @pytest.mark.parametrize(
        ("keys", "factor"),
        [
            ({}, 1),
            ({"content": "MAGNETOGRAM"}, 1),
            ({"content": "HMI Br"}, 0.5),
            ({"content": "radial field"}, 0.5),
            ({"btype": "Mr"}, 0.5),
            ({"content": "B_los"}, 1),
        ],
    )
    def test_of_an_image_as_its_header_says(self, keys, factor):
        mask = mask_of_caps(DATE, [Cap(60 * u.deg, 0 * u.deg, 4 * u.deg)], size=128)
        image = sunpy.map.Map(np.full(mask.data.shape, 3.0), {**mask.meta, "bunit": "G", "content": "", **keys})
        (row,) = region_table(mask, magnetogram=image)
        assert u.isclose(row["field_mean"], 6 * factor * u.G, rtol=0.05)

    def test_needs_a_unit_of_field(self, mask):
        with pytest.raises(InvalidMapError, match="unit of magnetic field"):
            region_table(mask, magnetogram=disk_map(lambda x, y: x))


class TestProbability:
    def test_confidence_and_interval(self):
        mask = mask_of(["000000", "011100", "000000", "000000", "000000", "000000"])
        values = np.zeros((6, 6))
        values[4, 1:5] = 0.9, 0.8, 0.6, 0.2
        values[3, 1] = 0.1
        values[1, 1] = 0.4
        row = region_table(mask, probability=sunpy.map.Map(values, mask.meta))[0]
        assert row["confidence"] == pytest.approx((0.9 + 0.8 + 0.6) / 3, rel=0.01)
        assert u.isclose(row["area_low"], row["area"] / 3, rtol=0.01)
        assert u.isclose(row["area_high"], row["area"] * 4 / 3, rtol=0.01)

    def test_interval_of_a_soft_edge(self):
        # The probability falls off linearly over 10 degrees: at 0.84 and 0.16 the radius is 3.4 degrees off.
        mask = caps((0, 0), radius=20 * u.deg, size=512)
        soft = np.nan_to_num(np.clip(0.5 - (angles(mask, 0 * u.deg, 0 * u.deg).deg - 20) / 10, 0, 1))
        table = region_table(mask, probability=sunpy.map.Map(soft, mask.meta))
        assert u.allclose(table["area_low"], cap_area(16.6 * u.deg), rtol=0.01)
        assert u.allclose(table["area_high"], cap_area(23.4 * u.deg), rtol=0.01)

    def test_neighbours_share_what_is_between_them(self):
        mask = mask_of(["0000000", "0100010", "0000000", "0000000", "0000000", "0000000", "0000000"])
        values = np.zeros((7, 7))
        values[5] = 0, 0.9, 0.5, 0.2, 0.3, 0.9, 0
        table = region_table(mask, probability=sunpy.map.Map(values, mask.meta))
        total = (table["area_high"] / table["area"]).to_value(u.one)
        np.testing.assert_allclose(np.sort(total), [2, 3], rtol=0.02)

    def test_an_image_is_no_probability(self):
        mask = caps((0, 0), size=64)
        with pytest.raises(InvalidMapError, match="between 0 and 1"):
            region_table(mask, probability=sunpy.map.Map(mask.data * 100.0, mask.meta))

    def test_must_be_on_the_pixels_of_the_mask(self):
        with pytest.raises(InvalidMapError, match="pixels of the mask"):
            region_table(caps((0, 0), size=64), probability=caps((0, 0), size=128))


@pytest.mark.parametrize("measure", [area_fraction, label_regions, region_table])
def test_what_is_no_mask(measure):
    with pytest.raises(TypeError, match="sunpy Map"):
        measure(np.zeros((4, 4)))
    with pytest.raises(InvalidMapError, match="threshold"):
        measure(disk_map(lambda x, y: x))
    header = {**disk_map(lambda x, y: x).meta, "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN"}
    with pytest.raises(InvalidMapError, match="helioprojective or heliographic"):
        measure(sunpy.map.Map(np.zeros((4, 4)), header))


@pytest.mark.parametrize(
    "work",
    [
        lambda mask, folder: write_geojson(mask, folder / "mask.json"),
        lambda mask, folder: hek_records(mask),
        lambda mask, folder: track_regions([mask]),
        lambda mask, folder: scenes_of(mask, mask),
    ],
    ids=["GeoJSON", "HEK", "tracks", "report"],
)
def test_regions_are_found_once(work, tmp_path, monkeypatch):
    labelled = []
    label = _regions.label
    monkeypatch.setattr(_regions, "label", lambda *args, **some: (labelled.append(some), label(*args, **some))[1])
    work(caps((20, 10), size=64), tmp_path)
    assert labelled == [{}]
