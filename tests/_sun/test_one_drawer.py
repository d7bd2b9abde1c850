"""One polygon is one mask, whatever it comes from."""

import json

import numpy as np
import pytest
from hek_records import DATE, polygon_text, record, sun

import astropy.units as u
from astropy.coordinates import SkyCoord
from astropy.time import Time
from sunpy.coordinates import HeliographicStonyhurst

from sunpy_scss._sun.polygons import draw, earth_frame, inside_rings, pixels_inside
from sunpy_scss.annotations import Annotation, annotation_to_mask, geojson_to_mask
from sunpy_scss.hek import hek_to_mask

RING = np.array([(300, -250), (650, -300), (930, 100), (700, 400), (450, 100), (350, 380)], dtype=float)


@pytest.mark.parametrize("days", [-3, 0, 2])
def test_from_the_hek_an_annotation_and_geojson(days, tmp_path):
    smap = sun(DATE + days * u.day, size=512)
    frame = earth_frame(DATE, smap.rsun_meters)
    drawn = draw([[RING]], frame, smap)
    assert drawn.sum() > 1000
    hek = hek_to_mask(record(polygon_text(RING)), smap, max_gap=30 * u.day)
    scale = np.arcsin(smap.rsun_meters / frame.observer.radius).to_value(u.arcsec)
    annotation = Annotation("mine", "CH", Time(DATE), "me", ((RING / scale,),), (9, 9), (4, 4), 3.0, {})
    np.testing.assert_array_equal(hek.data, drawn)
    np.testing.assert_array_equal(annotation_to_mask(annotation, smap, max_gap=30 * u.day).data, drawn)
    if days == 0:
        path = tmp_path / "ring.json"
        path.write_text(json.dumps({"type": "Polygon", "coordinates": [RING.tolist()]}))
        again = geojson_to_mask(path, smap, feature="CH", frame="helioprojective", date=DATE)
        np.testing.assert_array_equal(again.data, drawn)


@pytest.mark.parametrize("days", [0, 4])
@pytest.mark.parametrize("west", [0, 70])
def test_blocks_change_nothing(days, west, monkeypatch):
    """Whole blocks of pixels are taken or left where no border passes: each pixel on its own gives the same."""
    place = SkyCoord(west * u.deg, 20 * u.deg, 0.5 * u.AU, frame="heliographic_stonyhurst", obstime=DATE + days * u.day)
    smap = sun(DATE + days * u.day, size=300, observer=place)
    rings = [
        [np.array([(-30, 60), (150, 60), (330, 60), (330, 90), (-30, 90)])],
        [np.array([(-20, -30), (95, 40), (60, 10)])],
    ]
    stonyhurst = HeliographicStonyhurst(obstime=DATE)
    by_blocks = [draw(rings, stonyhurst, smap), draw([[RING]], earth_frame(DATE, smap.rsun_meters), smap)]
    monkeypatch.setattr("sunpy_scss._sun.polygons._BLOCK", 1)
    one_by_one = [draw(rings, stonyhurst, smap), draw([[RING]], earth_frame(DATE, smap.rsun_meters), smap)]
    np.testing.assert_array_equal(by_blocks, one_by_one)
    assert by_blocks[0].any()


def test_shapes_may_overlap():
    smap = sun(size=128)
    one, other = pixels_inside([[[RING]], [[RING], [RING - 50]]], earth_frame(DATE, smap.rsun_meters), smap)
    assert 0 < len(one) < len(other)
    assert set(one) < set(other)


def test_a_ring_around_a_pole_that_turns_back():
    """From 0 to -40, and on to 360: its longitudes span more than a turn, the surface it holds is a cap."""
    smap = sun(size=256)
    lon = np.concatenate([np.linspace(0, -40, 9), np.linspace(-35, 360, 80)])
    lat = np.concatenate([np.full(9, 60.0), np.full(80, 50.0)])
    ring = np.concatenate([np.stack([lon, lat], axis=1), [(360, 90), (0, 90)]])
    mask = draw([[ring]], HeliographicStonyhurst(obstime=smap.date), smap)
    cap = draw(
        [[np.array([(-180, 50), (180, 50), (180, 90), (-180, 90)])]], HeliographicStonyhurst(obstime=smap.date), smap
    )
    assert mask.sum() < cap.sum()
    assert not (mask & ~cap).any()


def test_many_vertices_take_no_longer_than_sorting():
    angles = np.linspace(0, 2 * np.pi, 1_000_000, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    points = np.random.default_rng(0).uniform(-1.2, 1.2, (10_000, 2))
    radius = np.hypot(*points.T)
    clear = abs(radius - 1) > 1e-6
    np.testing.assert_array_equal(inside_rings([ring], points)[clear], (radius < 1)[clear])
