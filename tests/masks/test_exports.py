"""Masks for other programs, and back."""

import json
import sys
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from makers import fill_polygon

import astropy.units as u
import sunpy.map
from astropy.coordinates import SkyCoord
from astropy.table import QTable, Table
from sunpy.coordinates import HeliographicCarrington, HeliographicStonyhurst, get_earth
from sunpy.map.header_helper import make_heliographic_header

from sunpy_scss.annotations import geojson_to_mask
from sunpy_scss.exceptions import HEKWarning, InvalidMapError
from sunpy_scss.hek import hek_records, hek_table, hek_to_mask
from sunpy_scss.images import read_map
from sunpy_scss.masks import label_regions, region_outlines, region_table, reproject_mask, sky_regions, write_geojson
from sunpy_scss.synthetic import Cap, synthetic_sun

# The south pole is in sight by 7 degrees.
DATE = "2017-03-01T12:00"
FRAMES = ("heliographic_stonyhurst", "heliographic_carrington", "helioprojective")


@cache
def sun(holes, place, size):
    holes = [Cap(*(value * u.deg for value in hole)) for hole in holes]
    return synthetic_sun(DATE, coronal_holes=holes, active_regions=[], size=size, observer=place and observer(*place))


def caps(*holes, place=None, size=128):
    """A new mask of caps (lon, lat, radius) in degrees, seen from a place (lon, lat, distance)."""
    mask = sun(holes, place, size).coronal_holes
    return with_data(mask.data.copy(), mask)


def without(mask, other):
    return with_data(mask.data * (1 - other.data), mask)


def with_data(data, mask):
    return sunpy.map.Map(np.asarray(data, dtype=np.int16), mask.meta)


def observer(lon, lat, distance):
    return SkyCoord(lon * u.deg, lat * u.deg, distance * u.AU, frame="heliographic_stonyhurst", obstime=DATE)


def mirrored(mask):
    """The same Sun on columns that run to the east."""
    nx = mask.data.shape[1]
    meta = {**mask.meta, "cdelt1": -mask.meta["cdelt1"], "crpix1": nx + 1 - mask.meta["crpix1"]}
    return sunpy.map.Map(mask.data[:, ::-1].copy(), meta)


def vertices(text):
    """(n, 2) of a polygon of the HEK."""
    return np.array([vertex.split() for vertex in text[9:-2].split(",")], dtype=float)


def noise():
    """Pixels at random: many regions and holes, touching by corners, and all along the limb."""
    disk = caps((0, 0, 90), size=32)
    return with_data(disk.data * (np.random.default_rng(0).random(disk.data.shape) < 0.6), disk)


SCENES = {
    "caps": lambda: caps((10, 20, 15), (-40, -10, 10)),
    "hole in a region": lambda: without(caps((20, 10, 25)), caps((25, 15, 10))),
    "cut by the limb": lambda: caps((85, 20, 15), (-92, -10, 10)),
    "around a pole at the limb": lambda: caps((0, -90, 25)),
    "around a pole in sight": lambda: caps((0, 90, 35), place=(20, 70, 0.3)),
    "ring around a pole": lambda: without(
        caps((0, 90, 35), place=(20, 70, 0.3)), caps((0, 90, 15), place=(20, 70, 0.3))
    ),
    "across 180 degrees": lambda: without(
        caps((180, 10, 25), place=(178, 3, 1)), caps((185, 10, 10), place=(178, 3, 1))
    ),
    "around a pole, mirrored": lambda: mirrored(caps((0, -90, 25), place=(0, -20, 1))),
    "whole disc": lambda: caps((0, 0, 90)),
    "noise": noise,
    "empty": lambda: caps(),
}


@pytest.fixture(params=SCENES)
def mask(request):
    return SCENES[request.param]()


def heliographic(data, frame="carrington"):
    header = make_heliographic_header(DATE, get_earth(DATE), data.shape, frame=frame)
    header |= {"hgln_obs": 0, "hglt_obs": -7, "dsun_obs": 1.48e11, "SCSSFEAT": "CH"}
    return sunpy.map.Map(data.astype(np.int16), header)


class TestOutlines:
    def test_fill_the_mask_again(self, mask):
        data = np.zeros(mask.data.shape, dtype=bool)
        for polygons in region_outlines(mask).values():
            for rings in polygons:
                corners = [np.transpose(mask.wcs.world_to_pixel(ring[:-1])) for ring in rings]
                data ^= fill_polygon(corners, data.shape)
        assert (data == mask.data).all()

    def test_numbers_are_those_of_the_table(self, mask):
        assert list(region_outlines(mask)) == region_table(mask)["id"].tolist()

    def test_rings_are_closed(self, mask):
        rings = [ring for some in region_outlines(mask).values() for rings in some for ring in rings]
        assert all(ring[0].Tx == ring[-1].Tx and ring[0].Ty == ring[-1].Ty for ring in rings)

    def test_pixels_that_touch_by_corners(self):
        mask = caps()
        mask.data[70:72, 70:72] = mask.data[72, 72] = 1
        mask.data[60:63, 60:63] = 1
        mask.data[61, 61] = 0
        shapes = region_outlines(mask)
        assert [[len(rings) for rings in polygons] for polygons in shapes.values()] == [[2], [1, 1]]
        assert [len(rings[0]) for rings in shapes[2]] == [9, 5]

    def test_of_a_heliographic_map(self):
        mask = heliographic(np.zeros((90, 180)))
        mask.data[40:50, 170:] = mask.data[40:50, :10] = 1
        ((ring,),) = region_outlines(mask)[1]
        assert isinstance(ring.frame, HeliographicCarrington)
        assert len(ring) == 2 * (10 + 20) + 1
        assert np.ptp(ring.lat).deg == pytest.approx(20)

    @pytest.mark.parametrize("columns", [160, 180], ids=["across the first column", "around the axis"])
    def test_the_outer_ring_is_first(self, columns):
        mask = heliographic(np.zeros((90, 180)))
        mask.data[30:60, :columns] = 1
        mask.data[40:50, 17:23] = 0
        mask = with_data(np.roll(mask.data, -20, axis=1), mask)
        (rings,) = region_outlines(mask)[1]
        assert len(rings[-1]) == 2 * (6 + 10) + 1

    def test_values(self):
        with pytest.raises(InvalidMapError, match="0 and 1 only"):
            region_outlines(with_data(2 * caps((0, 0, 20)).data, caps()))


class TestGeoJSON:
    @pytest.mark.parametrize("frame", FRAMES)
    def test_comes_back(self, mask, frame, tmp_path):
        write_geojson(mask, tmp_path / "mask.json", frame=frame)
        again = geojson_to_mask(tmp_path / "mask.json", mask, feature="CH")
        assert (again.data == mask.data).all()

    def test_on_rotated_pixels(self, tmp_path):
        mask = caps((85, 20, 15), (-30, -70, 20)).rotate(35 * u.deg, order=0, missing=0)
        mask = with_data(label_regions(mask).data > 0, mask)
        write_geojson(mask, tmp_path / "mask.json")
        assert (geojson_to_mask(tmp_path / "mask.json", mask, feature="CH").data == mask.data).all()

    def test_a_corner_in_the_very_middle_of_the_disc(self, tmp_path):
        mask = caps()
        mask.data[60:64, 64:70] = 1
        write_geojson(mask, tmp_path / "mask.json")
        assert (geojson_to_mask(tmp_path / "mask.json", mask, feature="CH").data == mask.data).all()

    @pytest.mark.parametrize("frame", FRAMES[:2])
    @pytest.mark.parametrize(
        "rows", [(40, 60), (0, 15), (75, 90), (0, 90)], ids=["belt", "south pole", "north pole", "everything"]
    )
    def test_of_a_heliographic_map(self, rows, frame, tmp_path):
        mask = heliographic(np.zeros((90, 180)))
        mask.data[slice(*rows)] = 1
        image = caps(size=128)
        write_geojson(mask, tmp_path / "mask.json", frame=frame)
        again = geojson_to_mask(tmp_path / "mask.json", image, feature="CH").data
        expected = reproject_mask(mask, image).data
        assert np.count_nonzero(again != expected) <= 0.005 * expected.sum()

    def test_of_a_heliographic_map_from_everywhere(self, tmp_path):
        """Each pixel but those across the border of the region, whatever side of the Sun is looked at."""
        mask = heliographic(np.zeros((90, 180)))
        mask.data[40:70, 150:] = mask.data[40:70, :40] = 1
        mask.data[50:60, 170:] = mask.data[50:60, :5] = 0
        write_geojson(mask, tmp_path / "mask.json")
        for lon in (0, 180):
            image = caps(size=128, place=(lon, 0, 1))
            again = geojson_to_mask(tmp_path / "mask.json", image, feature="CH").data
            expected = reproject_mask(mask, image).data
            assert np.count_nonzero(again != expected) <= 0.01 * max(expected.sum(), 1000)

    @pytest.mark.parametrize("frame", FRAMES[:2])
    @pytest.mark.parametrize("of", ["carrington", "stonyhurst"])
    def test_of_a_heliographic_map_comes_back(self, of, frame, tmp_path):
        mask = heliographic(np.zeros((90, 180)), of)
        mask.data[40:50, 170:] = mask.data[40:50, :10] = mask.data[80:] = 1
        mask.data[44:46, 4:6] = 0
        write_geojson(mask, tmp_path / "mask.json", frame=frame)
        again = geojson_to_mask(tmp_path / "mask.json", mask, feature="CH")
        assert (again.data == mask.data).all()
        assert again.wcs.wcs.ctype[0] == mask.wcs.wcs.ctype[0]

    @pytest.mark.parametrize("frame", FRAMES)
    def test_names_the_sphere_of_the_sun(self, frame, tmp_path):
        write_geojson(caps((10, 20, 15)), tmp_path / "mask.json", frame=frame)
        crs = json.loads((tmp_path / "mask.json").read_text(encoding="utf-8")).get("crs")
        sun = {"type": "name", "properties": {"name": "urn:ogc:def:crs:IAU_2015::1000"}}
        assert crs == (None if frame == "helioprojective" else sun)

    def test_says_what_the_numbers_mean(self, tmp_path):
        mask = caps((10, 20, 15), (-40, -10, 10))
        write_geojson(mask, tmp_path / "mask.json")
        document = json.loads((tmp_path / "mask.json").read_text(encoding="utf-8"))
        table = region_table(mask)
        assert document["frame"] == "heliographic_stonyhurst"
        assert document["date"] == "2017-03-01T12:00:00.000"
        assert document["provenance"]["SCSSFEAT"] == "CH"
        assert document["units"]["coordinates"] == "deg"
        assert u.Unit(document["units"]["area"]) == u.Mm**2
        assert document["observer"]["lat"] == pytest.approx(get_earth(DATE).lat.deg)
        assert [feature["id"] for feature in document["features"]] == [1, 2]
        for feature, row in zip(document["features"], table, strict=True):
            assert feature["properties"]["area"] == row["area"].value
            assert feature["properties"]["centroid_lat"] == row["centroid"].lat.deg
            assert feature["properties"]["touches_limb"] is False

    def test_rings_turn_as_they_should(self, tmp_path):
        """RFC 7946: outer rings counter-clockwise, holes clockwise, closed."""
        write_geojson(SCENES["hole in a region"](), tmp_path / "mask.json")
        (feature,) = json.loads((tmp_path / "mask.json").read_text(encoding="utf-8"))["features"]
        areas = []
        for ring in feature["geometry"]["coordinates"]:
            assert ring[0] == ring[-1]
            x, y = np.transpose(ring)
            areas.append(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) / 2)
        assert areas[0] > 0 > areas[1]

    def test_longitudes_across_180_run_on(self, tmp_path):
        write_geojson(SCENES["across 180 degrees"](), tmp_path / "mask.json")
        (feature,) = json.loads((tmp_path / "mask.json").read_text(encoding="utf-8"))["features"]
        (outer, hole) = (np.transpose(ring)[0] for ring in feature["geometry"]["coordinates"])
        assert np.ptp(outer) < 60
        assert outer.min() < hole.min() < hole.max() < outer.max()

    def test_some_regions_with_more_columns(self, tmp_path):
        sun = synthetic_sun(DATE, size=128, seed=1)
        table = region_table(sun.coronal_holes, image=sun.image)[1:]
        table["intensity_std"][0] = np.nan
        write_geojson(sun.coronal_holes, tmp_path / "mask.json", table=table)
        document = json.loads((tmp_path / "mask.json").read_text(encoding="utf-8"))
        assert [feature["id"] for feature in document["features"]] == table["id"].tolist()
        assert document["features"][0]["properties"]["intensity_std"] is None
        assert document["units"]["intensity_median"] == "DN / s"

    def test_of_another_mask(self, tmp_path):
        with pytest.raises(ValueError, match=r"has 1 regions \(got the id 2\)"):
            write_geojson(caps((0, 0, 9)), tmp_path / "a.json", table=region_table(caps((0, 0, 9), (30, 0, 9))))

    def test_keeps_what_is_there(self, tmp_path):
        path = tmp_path / "mask.json"
        path.write_text("mine", encoding="utf-8")
        with pytest.raises(FileExistsError, match="overwrite=True"):
            write_geojson(caps(size=64), path)
        assert path.read_text(encoding="utf-8") == "mine"
        write_geojson(caps(size=64), path, overwrite=True)
        assert json.loads(path.read_text(encoding="utf-8"))["features"] == []
        assert list(tmp_path.iterdir()) == [path]

    def test_unknown_frame(self, tmp_path):
        with pytest.raises(ValueError, match=r"heliographic_carrington, .* \(got 'icrs'\)"):
            write_geojson(caps(size=64), tmp_path / "mask.json", frame="icrs")

    def test_no_sky_in_a_heliographic_map(self, tmp_path):
        with pytest.raises(InvalidMapError, match="write heliographic ones"):
            write_geojson(heliographic(np.zeros((18, 36))), tmp_path / "mask.json", frame="helioprojective")


class TestHEK:
    @pytest.mark.parametrize(
        "scene", ["caps", "hole in a region", "cut by the limb", "around a pole at the limb", "noise"]
    )
    def test_comes_back(self, scene):
        mask = SCENES[scene]()
        assert (hek_to_mask(hek_records(mask), mask).data == mask.data).all()

    def test_comes_back_from_a_file(self, tmp_path):
        mask = SCENES["hole in a region"]()
        hek_records(mask).write(tmp_path / "records.csv")
        records = Table.read(tmp_path / "records.csv")
        assert (hek_to_mask(records, mask).data == mask.data).all()

    def test_the_time_is_that_of_the_image(self):
        records = hek_records(caps((10, 20, 15)))
        assert hek_table(records)["obstime"].isot.tolist() == ["2017-03-01T12:00:00.000"]
        assert records["event_starttime"] == records["event_endtime"] == "2017-03-01T12:00:00.000"

    def test_turns_with_the_sun(self):
        later = synthetic_sun("2017-03-01T15:00", coronal_holes=[], active_regions=[], size=128).image
        mask = caps((10, 20, 15))
        drawn, expected = hek_to_mask(hek_records(mask), later).data, reproject_mask(mask, later).data
        assert np.count_nonzero(drawn != expected) <= 0.02 * expected.sum()

    def test_values(self):
        """Against the region table, and the area of the cap as it is seen."""
        mask = caps((0, -7, 15))
        (record,), (row,) = hek_records(mask), region_table(mask)
        assert record["event_type"] == "CH"
        assert record["frm_name"] == "sunpy_scss"
        assert record["event_coordsys"] == "UTC-HPC-TOPO"
        assert (record["hpc_x"], record["hpc_y"]) == pytest.approx((0, 0), abs=5)
        assert (record["hgs_x"], record["hgs_y"]) == pytest.approx((0, -7), abs=0.2)
        assert record["hgc_x"] == pytest.approx(row["carrington_lon"].value, abs=0.01)
        assert record["area_atdiskcenter"] == row["area"].to_value(u.km**2)
        radius = 695700 * np.sin(np.radians(15))
        assert record["area_raw"] == pytest.approx(np.pi * radius**2, rel=0.01)
        assert record["boundbox_c1ur"] - record["boundbox_c1ll"] == pytest.approx(
            2 * 970 * np.sin(np.radians(15)), abs=15
        )

    def test_areas_are_as_seen_from_earth(self):
        (record,) = hek_records(caps((60, 0, 15), place=(60, 0, 0.5)))
        assert record["area_raw"] / record["area_atdiskcenter"] == pytest.approx(0.5, abs=0.02)

    def test_wavelength(self):
        mask = caps((0, 0, 20))
        assert hek_records(mask)["obs_meanwavel"] == [193]
        del mask.meta["waveunit"]
        assert np.isnan(hek_records(mask)["obs_meanwavel"])

    def test_heliographic_polygons(self):
        record = hek_records(caps((10, 20, 15)))[0]
        for name, lon in (("hgs_boundcc", 10), ("hgc_boundcc", record["hgc_x"])):
            there = SkyCoord(*vertices(record[name]).T, unit=u.deg, frame=HeliographicStonyhurst(obstime=DATE))
            centre = SkyCoord(lon * u.deg, 20 * u.deg, frame=HeliographicStonyhurst(obstime=DATE))
            assert np.allclose(there.separation(centre).deg, 15, atol=1.3)

    @pytest.mark.parametrize("turned", [lambda mask: mask, mirrored], ids=["", "mirrored"])
    def test_polygon_around_a_pole(self, turned):
        for pole in (-90, 90):
            (record,) = hek_records(turned(caps((0, pole, 25), place=(0, pole / 3, 1))))
            assert np.abs(vertices(record["hgs_boundcc"])[:, 1] - pole).max() < 40

    def test_what_the_earth_does_not_see(self):
        mask = caps((180, 0, 15), (100, 0, 20), place=(120, 0, 1))
        with pytest.warns(HEKWarning, match="1 of 2 regions cannot be seen from Earth"):
            records = hek_records(mask)
        assert len(records) == 1
        here = caps((180, 0, 15), (100, 0, 20))
        drawn = hek_to_mask(records, here).data
        assert np.count_nonzero(drawn != here.data) <= 0.1 * here.data.sum()

    def test_none(self):
        records = hek_records(caps())
        assert len(records) == 0
        assert {"event_type", "hpc_boundcc", "hgs_boundcc", "area_atdiskcenter"} <= set(records.colnames)
        assert not hek_to_mask(records, caps()).data.any()

    def test_which_feature(self):
        mask = caps((0, 0, 20))
        del mask.meta["SCSSFEAT"]
        with pytest.raises(InvalidMapError, match=r"SCSSFEAT = CH or AR \(got None\)"):
            hek_records(mask)


class TestSkyRegions:
    """With a stand-in that keeps what it is given: the package is no dependency."""

    @pytest.fixture
    def regions(self, monkeypatch):
        package = SimpleNamespace(
            PolygonSkyRegion=lambda vertices, meta: SimpleNamespace(vertices=vertices, meta=meta),
            RegionMeta=dict,
            Regions=list,
        )
        monkeypatch.setitem(sys.modules, "regions", package)

    @pytest.mark.usefixtures("regions")
    def test_one_ring_for_each_region_fills_it(self, mask):
        labels = label_regions(mask).data
        found = sky_regions(mask)
        assert [region.meta["label"] for region in found] == [str(number + 1) for number in range(labels.max())]
        for number, region in enumerate(found, start=1):
            ring = np.transpose(mask.wcs.world_to_pixel(region.vertices))
            # Positions are exact to a billionth of a pixel.
            filled = fill_polygon([np.round(ring, 6)], labels.shape)
            assert (filled == (labels == number)).all()

    @pytest.mark.usefixtures("regions")
    def test_pieces_that_touch_across_the_first_column(self):
        mask = heliographic(np.zeros((90, 180)))
        mask.data[40, 179] = mask.data[41, 0] = 1
        (region,) = sky_regions(mask)
        ring = np.transpose(mask.wcs.world_to_pixel(region.vertices))
        assert (fill_polygon([ring], mask.data.shape) == mask.data).all()

    @pytest.mark.usefixtures("regions")
    @pytest.mark.parametrize("frame", ["carrington", "stonyhurst"])
    @pytest.mark.parametrize("columns", [25, 180], ids=["across the first column", "around the axis"])
    def test_over_the_seam(self, frame, columns):
        mask = heliographic(np.zeros((90, 180)), frame)
        mask.data[30:52, :columns] = 1
        mask.data[40:44, 17:23] = mask.data[33:36, 5:8] = 0
        mask = with_data(np.roll(mask.data, -20, axis=1), mask)
        (region,) = sky_regions(mask)
        ring = np.transpose(mask.wcs.world_to_pixel(region.vertices))
        assert (fill_polygon([ring], mask.data.shape) == mask.data).all()

    @pytest.mark.usefixtures("regions")
    def test_thousands_of_holes(self):
        mask = caps((0, 0, 60), size=200)
        mask.data[::2, ::2] = 0
        (rings,) = (rings for polygons in region_outlines(mask).values() for rings in polygons)
        (region,) = sky_regions(mask)
        assert len(rings) > 2000
        filled = fill_polygon([np.round(np.transpose(mask.wcs.world_to_pixel(region.vertices)), 6)], mask.data.shape)
        assert (filled == mask.data).all()

    def test_with_the_package_itself(self, mask):
        pytest.importorskip("regions")
        filled = np.zeros(mask.data.shape, dtype=bool)
        for region in sky_regions(mask):
            filled |= region.to_pixel(mask.wcs).to_mask(mode="center").to_image(mask.data.shape).astype(bool)
        # Its vertices are off by some billionths of a pixel, and its edges belong to no pixel for certain.
        assert (filled == (mask.data == 1)).mean() > 0.999

    def test_not_installed(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "regions", None)
        with pytest.raises(ImportError, match="pip install regions"):
            sky_regions(caps())


class TestOwnFormats:
    """What sunpy and astropy write themselves."""

    @pytest.mark.parametrize("make", [lambda mask: mask, label_regions], ids=["mask", "labels"])
    def test_maps_as_fits(self, mask, make, tmp_path):
        smap = make(mask)
        smap.save(tmp_path / "map.fits")
        again = sunpy.map.Map(tmp_path / "map.fits")
        assert (again.data == smap.data).all()
        assert again.data.dtype.kind == "i"
        assert again.date == smap.date
        assert again.meta["SCSSFEAT"] == "CH"

    @pytest.mark.parametrize("name", ["table.ecsv", "table.fits"])
    @pytest.mark.filterwarnings("ignore:The unit 'DN / s' could not be saved in native FITS format")
    def test_tables(self, name, tmp_path):
        sun = synthetic_sun(DATE, size=128, seed=1)
        table = region_table(sun.coronal_holes, image=sun.image)
        table.write(tmp_path / name)
        again = QTable.read(tmp_path / name)
        assert again.colnames == table.colnames
        assert again.meta["SCSSFEAT"] == "CH"
        for column in table.colnames:
            if column == "centroid":
                assert np.all(again[column].separation(table[column]) < 1e-9 * u.deg)
                assert again[column].frame.obstime == table[column].frame.obstime
            else:
                assert (again[column] == table[column]).all()


def test_real_mask(shared_data, tmp_path):
    """Dark pixels of a real image, ragged and down to the limb."""
    image = read_map(shared_data / "fits" / "AIA20170124_2300_0193.fits").resample((256, 256) * u.pix)
    smap = sunpy.map.Map((image.data < 25).astype(np.int16), {**image.meta, "SCSSFEAT": "CH", "bunit": ""})
    mask = with_data(label_regions(smap).data > 0, smap)
    write_geojson(mask, tmp_path / "mask.json")
    again = geojson_to_mask(tmp_path / "mask.json", mask, feature="CH")
    # Of pixels whose very middle is on the limb.
    assert np.count_nonzero(again.data != mask.data) <= 5


def test_one_convention_of_carrington_longitude(tmp_path):
    """From 0.3 au light is under way for less time than to Earth: 0.06 degrees, in one table and not in another."""
    place = SkyCoord(30 * u.deg, 0 * u.deg, 0.3 * u.AU, frame="heliographic_stonyhurst", obstime=DATE)
    holes = [Cap(30 * u.deg, 5 * u.deg, 20 * u.deg)]
    mask = synthetic_sun(DATE, coronal_holes=holes, active_regions=[], size=128, observer=place).coronal_holes
    table = region_table(mask)
    earth = HeliographicCarrington(observer="earth", obstime=mask.date)
    expected = table["centroid"].transform_to(earth).lon.to_value(u.deg)[0]
    assert table["carrington_lon"].to_value(u.deg)[0] == pytest.approx(expected, abs=1e-6)
    assert hek_records(mask)["hgc_x"][0] == pytest.approx(expected, abs=1e-6)
    write_geojson(mask, tmp_path / "mask.json", frame="heliographic_carrington")
    document = json.loads((tmp_path / "mask.json").read_text())
    [ring] = document["features"][0]["geometry"]["coordinates"]
    lon = np.array(ring)[:, 0]
    assert (lon.min() + lon.max()) / 2 == pytest.approx(expected, abs=1)
    assert table.meta["CARROBS"] == document["provenance"]["CARROBS"] == "Earth"
    assert (geojson_to_mask(tmp_path / "mask.json", mask, feature="CH").data == mask.data).all()
