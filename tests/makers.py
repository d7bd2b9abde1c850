"""Small Maps and models for tests, all geometry chosen by the caller."""

from functools import lru_cache

import numpy as np

import astropy.units as u
import sunpy.map
from astropy.coordinates import SkyCoord
from astropy.time import Time
from sunpy.coordinates import get_earth
from sunpy.map.header_helper import make_fitswcs_header

from sunpy_scss import synthetic
from sunpy_scss._sun.polygons import inside_rings
from sunpy_scss.models import Model, ModelCard, Network, Stretch

DATE = "2017-06-01T12:00:00"

CARD = ModelCard(
    name="test-ch",
    feature="CH",
    wavelength=193,
    wavelengths=(193, 195),
    grid_size=128,
    half_width=1.25,
    stretch=Stretch(floor=21, limits=(0.2, 2.2), exponent=0.5, reference_median=70),
    network=Network(filters=2, layers=2, momentum=0.9),
    labels="none",
)

# The boundary between hole (40 DN/s) and quiet Sun (100 DN/s) of `sun_with_hole` on the stretched image.
BOUNDARY = (np.log10(60) - 0.5 * np.log10(100) - 0.2) / 2


def dark_model(**changes):
    """A model without Keras: what is darker than the boundary is a hole."""
    card = ModelCard.from_dict({**CARD.to_dict(), **changes})
    return Model(card, is_dark)


def is_dark(images):  # by name, so that other processes find it
    return (images < BOUNDARY).astype(np.float32)


def disk_map(
    values,
    size=256,
    *,
    radius=100,
    centre=None,
    rotation=0 * u.deg,
    observer=None,
    wavelength=193,
    unit=u.DN / u.s,
    date=DATE,
    meta=None,
):
    """
    An AIA-like Map of the Sun with ``radius`` in pixels and disc centre at pixel ``centre``.

    ``values(x, y)`` gives the intensities from positions in solar radii to west and north.
    """
    centre = np.array([(size - 1) / 2] * 2 if centre is None else centre)
    observer = get_earth(date) if observer is None else observer
    origin = SkyCoord(0 * u.arcsec, 0 * u.arcsec, frame="helioprojective", observer=observer, obstime=date)
    rsun_obs = np.arcsin(695700 * u.km / observer.radius).to(u.arcsec)
    header = make_fitswcs_header(
        (size, size),
        origin,
        reference_pixel=centre * u.pix,
        scale=[rsun_obs.value / radius] * 2 * u.arcsec / u.pix,
        rotation_angle=rotation,
        instrument="AIA_2",
        telescope="SDO/AIA",
        wavelength=wavelength * u.AA,
        exposure=2 * u.s,
        unit=unit,
    )
    header.update(meta or {})
    column, row = np.meshgrid(np.arange(size), np.arange(size))
    east, up = (column - centre[0]) / radius, (row - centre[1]) / radius
    angle = rotation.to_value(u.rad)
    x = np.cos(angle) * east - np.sin(angle) * up
    y = np.sin(angle) * east + np.cos(angle) * up
    return sunpy.map.Map(values(x, y), header)


def mask_of_caps(date, caps, *, size, observer=None):
    """The coronal holes of `synthetic_sun` with smooth edges, without its image: that takes most of the time."""
    date = Time(date)
    see = _seen if observer is None else _seen.__wrapped__
    blank, points, radius = see(date.isot, size, observer)
    depths = synthetic._depths(caps, points, np.zeros(radius.shape))
    return synthetic._mask_map(depths, radius, "CH", blank, seed=0)


@lru_cache(maxsize=32)
def _seen(date, size, observer):
    """An empty Map, and what its pixels see."""
    blank = synthetic._blank_map(Time(date), 193 * u.AA, size, observer)
    return blank, *synthetic._surface(blank)


def fill_polygon(rings, shape):
    """The pixels of an array of that shape whose middles are inside rings of (column, row)."""
    pixels = np.indices(shape).reshape(2, -1).T[:, ::-1]
    return inside_rings([np.asarray(ring, dtype=float) for ring in rings], pixels).reshape(shape)


def sun_with_hole(x, y, *, at=(0.3, -0.2), radius=0.25):
    """Quiet Sun of 100 DN/s, a round hole of 40, sky of 30."""
    image = np.where(np.hypot(x, y) <= 1, 100.0, 30.0)
    return np.where(np.hypot(x - at[0], y - at[1]) <= radius, 40.0, image)
