"""Polygons in solar coordinates on the pixels of Maps."""

import numpy as np
import pytest
from makers import DATE, disk_map

import astropy.units as u
from astropy.coordinates import SkyCoord
from sunpy.coordinates import (
    HeliographicCarrington,
    HeliographicStonyhurst,
    Helioprojective,
    get_earth,
    propagate_with_solar_surface,
    sun,
)

from sunpy_scss._sun.polygons import draw
from sunpy_scss.canonical._frame import frame_of

STONYHURST = HeliographicStonyhurst(obstime=DATE)


def box(left, bottom, right, top):
    return np.array([[left, bottom], [right, bottom], [right, top], [left, top]], dtype=float)


def blank(**changes):
    return disk_map(lambda x, y: np.ones_like(x), **changes)


def surface(smap, frame=STONYHURST):
    """Longitude and latitude of the pixels in degrees, NaN off the disc."""
    rows, columns = np.indices(smap.data.shape)
    seen = smap.pixel_to_world(columns * u.pix, rows * u.pix).make_3d()
    with propagate_with_solar_surface():
        there = seen.transform_to(frame)
    on_disk = frame_of(smap).radius(rows, columns) <= 1
    lon, lat = there.lon.wrap_at(180 * u.deg).deg, there.lat.deg
    return np.where(on_disk, lon, np.nan), np.where(on_disk, lat, np.nan)


def assert_same_but_edges(mask, expected, share=0.01):
    assert np.count_nonzero(mask != expected) <= share * max(expected.sum(), 300)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"rotation": 40 * u.deg, "centre": (100, 140)},
        {"observer": SkyCoord(70 * u.deg, 5 * u.deg, 0.6 * u.AU, frame="heliographic_stonyhurst", obstime=DATE)},
    ],
    ids=["Earth", "rotated and shifted", "from the west"],
)
@pytest.mark.parametrize("edges", [(-20, -10, 30, 25), (40, -60, 140, 50), (-180, 55, 180, 90)])
def test_heliographic_box_covers_the_pixels_whose_surface_is_in_it(changes, edges):
    smap = blank(**changes)
    lon, lat = surface(smap)
    left, bottom, right, top = edges
    turned = np.where(lon < left, lon + 360, lon)
    expected = (turned > left) & (turned < right) & (lat > bottom) & (lat < top)
    assert_same_but_edges(draw([[box(*edges)]], STONYHURST, smap), expected)


@pytest.mark.parametrize("edges", [(150, -20, 210, 20), (95, -40, 265, 40)])
def test_far_side_leaves_the_disc_empty(edges):
    assert not draw([[box(*edges)]], STONYHURST, blank()).any()


def test_polygon_round_the_far_side_ends_at_its_edges_on_the_near_one():
    smap = blank()
    lon, lat = surface(smap)
    mask = draw([[box(60, -30, 280, 30)]], STONYHURST, smap)
    assert_same_but_edges(mask, (abs(lat) < 30) & ((lon > 60) | (lon < -80)), share=0.03)


def test_hole_stays_empty_and_polygons_are_united():
    smap = blank()
    lon, lat = surface(smap)
    ring = [box(-30, -30, 30, 30), box(-10, -10, 10, 10)]
    mask = draw([ring, [box(20, 0, 50, 10)]], STONYHURST, smap)
    expected = ((abs(lon) < 30) & (abs(lat) < 30) & ~((abs(lon) < 10) & (abs(lat) < 10))) | (
        (lon > 20) & (lon < 50) & (lat > 0) & (lat < 10)
    )
    assert_same_but_edges(mask, expected)


def test_carrington_longitude_is_counted_from_the_central_meridian_of_its_date():
    smap = blank()
    centre = sun.L0(DATE).deg
    frame = HeliographicCarrington(observer="earth", obstime=DATE)
    lon, lat = surface(smap)
    mask = draw([[box(centre - 20, 0, centre + 20, 30)]], frame, smap)
    assert_same_but_edges(mask, (abs(lon) < 20) & (lat > 0) & (lat < 30))


def test_polygon_turns_with_the_sun():
    smap = blank()
    before = HeliographicStonyhurst(obstime=smap.date - 2 * u.day)
    lon, lat = surface(smap, before)
    mask = draw([[box(-20, -20, 20, 20)]], before, smap)
    assert_same_but_edges(mask, (abs(lon) < 20) & (abs(lat) < 20), share=0.02)
    columns = np.nonzero(mask)[1]
    assert columns.mean() - 127.5 > 35  # two days are some 27 degrees


def helioprojective(smap, obstime=DATE):
    return Helioprojective(observer=get_earth(obstime), obstime=obstime, rsun=smap.rsun_meters)


def test_helioprojective_polygon_fills_the_pixels_inside():
    smap = blank()
    arcsec = smap.rsun_obs.value
    mask = draw([[box(0, 0, 0.5, 0.3) * arcsec]], helioprojective(smap), smap)
    assert mask.sum() == 50 * 30
    assert mask[128:158, 128:178].all()


def test_vertex_off_the_limb_is_cut_there():
    smap = blank()
    mask = draw([[box(0.8, -0.2, 1.4, 0.2) * smap.rsun_obs.value]], helioprojective(smap), smap)
    frame = frame_of(smap)
    rows, columns = np.indices(frame.shape)
    x, y = (columns - 127.5) / 100, (rows - 127.5) / 100
    np.testing.assert_array_equal(mask, (x > 0.8) & (abs(y) < 0.2) & (frame.radius(rows, columns) <= 1))


def test_region_that_has_rotated_behind_the_limb_is_gone():
    smap = blank()
    earlier = smap.date - 4 * u.day
    west_limb = box(0.85, -0.2, 0.98, 0.2) * smap.rsun_obs.value
    assert not draw([[west_limb]], helioprojective(smap, earlier), smap).any()


def test_no_polygon_is_an_empty_mask():
    mask = draw([], STONYHURST, blank())
    assert mask.shape == (256, 256)
    assert not mask.any()


@pytest.mark.parametrize("north", [-10, 10])
@pytest.mark.parametrize("west", [-10, 10])
@pytest.mark.parametrize("shift", [-1e-6, 0, 1e-6])
def test_a_vertex_at_disc_centre_turns_nothing_inside_out(shift, west, north):
    smap = blank(size=64, radius=25)
    middle = SkyCoord(0 * u.arcsec, 0 * u.arcsec, frame=smap.coordinate_frame).transform_to(STONYHURST)
    for lat in middle.lat.deg + np.array([-1e-15, 0, 1e-15]):
        corners = np.array([(0, 0), (west, 0), (west, north), (0, north)])
        mask = draw([[corners + np.array([middle.lon.deg + shift, lat])]], STONYHURST, smap)
        assert 0 < mask.sum() < 100
