"""A simple Sun with known coronal holes and active regions, for examples, tests and first trainings."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

import astropy.units as u
import sunpy.map
from astropy.coordinates import SkyCoord
from astropy.time import Time
from sunpy.coordinates import HeliographicStonyhurst, Helioprojective, get_earth
from sunpy.map.header_helper import make_fitswcs_header
from sunpy.map.maputils import all_coordinates_from_map

from sunpy_scss._mask_map import make_mask
from sunpy_scss._provenance import Provenance
from sunpy_scss.canonical._brightening import limb_brightening

__all__ = ["Cap", "SyntheticSun", "synthetic_sun"]

# Half of the field of view of AIA, in apparent solar radii.
_HALF_WIDTH = 1.28
# The model Sun by wavelength in Angstrom. Brightness in log10: that of the quiet Sun in DN/s, its scatter, and the
# contrasts of holes and active regions. The values of 193 are measured on AIA images.
_APPEARANCE = {
    171: {"quiet": 2.1, "scatter": 0.13, "hole": -0.35, "active": 0.75},
    193: {"quiet": 1.85, "scatter": 0.13, "hole": -0.70, "active": 0.85},
    211: {"quiet": 1.4, "scatter": 0.13, "hole": -0.75, "active": 0.95},
}
# The corona falls by a factor e over this distance, in solar radii, down to a sky in DN/s.
_SCALE_HEIGHT, _SKY = 0.07, 2
# Patches of the quiet Sun: independent points of noise across the Sun, and the share of each scale in the scatter.
_PATCHES = {12: 0.5, 40: 0.6, 110: 0.6}
# The same for the edges of regions, which move by at most this many times the roughness.
_OUTLINE, _LARGEST = 14, 1.5
# Standard deviation of white noise under a cubic B-spline in three dimensions.
_SPLINE_SCATTER = (151 / 315) ** 1.5
# The softness of boundaries in the image; the edge of the mask is half-way in log10.
_EDGE = np.radians(0.7)
_POLE_SIZES, _HOLE_SIZES, _ACTIVE_SIZES = (18, 28), (8, 16), (4, 8)
_ROUGHNESS = 0.25
_GAP = np.radians(10)


@dataclass(frozen=True)
class Cap:
    """
    A round or roundish region on the Sun.

    Attributes
    ----------
    lon, lat : astropy.units.Quantity
        Heliographic Stonyhurst coordinates of its middle.
    radius : astropy.units.Quantity
        The angle between its middle and its edge, seen from the centre of the Sun.
    roughness : float
        The scatter of that radius along the edge, as a share of it. With 0 the region is a spherical cap, whose area
        is ``2 * pi * (1 - cos(radius))`` squares of the solar radius.
    """

    lon: u.Quantity
    lat: u.Quantity
    radius: u.Quantity
    roughness: float = 0.0

    def _middle(self):
        lon, lat = self.lon.to_value(u.rad), self.lat.to_value(u.rad)
        return np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


@dataclass(frozen=True)
class SyntheticSun:
    """
    An image and the truth about it.

    Attributes
    ----------
    image : sunpy.map.GenericMap
        The image in DN/s, with the header of a calibrated AIA image.
    coronal_holes, active_regions : sunpy.map.GenericMap
        int16, 1 inside and 0 outside, on the WCS of the image.
    """

    image: sunpy.map.GenericMap
    coronal_holes: sunpy.map.GenericMap
    active_regions: sunpy.map.GenericMap


@u.quantity_input
def synthetic_sun(
    date: str | Time = "2017-06-01T12:00:00",
    *,
    wavelength: u.Quantity[u.AA] = 193 * u.AA,
    size: int = 512,
    seed: int = 0,
    coronal_holes: Iterable[Cap] | None = None,
    active_regions: Iterable[Cap] | None = None,
    observer: SkyCoord | None = None,
) -> SyntheticSun:
    """
    Draw a simple Sun whose coronal holes and active regions are known exactly.

    It has a quiet Sun with a patchy network, limb brightening and a corona, two polar and two or three smaller coronal
    holes, and two to four active regions. Use it to practise, to test and to demonstrate. The score of a model on it
    says nothing about the real Sun, which has filaments and bright points, and no sharp edges.

    Parameters
    ----------
    date : str or astropy.time.Time, optional
    wavelength : astropy.units.Quantity, optional
        171, 193 or 211 Angstrom. Only the levels of 193 are measured. At 171 holes have less contrast.
    size : int, optional
        Pixels on a side. The field of view is 2.56 apparent solar radii wide, whatever the observer.
    seed : int, optional
        The same seed gives the same Sun, even for another observer, size and wavelength.
    coronal_holes, active_regions : iterable of Cap, optional
        Regions to draw in place of random ones.
    observer : astropy.coordinates.SkyCoord, optional
        The default is Earth. Regions are placed relative to Earth for every observer.

    Returns
    -------
    SyntheticSun

    Raises
    ------
    ValueError
        If the wavelength is none of these, or ``size`` is below 16.

    Examples
    --------
    The area of a spherical cap comes back from its mask:

    >>> import numpy as np
    >>> import astropy.units as u
    >>> from sunpy_scss.synthetic import Cap, synthetic_sun
    >>> hole = Cap(10 * u.deg, 20 * u.deg, 15 * u.deg)
    >>> sun = synthetic_sun(coronal_holes=[hole], active_regions=[])
    >>> sun.image.unit, sun.coronal_holes.data.shape, int(sun.active_regions.data.sum())
    (Unit("DN / s"), (512, 512), 0)
    >>> from sunpy_scss.masks import area_fraction
    >>> share = area_fraction(sun.coronal_holes)
    >>> bool(np.isclose(share, 1 - np.cos(15 * u.deg), rtol=0.01))
    True
    """
    appearance = _appearance(wavelength)
    if size < 16:
        msg = f"size must be at least 16 pixels (got {size})."
        raise ValueError(msg)
    random_holes, random_active = _random_regions(np.random.default_rng([seed, 0]))
    coronal_holes = random_holes if coronal_holes is None else coronal_holes
    active_regions = random_active if active_regions is None else active_regions
    blank = _blank_map(Time(date), wavelength, size, observer)
    points, radius = _surface(blank)
    outline = np.clip(_noise(points, _OUTLINE, np.random.default_rng([seed, 1])), -_LARGEST, _LARGEST)
    holes = _depths(coronal_holes, points, outline)
    active = _depths(active_regions, points, outline)
    image = _image(points, radius, holes, active, appearance, seed)
    return SyntheticSun(
        sunpy.map.Map(image, blank.meta),
        _mask_map(holes, radius, "CH", blank, seed),
        _mask_map(active, radius, "AR", blank, seed),
    )


def _appearance(wavelength):
    known = round(wavelength.to_value(u.AA))
    if known not in _APPEARANCE:
        msg = f"wavelength must be {', '.join(map(str, _APPEARANCE))} Angstrom (got {wavelength})."
        raise ValueError(msg)
    return _APPEARANCE[known]


def _random_regions(rng):
    """Return two polar holes and smaller holes, and active regions, all apart from each other."""
    poles = [Cap(0 * u.deg, sign * 90 * u.deg, rng.uniform(*_POLE_SIZES) * u.deg, _ROUGHNESS) for sign in (1, -1)]
    taken = list(poles)
    holes = [_place(rng, taken, 45, _HOLE_SIZES) for _ in range(rng.integers(2, 4))]
    active = [_place(rng, taken, 30, _ACTIVE_SIZES) for _ in range(rng.integers(2, 5))]
    return poles + holes, active


def _place(rng, taken, highest, sizes):
    """Return a region that touches none of those taken, and add it to them."""
    while True:
        lon, lat = rng.uniform(-65, 65), rng.uniform(-highest, highest)
        cap = Cap(lon * u.deg, lat * u.deg, rng.uniform(*sizes) * u.deg, _ROUGHNESS)
        if all(_separation(cap, other) > _GAP for other in taken):
            taken.append(cap)
            return cap


def _separation(one, other):
    """Return the distance between the edges of two regions, in radians."""
    angle = np.arccos(np.clip(one._middle() @ other._middle(), -1, 1))
    return angle - (one.radius + other.radius).to_value(u.rad)


def _blank_map(date, wavelength, size, observer):
    observer = get_earth(date) if observer is None else observer
    origin = SkyCoord(0 * u.arcsec, 0 * u.arcsec, frame=Helioprojective(observer=observer, obstime=date))
    distance = observer.transform_to(HeliographicStonyhurst(obstime=date)).radius
    scale = 2 * _HALF_WIDTH / size * np.arcsin(origin.rsun / distance).to(u.arcsec) / u.pix
    header = make_fitswcs_header(
        (size, size),
        origin,
        scale=u.Quantity([scale, scale]),
        instrument="AIA_2",
        telescope="SDO/AIA",
        wavelength=wavelength.to(u.AA),
        exposure=2 * u.s,
        unit=u.DN / u.s,
    )
    return sunpy.map.Map(np.zeros((size, size), dtype=np.float32), header)


def _surface(smap):
    """
    Return the point of the Sun behind each pixel; off the disc, the nearest point on the limb.

    Returns
    -------
    numpy.ndarray
        (3, ny, nx) unit vectors, heliographic Stonyhurst.
    numpy.ndarray
        (ny, nx), the distance from disc centre in apparent solar radii.
    """
    seen = all_coordinates_from_map(smap)
    radius = np.hypot(seen.Tx, seen.Ty) / smap.rsun_obs
    inwards = np.minimum(1, 0.9999 / np.maximum(radius.value, 1e-9))
    on_disk = SkyCoord(seen.Tx * inwards, seen.Ty * inwards, frame=smap.coordinate_frame)
    where = on_disk.transform_to(HeliographicStonyhurst(obstime=smap.coordinate_frame.obstime)).cartesian.xyz
    return (where / np.linalg.norm(where, axis=0)).value, radius.value


def _noise(points, n, rng):
    """Return smooth noise of unit variance on the sphere, with ``n`` independent points across it."""
    lattice = rng.standard_normal((n + 4,) * 3)
    smooth = ndimage.map_coordinates(lattice, (points + 1) / 2 * n + 1.5, order=3, prefilter=False)
    return smooth / _SPLINE_SCATTER


def _depths(regions, points, outline):
    """Return the depth of each point inside the nearest edge of the regions, in radians; negative outside."""
    depths = np.full(outline.shape, -np.pi)
    for region in regions:
        angle = np.arccos(np.clip(np.tensordot(region._middle(), points, axes=1), -1, 1))
        edge = region.radius.to_value(u.rad) * (1 + region.roughness * outline)
        depths = np.maximum(depths, edge - angle)
    return depths


def _image(points, radius, holes, active, appearance, seed):
    """Return the image in DN/s."""
    rng = np.random.default_rng([seed, 2])
    patches = sum(share * _noise(points, n, rng) for n, share in _PATCHES.items())
    heights = np.maximum(radius - 1, 0) / _SCALE_HEIGHT
    fading = np.exp(-heights)
    # Above the limb details blur into the corona. Holes keep their dark corona, with softer edges.
    patches *= fading
    brightness = (
        appearance["quiet"]
        + appearance["scatter"] * patches
        + limb_brightening(radius)
        + appearance["hole"] * _soft(holes / (1 + 5 * heights))
        + appearance["active"] * _soft(active) * (0.8 + 0.2 * patches) * fading
    )
    return (10**brightness * fading + _SKY).astype(np.float32)


def _soft(depths):
    return 1 / (1 + np.exp(-depths / (_EDGE / 2)))


def _mask_map(depths, radius, feature, smap, seed):
    mask = (depths > 0) & (radius <= 1)
    provenance = Provenance.new(feature=feature, method="synthetic", labels="exact")
    return make_mask(mask, smap, provenance, history=f"sunpy_scss.synthetic_sun(seed={seed})")
