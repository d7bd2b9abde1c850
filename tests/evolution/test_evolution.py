"""Regions of known size and place, followed through days and summed over rotations."""

import weakref
from functools import cache

import numpy as np
import pytest
from makers import DATE, disk_map, mask_of_caps

import astropy.units as u
import sunpy.map
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.time import Time
from sunpy.coordinates import (
    HeliographicCarrington,
    HeliographicStonyhurst,
    get_earth,
    propagate_with_solar_surface,
)
from sunpy.coordinates.sun import carrington_rotation_number

from sunpy_scss.evolution import (
    carrington_coverage,
    carrington_map,
    central_meridian_fraction,
    total_series,
    track_regions,
    track_series,
)
from sunpy_scss.exceptions import InvalidMapError
from sunpy_scss.images import read_map
from sunpy_scss.masks import area_fraction, compare_masks, match_regions, region_table
from sunpy_scss.segment import segment_coronal_holes
from sunpy_scss.synthetic import Cap, synthetic_sun

START = Time(DATE)
R = 695.7 * u.Mm


def cap_area(radius):
    return 2 * np.pi * R**2 * (1 - np.cos(radius * u.deg))


@cache
def turned(lon, lat, days):
    """The Stonyhurst longitude in degrees of a place on the Sun some days later, by sunpy alone."""
    place = SkyCoord(lon * u.deg, lat * u.deg, 1 * u.R_sun, frame=HeliographicStonyhurst(obstime=START))
    with propagate_with_solar_surface():
        return place.transform_to(HeliographicStonyhurst(obstime=START + days * u.day)).lon.deg


def mask_at(days, *caps, size=200, turn=True, **changes):
    """A mask of caps (lon, lat, radius) in degrees; their places are those at the start, turned with the Sun since."""
    holes = [
        Cap((turned(lon, lat, days) if turn else lon) * u.deg, lat * u.deg, radius * u.deg) for lon, lat, radius in caps
    ]
    return mask_of_caps(START + days * u.day, holes, size=size, **changes)


def of_two_models(*caps):
    """Masks of two days, as if of different models."""
    return [
        with_header(mask_at(day, *caps, size=64), SCSSMOD=model, SCSSMED=median)
        for day, model, median in ((0, "A", 10.0), (1, "B", 99.0))
    ]


def with_header(mask, **keywords):
    return sunpy.map.Map(mask.data, {**mask.meta, **keywords})


def events(tracks):
    """(days, event, track, other), days rounded."""
    days = np.rint((tracks.events["time"] - START).to_value(u.day)).astype(int).tolist()
    return list(zip(days, *(tracks.events[name].tolist() for name in ("event", "track", "other")), strict=True))


def numbers(tracks):
    """The tracks of the regions in each mask."""
    regions = tracks.regions
    return [sorted(regions["track"][regions["mask"] == mask].tolist()) for mask in range(len(tracks.times))]


class TestFollowed:
    def test_through_the_disc(self):
        caps = (-45, 15, 9), (-40, -40, 10), (-20, 50, 8)
        tracks = track_regions(mask_at(day, *caps, size=512) for day in range(0, 7, 2))
        assert numbers(tracks) == [[1, 2, 3]] * 4
        assert {event for _, event, *_ in events(tracks)} == {"start"}
        for lon, lat, radius in caps:
            near = np.argmin(np.abs(tracks.regions["lat"][:3].to_value(u.deg) - lat))
            series = track_series(tracks, tracks.regions["track"][near])
            # Near the limb a pixel is a few per cent of them.
            safe = series["beyond_60"] == 0
            assert u.allclose(series["area"][safe], cap_area(radius), rtol=0.01)
            assert u.allclose(series["lat"][safe], lat * u.deg, atol=0.1 * u.deg)
            truth = [turned(lon, lat, day) for day in range(0, 7, 2)] * u.deg
            assert u.allclose(series["lon"][safe], truth[safe], atol=0.2 * u.deg)

    def test_over_the_limb_on_and_off(self):
        tracks = track_regions(mask_at(day, (-130, 10, 10)) for day in range(0, 21, 2))
        names = [(event, track) for _, event, track, _ in events(tracks)]
        assert names == [("rotated on", 1), ("rotated off", 1)]
        assert numbers(tracks)[0] == numbers(tracks)[-1] == []

    def test_birth_and_death(self):
        caps = {day: [(-20, 10, 8)] if 1 <= day <= 2 else [] for day in range(5)}
        tracks = track_regions(mask_at(day, *some) for day, some in caps.items())
        assert events(tracks) == [(1, "birth", 1, 0), (3, "death", 1, 0)]

    def test_two_holes_become_one(self):
        masks = [mask_at(day, (-25, 0, 12), (9 - 4 * day, 0, 8)) for day in range(5)]
        tracks = track_regions(masks)
        large = 1 if tracks.regions["area"][0] > tracks.regions["area"][1] else 2
        small = 3 - large
        (merge,) = [event for event in events(tracks) if event[1] == "merge"]
        assert merge[1:] == ("merge", small, large)
        assert numbers(tracks)[-1] == [large]

    def test_one_hole_becomes_two(self):
        tracks = track_regions(mask_at(day, (-25, 0, 12), (4 * day - 7, 0, 8)) for day in range(5))
        (split,) = [event for event in events(tracks) if event[1] == "split"]
        assert split[1:] == ("split", 2, 1)
        last = tracks.regions[tracks.regions["mask"] == 4]
        assert last["area"][last["track"] == 1] > last["area"][last["track"] == 2]

    def test_back_after_a_rotation(self):
        tracks = track_regions(mask_at(day, (-50, -15, 14), (10, 30, 12)) for day in range(0, 30, 2))
        names = [event for _, event, *_ in events(tracks)]
        assert sorted(names) == ["return", "return", "rotated off", "rotated off", "start", "start"]
        assert numbers(tracks)[0] == numbers(tracks)[-1] == [1, 2]
        assert u.allclose(tracks.regions["lat"][:2], tracks.regions["lat"][-2:], atol=0.1 * u.deg)

    # This was five tracks with four splits and four merges, of pieces near the limb.
    def test_one_hole_for_35_days_is_one_track(self):
        tracks = track_regions(mask_at(day, (-50, 15, 12), size=128) for day in range(36))
        assert set(tracks.regions["track"]) == {1}
        assert events(tracks)[0][1] == "start"
        assert {event for _, event, *_ in events(tracks)} == {"start", "rotated off", "return"}

    def test_slivers_that_come_around_the_limb_are_one_hole(self):
        # Two ends of it come into sight before its middle does.
        parts = (-84, 30, 8), (-84, -6, 8)
        masks = [mask_at(0, *parts), mask_at(1, *parts), *(mask_at(day, *parts, (-84, 12, 12)) for day in (2, 3, 4))]
        tracks = track_regions(masks)
        assert numbers(tracks) == [[1, 1], [1, 1], [1], [1], [1]]
        assert events(tracks) == [(0, "start", 1, 0)]

    def test_holes_that_flow_together_at_the_limb_stay_two(self):
        apart = (20, 0, 8), (40, 0, 8)
        masks = [mask_at(0, *apart), mask_at(3, *apart, (30, 0, 6)), mask_at(4, *apart, (30, 0, 6))]
        assert [event for _, event, *_ in events(track_regions(masks))].count("start") == 2
        assert not {"merge", "split", "birth"} & {event for _, event, *_ in events(track_regions(masks))}
        in_sight = [mask_at(0, *apart, size=64), mask_at(0.5, *apart, (30, 0, 6), size=64)]
        assert [event for _, event, *_ in events(track_regions(in_sight))] == ["start", "start", "merge"]

    def test_death_behind_the_sun(self):
        tracks = track_regions(mask_at(day, *([(30, 10, 10)] if day < 10 else [])) for day in range(0, 28, 2))
        (start, off, death) = events(tracks)
        assert start == (0, "start", 1, 0)
        assert off[1:] == ("rotated off", 1, 0)
        assert death[1:] == ("death", 1, 0)
        # When its place is back in sight.
        assert 18 <= death[0] - off[0] <= 24

    def test_missing_for_a_moment(self):
        def masks():
            return (mask_at(hour / 24, *([] if hour == 6 else [(0, 0, 8)])) for hour in range(0, 24, 6))

        assert numbers(track_regions(masks())) == [[1], [], [1], [1]]
        assert [event for _, event, *_ in events(track_regions(masks()))] == ["start"]
        impatient = track_regions(masks(), patience=0 * u.day)
        assert numbers(impatient) == [[1], [], [2], [2]]
        assert [event for _, event, *_ in events(impatient)] == ["start", "death", "birth"]

    def test_missing_in_the_last_mask(self):
        masks = [mask_at(hour / 24, *([] if hour == 4 else [(0, 0, 8)]), size=64) for hour in range(2, 5)]
        assert [event for _, event, *_ in events(track_regions(masks))] == ["start"]
        impatient = track_regions(masks, patience=0 * u.day)
        assert [event for _, event, *_ in events(impatient)] == ["start", "death"]

    def test_missing_in_the_last_mask_behind_the_sun(self):
        masks = [mask_at(day, *([(40, 10, 10)] if day == 0 else []), size=64) for day in (0, 10, 22)]
        assert events(track_regions(masks)) == [(0, "start", 1, 0), (0, "rotated off", 1, 0)]
        impatient = track_regions(masks, patience=0 * u.day)
        assert events(impatient) == [(0, "start", 1, 0), (0, "rotated off", 1, 0), (22, "death", 1, 0)]

    def test_over_a_gap(self):
        tracks = track_regions(mask_at(day, (-50, 20, 10)) for day in (0, 1, 7))
        assert numbers(tracks) == [[1]] * 3

    def test_over_a_gap_longer_than_memory(self):
        tracks = track_regions([mask_at(0, (0, 20, 10)), mask_at(40, (0, 20, 10), turn=False)])
        assert numbers(tracks) == [[1], [2]]
        assert [event for _, event, *_ in events(tracks)] == ["start", "rotated off", "start"]

    def test_seen_from_two_sides(self):
        def masks():
            for day in range(0, 17, 2):
                date = START + day * u.day
                side = SkyCoord(90 * u.deg, 0 * u.deg, 1 * u.AU, frame=HeliographicStonyhurst(obstime=date))
                yield mask_at(day, (-40, 10, 10))
                yield mask_at(day, (-40, 10, 10), observer=side)

        tracks = track_regions(masks())
        assert all(1 in some for some in numbers(tracks) if some)
        assert events(tracks)[0] == (0, "start", 1, 0)
        assert not {"birth", "death", "rotated on"} & {event for _, event, *_ in events(tracks)}

    def test_in_any_unit_of_time_and_angle(self):
        masks = [mask_at(day, (0, 0, 8)) for day in range(2)]
        one = track_regions(masks, patience=24 * u.hour, max_angle=np.pi / 3 * u.rad)
        assert numbers(one) == numbers(track_regions(masks))

    def test_one_mask_in_memory_at_a_time(self):
        alive = weakref.WeakSet()

        def masks():
            for day in range(4):
                mask = mask_at(day, (0, 0, 8), size=64)
                alive.add(mask)
                assert len(alive) <= 3
                yield mask
                del mask

        track_regions(masks())


class TestTables:
    def test_without_regions(self):
        empty = track_regions([mask_at(0), mask_at(1)])
        full = track_regions([mask_at(0, (0, 0, 8))])
        for some, others in ((empty.regions, full.regions), (empty.events, full.events)):
            assert len(some) == 0
            assert some.colnames == others.colnames
            for name in some.colnames:
                assert type(some[name]) is type(others[name])
                assert getattr(some[name], "unit", None) == getattr(others[name], "unit", None)
        assert len(empty.times) == 2
        assert total_series(empty)["n_regions"].tolist() == [0, 0]
        assert u.allclose(total_series(empty)["area"], 0 * u.Mm**2)

    def test_totals(self):
        caps = (-20, 20, 8), (20, -20, 8)
        tracks = track_regions([mask_at(0, *caps), mask_at(1), mask_at(2, caps[0])])
        series = total_series(tracks)
        assert series["n_regions"].tolist() == [2, 0, 1]
        assert u.allclose(series["area"] / cap_area(8), [2, 0, 1], atol=0.05)

    def test_fluxes_and_intensities(self):
        masks = [mask_at(day, (0, 0, 10)) for day in range(2)]
        fields = [sunpy.map.Map(np.full(mask.data.shape, 3.0), {**mask.meta, "bunit": "G"}) for mask in masks]
        images = [sunpy.map.Map(np.full(mask.data.shape, 50.0), {**mask.meta, "bunit": "DN"}) for mask in masks]
        tracks = track_regions(masks, images=images, magnetograms=iter(fields))
        series = track_series(tracks, 1)
        assert u.allclose(series["intensity_mean"], 50 * u.DN)
        assert u.allclose(series["flux_signed"], 3 * u.G * cap_area(10), rtol=0.05)
        assert u.allclose(total_series(tracks)["flux_signed"], series["flux_signed"])

    @pytest.mark.parametrize("middle", [0, 178])
    def test_pieces_are_one_row(self, middle):
        """A series has one row a time: pieces of a track in one mask are joined, also over 180 degrees."""
        observer = get_earth(START).transform_to(HeliographicStonyhurst(obstime=START))
        observer = SkyCoord((observer.lon.deg + middle) * u.deg, 0 * u.deg, 1 * u.AU, frame=observer.frame)
        caps = [Cap((middle + lon) * u.deg, 0 * u.deg, size * u.deg) for lon, size in ((-12, 9), (12, 6))]
        mask = mask_of_caps(START, caps, size=128, observer=observer)
        field = sunpy.map.Map(np.full(mask.data.shape, 3.0), {**mask.meta, "bunit": "G"})
        image = sunpy.map.Map(np.full(mask.data.shape, 50.0), {**mask.meta, "bunit": "DN/s"})
        tracks = track_regions([mask], images=[image], magnetograms=[field])
        tracks.regions["track"] = 1
        pieces, series, total = tracks.regions, track_series(tracks, 1), total_series(tracks)
        assert (len(pieces), len(series)) == (2, 1)
        assert set(series.colnames) == set(pieces.colnames)
        for name in ("area", "area_percent", "flux_signed", "flux_unsigned"):
            assert u.allclose(series[name], total[name])
        assert series["n_pixels"][0] == pieces["n_pixels"].sum()
        weights = pieces["area"] / pieces["area"].sum()
        lon, joined = ((table["lon"].to_value(u.deg) - middle + 180) % 360 - 180 for table in (pieces, series))
        assert float(joined[0]) == pytest.approx(float(weights @ lon), abs=0.2)
        assert u.isclose((series["lon_max"] - series["lon_min"])[0], 39 * u.deg, atol=2 * u.deg)
        assert u.isclose(series["intensity_mean"][0], 50 * u.DN / u.s)
        assert u.isclose(series["field_mean"][0], weights @ pieces["field_mean"])
        for name in series.colnames:
            assert getattr(series[name], "unit", None) == getattr(pieces[name], "unit", None), name
            assert series[name][0].shape == ()

    def test_of_unknown_flux_add_none(self):
        mask = mask_at(0, (0, 0, 10), (75, 0, 5))
        field = sunpy.map.Map(np.full(mask.data.shape, 3.0), {**mask.meta, "bunit": "G"})
        tracks = track_regions([mask], magnetograms=[field])
        assert np.isfinite(total_series(tracks)["flux_unsigned"]).all()

    def test_there_and_back(self, tmp_path):
        tracks = track_regions([mask_at(day, (0, 0, 10), (30, 30, 5)) for day in range(2)])
        for table in (tracks.regions, tracks.events, QTable(track_series(tracks, 1))):
            table.write(tmp_path / "table.ecsv", overwrite=True)
            again = QTable.read(tmp_path / "table.ecsv")
            assert again.colnames == table.colnames
            assert len(again) == len(table)

    def test_provenance(self):
        meta = track_regions([mask_at(0, (0, 0, 10))]).regions.meta
        assert meta["SCSSFEAT"] == "CH"
        assert "DATE-OBS" not in meta

    def test_provenance_is_what_all_say(self):
        meta = track_regions(of_two_models((0, 0, 10)), mixed_models=True).regions.meta
        assert meta["SCSSFEAT"] == "CH"
        assert not {"SCSSMOD", "SCSSMED"} & set(meta)


class TestTrackErrors:
    def test_order(self):
        with pytest.raises(ValueError, match="order of time"):
            track_regions([mask_at(1), mask_at(0)])

    def test_no_mask(self):
        with pytest.raises(ValueError, match="no mask"):
            track_regions([])

    @pytest.mark.parametrize("count", [0, 1, 3])
    def test_other_number_of_images(self, count):
        masks, others = [mask_at(day, size=64) for day in range(2)], [mask_at(0, size=64)] * count
        for given in (others, iter(others)):
            with pytest.raises(ValueError, match="one image or magnetogram for each mask"):
                track_regions(masks, images=given)

    def test_other_number_of_images_before_any_work(self):
        with pytest.raises(ValueError, match="one image or magnetogram"):
            track_regions(["no mask"] * 2, images=["no image"])

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("min_overlap", 20, "from 0 to 1"),
            ("min_overlap", -0.1, "from 0 to 1"),
            ("min_overlap", np.nan, "from 0 to 1"),
            ("max_angle", 0 * u.deg, "up to 90 degrees"),
            ("max_angle", 91 * u.deg, "up to 90 degrees"),
            ("patience", -1 * u.hour, "negative"),
            ("memory", 0 * u.day, "28 days"),
            ("memory", 1 * u.year, "28 days"),
        ],
    )
    def test_out_of_range(self, name, value, message):
        with pytest.raises(ValueError, match=f"{name} must .*{message}"):
            track_regions([mask_at(0, size=64)], **{name: value})

    def test_no_mask_map(self):
        with pytest.raises(TypeError, match="sunpy Map"):
            track_regions([np.zeros((4, 4))])
        with pytest.raises(InvalidMapError, match="threshold"):
            track_regions([disk_map(lambda x, y: x)])

    def test_no_such_track(self):
        with pytest.raises(ValueError, match="no track 7"):
            track_series(track_regions([mask_at(0, (0, 0, 10))]), 7)


def carrington_caps(days, *caps, **changes):
    """A mask with caps at Carrington longitudes."""
    date = START + days * u.day
    begin = SkyCoord(0 * u.deg, 0 * u.deg, 1 * u.R_sun, frame=HeliographicStonyhurst(obstime=date))
    meridian = begin.transform_to(HeliographicCarrington(obstime=date, observer=get_earth(date))).lon.deg
    return mask_at(days, *((lon - meridian, lat, radius) for lon, lat, radius in caps), turn=False, **changes)


def at(smap, lon, lat):
    """The value of a Carrington map at a place, by sunpy's coordinates."""
    place = SkyCoord(lon * u.deg, lat * u.deg, 1 * u.R_sun, frame=smap.coordinate_frame)
    column, row = smap.wcs.world_to_pixel(place)
    return smap.data[int(np.rint(row)), int(np.rint(column)) % smap.data.shape[1]]


@pytest.fixture(scope="module")
def rotation():
    """Masks of a rotation with three caps."""
    return [carrington_caps(day, (100, 30, 12), (300, -50, 12), (2, 0, 12), size=400) for day in range(0, 27, 4)]


class TestCarrington:
    @pytest.mark.parametrize("projection", ["CEA", "CAR"])
    def test_caps_over_a_rotation(self, rotation, projection, tmp_path):
        smap = carrington_map(rotation, projection=projection, shape=(180, 360))
        assert smap.coordinate_system.axis1 == f"CRLN-{projection}"
        assert np.nanmin(smap.data) == 0
        assert np.nanmax(smap.data) == 1
        smap.save(tmp_path / "map.fits")
        again = sunpy.map.Map(tmp_path / "map.fits")
        table = region_table(sunpy.map.Map((again.data >= 0.5).astype(np.int16), again.meta))
        table.sort("carrington_lon")
        assert u.allclose(table["area"], cap_area(12), rtol=0.01)
        np.testing.assert_allclose(table["carrington_lon"].to_value(u.deg), [2, 100, 300], atol=0.3)
        np.testing.assert_allclose(table["centroid"].lat.deg, [0, 30, -50], atol=0.2)
        for lon, lat in ((100, 30), (300, -50), (2, 0)):
            assert at(again, lon, lat) == 1
            assert at(again, lon, lat + 15) == at(again, lon + 25, lat) == 0

    @pytest.mark.parametrize(("rows", "projection"), [(180, "CEA"), (360, "CEA"), (180, "CAR")])
    def test_area_of_a_polar_cap(self, rows, projection):
        """Its border lies within a row of pixels, of which a part is inside."""
        above = SkyCoord(0 * u.deg, 60 * u.deg, 1 * u.AU, frame=HeliographicStonyhurst(obstime=START))
        masks = [mask_at(0, (0, 90, 20.3), turn=False, size=400, observer=above)]
        smap = carrington_map(masks, shape=(rows, 2 * rows), projection=projection)
        cap = 100 * (1 - np.cos(np.radians(20.3)))
        assert area_fraction(smap).to_value(u.percent) == pytest.approx(cap, rel=0.015)

    def test_longitudes_from_left_to_right(self):
        smap = carrington_map([mask_at(0)], projection="CAR", shape=(90, 180))
        west, east = smap.wcs.pixel_to_world([0, 179], [45, 45]).lon.deg
        assert (west, east) == pytest.approx((1, 359))

    def test_header(self):
        smap = carrington_map([mask_at(0), mask_at(4)], shape=(90, 180))
        assert smap.meta["date-beg"][:10] == "2017-06-01"
        assert smap.meta["date-end"][:10] == "2017-06-05"
        assert smap.coordinate_frame.obstime.isot[:10] == "2017-06-03"
        assert smap.meta["SCSSFEAT"] == "CH"
        assert smap.meta["parent"] == "2 masks"
        assert "car_rot" not in smap.meta
        assert u.isclose(smap.rsun_meters, mask_at(0).rsun_meters)

    def test_header_is_what_all_say(self):
        meta = carrington_map(of_two_models(), shape=(45, 90), mixed_models=True).meta
        assert meta["SCSSFEAT"] == "CH"
        assert not {"SCSSMOD", "SCSSMED"} & {key.upper() for key in meta}

    def test_weights(self):
        """A place on the central meridian in one mask, 53 degrees from it in another that has no hole there."""
        date = START + 4 * u.day
        meridian = HeliographicCarrington(obstime=START, observer=get_earth(START))
        here = SkyCoord(0 * u.deg, 0 * u.deg, 1 * u.R_sun, frame=HeliographicStonyhurst(obstime=START))
        lon = here.transform_to(meridian).lon.deg
        later = SkyCoord(0 * u.deg, 0 * u.deg, 1 * u.R_sun, frame=HeliographicStonyhurst(obstime=date))
        moved = lon - later.transform_to(HeliographicCarrington(obstime=date, observer=get_earth(date))).lon.deg
        weight = np.cos(np.radians(moved)) ** 4
        masks = [mask_at(0, (0, 0, 10)), mask_at(4)]
        assert at(carrington_map(masks, shape=(90, 180)), lon, 0) == pytest.approx(1 / (1 + weight), rel=0.01)
        assert at(carrington_coverage(masks, shape=(90, 180)), lon, 0) == pytest.approx(1 + weight, rel=0.01)

    def test_what_no_mask_shows(self):
        masks = [mask_at(0)]
        smap, coverage = (make(masks, shape=(90, 180)) for make in (carrington_map, carrington_coverage))
        assert smap.data.dtype == coverage.data.dtype == np.float32
        np.testing.assert_array_equal(np.isnan(smap.data), coverage.data == 0)
        # From 1 au, less than half of the Sun is in sight; weights reach 1 on the central meridian.
        assert 0.49 < np.isfinite(smap.data).mean() < 0.5
        assert coverage.data.max() == pytest.approx(1, rel=1e-3)
        assert coverage.meta["content"] == "Carrington coverage, coronal hole mask"

    def test_pole_in_sight_on_all_longitudes(self):
        # Early in September the north pole is tilted to Earth by 7 degrees.
        masks, grid = [mask_at(99)], {"projection": "CAR", "shape": (90, 180)}
        smap, coverage = (make(masks, **grid) for make in (carrington_map, carrington_coverage))
        assert np.isfinite(smap.data[-2:]).all()
        assert np.isnan(smap.data[:2]).all()
        np.testing.assert_array_equal(np.isnan(smap.data), coverage.data == 0)
        assert coverage.data[-1].max() <= 1

    def test_all_of_the_sun_in_a_rotation(self):
        coverage = carrington_coverage([mask_at(day, size=64) for day in range(0, 27, 4)], shape=(90, 180))
        seen = np.abs(np.arcsin((np.arange(90) + 0.5) / 45 - 1)) < np.radians(80)
        assert coverage.data[seen].min() > 0.3

    def test_of_one_rotation(self):
        """A hole that was there only when its longitude passed in the rotation before."""
        number = carrington_rotation_number(START)
        rotation = int(number) + 1
        begin = (rotation - number) * 27.2753
        before = carrington_caps(begin - 3, (40, 0, 10))
        after = carrington_caps(begin + 24, (300, 0, 10))
        both = carrington_map([before, after], shape=(90, 180))
        assert at(both, 40, 0) < 1
        this = carrington_map([before, after], rotation=rotation, shape=(90, 180))
        assert np.isnan(at(this, 60, 0)) or at(this, 60, 0) == 0
        assert at(this, 40, 0) == 0
        previous = carrington_map([before, after], rotation=rotation - 1, shape=(90, 180))
        assert at(previous, 40, 0) == 1
        assert this.meta["car_rot"] == rotation

    def test_from_other_observers(self):
        side = SkyCoord(150 * u.deg, 0 * u.deg, 1 * u.AU, frame=HeliographicStonyhurst(obstime=START))
        smap = carrington_map([carrington_caps(0, (100, 10, 12), observer=side, size=400)], shape=(180, 360))
        (row,) = region_table(sunpy.map.Map((smap.data >= 0.5).astype(np.int16), smap.meta))
        assert u.isclose(row["area"], cap_area(12), rtol=0.01)
        assert abs(row["carrington_lon"].to_value(u.deg) - 100) < 0.3

    def test_errors(self):
        with pytest.raises(ValueError, match="CEA or CAR"):
            carrington_map([mask_at(0)], projection="TAN")
        with pytest.raises(ValueError, match="rotation 2000"):
            carrington_map([mask_at(0)], rotation=2000)
        with pytest.raises(ValueError, match="anything of the Sun"):
            carrington_coverage([])
        with pytest.raises(InvalidMapError, match="threshold"):
            carrington_map([disk_map(lambda x, y: x)])


class TestMeridian:
    def band(self, inside, **changes):
        """A mask of the pixels whose Stonyhurst coordinates (lon, lat) in degrees are inside."""
        smap = disk_map(lambda x, y: x, 500, radius=230, **changes)
        rows, columns = np.indices(smap.data.shape)
        there = smap.wcs.pixel_to_world(columns, rows).transform_to(HeliographicStonyhurst(obstime=DATE))
        return sunpy.map.Map(inside(there.lon.deg, there.lat.deg).astype(np.int16), smap.meta)

    def test_band_of_latitude(self):
        mask = self.band(lambda lon, lat: np.abs(lat) < 20)
        (row,) = central_meridian_fraction([mask], latitudes=(-90, 90) * u.deg)
        assert row["fraction"] == pytest.approx(np.sin(np.radians(20)), rel=0.01)
        assert row["coverage"] == pytest.approx(1, abs=1e-3)
        assert central_meridian_fraction([mask], latitudes=(-20, 20) * u.deg)["fraction"][0] > 0.99
        assert central_meridian_fraction([mask], latitudes=(0, 30) * u.deg)["fraction"][0] == pytest.approx(
            np.sin(np.radians(20)) / np.sin(np.radians(30)), rel=0.01
        )

    @pytest.mark.parametrize("width", [10, 20, 30])
    def test_band_of_longitude(self, width):
        mask = self.band(lambda lon, lat: (lon > 0) & (lon < 5))
        series = central_meridian_fraction([mask], width=width * u.deg, latitudes=(-60, 60) * u.deg)
        assert series["fraction"][0] == pytest.approx(5 / width, rel=0.03)

    def test_of_the_observer(self):
        side = SkyCoord(60 * u.deg, 0 * u.deg, 1 * u.AU, frame=HeliographicStonyhurst(obstime=DATE))
        mask = self.band(lambda lon, lat: np.abs(lon - 60) < 20, observer=side)
        assert central_meridian_fraction([mask])["fraction"][0] > 0.97

    def test_a_hole_passes(self):
        masks = (mask_at(day, (-40, 0, 10)) for day in range(7))
        fraction = central_meridian_fraction(masks, latitudes=(-40, 40) * u.deg)["fraction"]
        assert np.argmax(fraction) == 3
        assert fraction[0] == fraction[6] == 0

    def test_out_of_sight(self):
        cutout = mask_at(0).submap([10, 10] * u.pix, top_right=[40, 190] * u.pix)
        (row,) = central_meridian_fraction([cutout])
        assert np.isnan(row["fraction"])
        assert row["coverage"] == 0

    def test_errors(self):
        with pytest.raises(ValueError, match="no mask"):
            central_meridian_fraction([])
        with pytest.raises(ValueError, match="south first"):
            central_meridian_fraction([mask_at(0)], latitudes=(20, -20) * u.deg)
        with pytest.raises(ValueError, match="width"):
            central_meridian_fraction([mask_at(0)], width=0 * u.deg)


@pytest.fixture(scope="module")
def real_masks(shared_data):
    paths = sorted((shared_data / "fits").glob("AIA2017*_0193.fits"))
    return [segment_coronal_holes(read_map(path)) for path in paths]


class TestReal:
    def test_holes_come_back(self, real_masks):
        tracks = track_regions(real_masks)
        returned = tracks.events[tracks.events["event"] == "return"]
        # The low-latitude holes of 18 and 24 January are there again in mid February.
        low = 0
        for number in returned["track"]:
            series = track_series(tracks, number)
            low += np.abs(np.median(series["lat"])) < 35 * u.deg
        assert low >= 2

    def test_whole_sun(self, real_masks):
        coverage = carrington_coverage(real_masks, shape=(180, 360))
        assert coverage.data[15:-15].min() > 0.5
        share = np.nanmean(carrington_map(real_masks, shape=(180, 360)).data)
        assert 0.05 < share < 0.25


@pytest.mark.parametrize("make", [track_regions, carrington_map, carrington_coverage, central_meridian_fraction])
def test_one_map_is_no_list(make):
    with pytest.raises(TypeError, match=r"as \[mask\]"):
        make(synthetic_sun(size=64).coronal_holes)


@pytest.mark.parametrize("make", [track_regions, carrington_map, carrington_coverage, central_meridian_fraction])
class TestSeries:
    """Masks that do not belong together are refused."""

    def test_of_two_features(self, make):
        masks = [mask_at(0, size=64), with_header(mask_at(1, size=64), SCSSFEAT="AR")]
        with pytest.raises(InvalidMapError, match=r"must not mix features .*'CH' and 'AR'"):
            make(masks)

    def test_of_two_models(self, make):
        with pytest.raises(InvalidMapError, match=r"must not mix models .*'A' and 'B'.*mixed_models=True"):
            make(of_two_models())
        make(of_two_models(), mixed_models=True)

    @pytest.mark.parametrize(
        ("key", "values", "name"),
        [("SCSSBND", ("middle", "tight"), "boundaries"), ("SCSSTHR", (0.5, 0.7), "thresholds")],
    )
    def test_of_two_outlines_of_one_model(self, make, key, values, name):
        """They grow or shrink where the Sun does not change."""
        rule = {"SCSSMOD": "A", "SCSSHASH": "0"}
        masks = [with_header(mask_at(day, size=64), **rule, **{key: value}) for day, value in enumerate(values)]
        with pytest.raises(InvalidMapError, match=f"must not mix {name} .*mixed_models=True"):
            make(masks)
        make(masks, mixed_models=True)

    def test_the_threshold_of_a_classical_method_is_that_of_its_image(self, make):
        make([with_header(mask_at(day, size=64), SCSSMOD="threshold", SCSSTHR=40.0 + day) for day in range(2)])

    def test_of_one_image_twice(self, make):
        masks = [mask_at(0, size=64), mask_at(1, size=64), mask_at(1, size=64)]
        with pytest.raises(InvalidMapError, match=r"two masks of 2017-06-02T12:00:00.000 from the same place"):
            make(masks)


def test_the_feature_is_in_the_header_of_every_table():
    masks = [mask_at(day, (0, 0, 10), size=64) for day in range(2)]
    tracks = track_regions(masks)
    series = central_meridian_fraction(masks)
    tables = [tracks.regions, tracks.events, track_series(tracks, 1), total_series(tracks), series]
    assert [table.meta.get("SCSSFEAT") for table in tables] == ["CH"] * 5
    for table in (compare_masks(masks), match_regions(*masks), region_table(masks[0])):
        assert table.meta["SCSSFEAT"] == "CH"
