"""Geometry: points of known arcseconds, there and back."""

from contextlib import nullcontext

import numpy as np
import pytest
from makers import disk_map

import astropy.units as u
import sunpy.map
from astropy.coordinates import SkyCoord
from sunpy.coordinates import HeliographicStonyhurst, get_earth
from sunpy.map.maputils import all_coordinates_from_map

from sunpy_scss._sun.surface import canonical_surface, surface_of
from sunpy_scss.canonical._check import check_map
from sunpy_scss.canonical._frame import frame_of
from sunpy_scss.canonical._grid import CanonicalGrid
from sunpy_scss.canonical._resample import from_canonical, to_canonical
from sunpy_scss.exceptions import LimbWarning

GRID = CanonicalGrid(256, 1.25)


def blank(x, y):
    return np.ones_like(x)


def stereo():
    earth = get_earth("2017-06-01T12:00:00")
    return SkyCoord(60 * u.deg, 5 * u.deg, 0.96 * u.au, frame="heliographic_stonyhurst", obstime=earth.obstime)


def close_to_sun():
    earth = get_earth("2017-06-01T12:00:00")
    return SkyCoord(-40 * u.deg, 3 * u.deg, 0.3 * u.au, frame="heliographic_stonyhurst", obstime=earth.obstime)


CASES = {
    "plain": {},
    "rotated": {"rotation": 30 * u.deg},
    "upside down": {"rotation": 180 * u.deg},
    "off centre": {"centre": (90.3, 140.8)},
    "small": {"size": 128, "radius": 50},
    "cutout": {"centre": (-40.0, 10.0)},
    "STEREO": {"observer": stereo()},
    "at 0.3 au": {"observer": close_to_sun(), "rotation": 7 * u.deg},
}


@pytest.fixture(params=CASES)
def smap(request):
    return disk_map(blank, **CASES[request.param])


def test_frame_agrees_with_the_wcs(smap):
    frame = frame_of(smap)
    rsun = smap.rsun_obs
    for x, y in [(0, 0), (0.9, 0), (-0.3, 0.7), (0.5, -0.8)]:
        pixel = smap.world_to_pixel(SkyCoord(x * rsun, y * rsun, frame=smap.coordinate_frame))
        expected = [pixel.x.value, pixel.y.value]
        np.testing.assert_allclose(frame.matrix @ (x, y) + frame.centre, expected, atol=1e-4 * frame.pixels_per_radius)


def test_radius_is_that_of_the_coordinates(smap):
    frame = frame_of(smap)
    rows, columns = np.mgrid[10:120:20, 5:120:17]
    world = smap.wcs.pixel_to_world(columns, rows)
    expected = (np.hypot(world.Tx, world.Ty) / smap.rsun_obs).to_value(u.dimensionless_unscaled)
    np.testing.assert_allclose(frame.radius(rows, columns), expected, atol=2e-4 * max(1, expected.max()))


@pytest.mark.parametrize("name", [name for name in CASES if name != "cutout"])
def test_canonical_image_is_the_sun_itself(name):
    """A smooth pattern given in solar radii arrives where those radii are on the grid."""
    smap = disk_map(lambda x, y: 5 + x + 2 * y, **CASES[name])
    image = to_canonical(smap.data, frame_of(smap), GRID)
    x, y = GRID.points
    expected = 5 + x + 2 * y
    inside = GRID.radius < 0.85
    np.testing.assert_allclose(image[inside], expected[inside], atol=3e-3)


def test_outside_of_the_image_there_is_no_data():
    smap = disk_map(blank, centre=(-40.0, 10.0))
    image = to_canonical(smap.data, frame_of(smap), GRID)
    x, y = GRID.points
    assert np.isnan(image[x < 0.38]).all()
    assert np.isfinite(image[(x > 0.45) & (y > 0) & (y < 0.9)]).all()


def test_missing_pixels_do_not_spread():
    smap = disk_map(blank, size=1024, radius=400)
    data = smap.data.copy()
    data[500, 500] = np.nan
    data[600, 600] = np.inf
    image = to_canonical(data, frame_of(smap), GRID)
    assert (image[np.isfinite(image)] == 1).all()
    assert np.isfinite(image[GRID.radius < 1]).all()


def test_there_and_back():
    """A region of known outline returns within a pixel of the grid."""
    smap = disk_map(lambda x, y: (np.hypot(x - 0.3, y + 0.2) < 0.3) * 1.0, size=1024, radius=400, rotation=20 * u.deg)
    frame = frame_of(smap)
    back = from_canonical(to_canonical(smap.data, frame, GRID), frame, GRID)
    wrong = (back >= 0.5) != smap.data.astype(bool)
    assert wrong.sum() < 0.01 * smap.data.sum()


def test_back_ends_at_the_limb():
    smap = disk_map(blank, size=512, radius=200)
    frame = frame_of(smap)
    inside = (GRID.disk).astype(float)
    back = from_canonical(inside, frame, GRID)
    np.testing.assert_array_equal(back, frame.radius(*np.ogrid[:512, :512]) <= 1)


def test_sky_does_not_bleed_onto_the_disk():
    smap = disk_map(blank, size=512, radius=200)
    sky = (GRID.radius > 1).astype(float)
    assert not from_canonical(sky, frame_of(smap), GRID).any()


@pytest.fixture(scope="module", params=["plain", "off centre", "rotated", "STEREO", "at 0.3 au"])
def seen(request):
    """A Map, and where its pixels are on the Sun by sunpy's coordinates; NaN off the disc."""
    keywords = {**CASES[request.param], "size": 1024, "radius": 400}
    if "centre" in keywords:
        keywords["centre"] = (480.3, 530.8)
    smap = disk_map(blank, **keywords)
    frame = HeliographicStonyhurst(obstime=smap.reference_date)
    return smap, all_coordinates_from_map(smap).transform_to(frame)


@pytest.mark.parametrize(("lat", "lon"), [(0, 0), (40, 10), (-20, 50), (0, 60)])
def test_area_of_a_spherical_cap(seen, lat, lon):
    """The cap of half-angle a has 2 pi (1 - cos a) of the squared radius; drawn through sunpy's coordinates."""
    smap, surface = seen
    observer = smap.observer_coordinate
    middle = SkyCoord(observer.lon + lon * u.deg, observer.lat + lat * u.deg, smap.rsun_meters, frame=surface.frame)
    separation = surface.cartesian.xyz.T @ (middle.cartesian.xyz / smap.rsun_meters) / smap.rsun_meters
    cap = np.cos(np.deg2rad(12)) <= separation.to_value(u.dimensionless_unscaled).T
    area = surface_of(smap).areas(*np.nonzero(cap)).sum()
    assert area == pytest.approx(2 * np.pi * (1 - np.cos(np.deg2rad(12))), rel=0.005)


@pytest.mark.parametrize(("factor", "warns"), [(1.001, False), (1.1, True)])
def test_a_radius_that_contradicts_the_distance(factor, warns):
    smap = disk_map(blank)
    meta = {**smap.meta, "rsun_obs": factor * smap.rsun_obs.value}
    with pytest.warns(LimbWarning, match=r"RSUN_OBS = .* contradicts") if warns else nullcontext():
        check_map(sunpy.map.Map(smap.data, meta))


@pytest.mark.parametrize("distance", [60, 215])
def test_the_whole_disk_of_the_canonical_grid_is_what_is_in_sight(distance):
    surface = canonical_surface(GRID, distance)
    assert surface.areas(*GRID.disk.nonzero()).sum() == pytest.approx(2 * np.pi * (1 - 1 / distance), rel=5e-4)
