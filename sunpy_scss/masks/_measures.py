"""Measures of the regions of a mask: groups of columns of the table."""

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import expit, logit
from skimage.segmentation import watershed

import astropy.units as u
from astropy.coordinates import SkyCoord
from sunpy.coordinates import HeliographicStonyhurst

from sunpy_scss._provenance import Provenance
from sunpy_scss._sun.surface import surface_of
from sunpy_scss._sun.transfer import same_grid, sample
from sunpy_scss._sun.view import carrington_frame, half_turn, longitude_latitude, longitude_origin
from sunpy_scss.canonical._intensity import as_rate
from sunpy_scss.exceptions import InvalidMapError
from sunpy_scss.masks._outlines import perimeters
from sunpy_scss.masks._regions import Regions

__all__ = ["areas", "borders", "confidence", "field", "intensities", "places", "radial_field", "rim_of"]

_ROUNDING = 1e-12
# Outlines are unsafe beyond these angles from disc centre, in degrees.
_UNSAFE = (60, 75)
# Cosine of the angle to the line of sight below which this says nothing of the radial field.
_STEEPEST = np.cos(np.radians(75))
# How headers name the component of the field, as "Carrington Synoptic Chart Of Br Field" does; M and B are both field.
_RADIAL = re.compile(r"\b(radial|[bm]_?r(ad)?)\b", re.IGNORECASE)
_ALONG_SIGHT = re.compile(r"\b(line[ -]of[ -]sight|longitudinal|([bm]_?)?los|[bm]l)\b", re.IGNORECASE)
# Probabilities between which the outline of a region is open, where the header of the probability tells no others.
_BORDER = (0.16, 0.84)


def areas(regions):
    """Return areas, and the shares of them near the limb."""
    total = regions.sum(regions.solid_angles)
    half_sun = total / (2 * np.pi)
    cosine = regions.surface.cosine(regions.points)
    beyond = {
        f"beyond_{angle}": regions.sum(regions.solid_angles * (cosine < np.cos(np.radians(angle)))) / total
        for angle in _UNSAFE
    }
    return {
        "area": _area(total, regions),
        "area_msh": 1e6 * half_sun,
        "area_percent": 100 * half_sun * u.percent,
        **beyond,
    }


def _area(solid_angles, regions):
    return solid_angles * regions.mask.rsun_meters.to(u.Mm) ** 2


@dataclass(frozen=True)
class Rim:
    """
    The pixels of regions that have a side on the border of their region or of the Map.

    Attributes
    ----------
    regions : sunpy_scss.masks._regions.Regions
    rows, columns, number : numpy.ndarray
        (n,) indices of the pixels and of their regions.
    starts : numpy.ndarray
        (regions,), where those of each region begin.
    corners : numpy.ndarray
        (2, m) rows and columns of the corners of pixels, each once.
    index : numpy.ndarray
        (4, n), the corners of each pixel.
    """

    regions: Regions
    rows: np.ndarray
    columns: np.ndarray
    number: np.ndarray
    starts: np.ndarray
    corners: np.ndarray
    index: np.ndarray

    @cached_property
    def corner_points(self):
        """The corners on the sphere; (3, m)."""
        return self.regions.surface.points(*self.corners)

    def any(self, values):
        """Return True for each region that has at least one pixel where values (n,) are True."""
        return np.logical_or.reduceat(values, self.starts)

    def reach(self, values):
        """The least and the largest of values at the corners of pixels, (4, n), of each region."""
        least, largest = values.min(axis=0), values.max(axis=0)
        return np.minimum.reduceat(least, self.starts), np.maximum.reduceat(largest, self.starts)


def rim_of(regions):
    """The `Rim` of regions."""
    ny, nx = regions.labels.shape
    rows, columns = regions.rows, regions.columns
    within = (rows > 0) & (rows < ny - 1) & (columns > 0) & (columns < nx - 1)
    places = rows * nx + columns
    for step in (-nx, -1, 1, nx):
        within &= regions.labels.take(places + step, mode="clip") > 0
    rows, columns, number = (values[~within] for values in (rows, columns, regions.number))
    starts = np.searchsorted(number, np.arange(len(regions)))
    *corners, index = regions.surface.corners(rows, columns)
    return Rim(regions, rows, columns, number, starts, np.stack(corners), index)


def places(regions, rim):
    """Return centroids and extents on the sphere, and boxes in the coordinates of the Map."""
    surface = regions.surface
    lon, lat = longitude_latitude(regions.sum(regions.solid_angles * regions.points))
    frame = HeliographicStonyhurst(obstime=surface.obstime, rsun=regions.mask.rsun_meters)
    carrington = lon - longitude_origin(carrington_frame(surface.obstime))
    centroid = SkyCoord(lon * u.rad, lat * u.rad, frame=frame)
    (east, west), latitudes = _extents(rim, lon)
    if surface.is_image:
        box = [end for values in surface.world(*rim.corners) for end in rim.reach(half_turn(values)[rim.index])]
    else:
        box = [*_from(lon - surface.origin, east, west), *latitudes]
    stonyhurst = [*_from(lon, east, west), *latitudes]
    return {
        "centroid": centroid,
        "carrington_lon": np.degrees(carrington % (2 * np.pi)) * u.deg,
        **_quantities(("lon_min", "lon_max", "lat_min", "lat_max"), stonyhurst, u.deg),
        **_quantities(("left", "right", "bottom", "top"), box, u.arcsec if surface.is_image else u.deg),
    }


def _quantities(names, radians, unit):
    return {name: (values * u.rad).to(unit) for name, values in zip(names, radians, strict=True)}


def _from(lon, east, west):
    """Longitudes of the ends of regions that reach so far to both sides; the first from -pi to pi."""
    width = west - east
    first = np.where(width < 2 * np.pi, half_turn(lon + east), -np.pi)
    return first, first + width


def _extents(rim, lon):
    """Longitudes relative to ``lon`` and latitudes, least and largest in each region."""
    corner_lon, corner_lat = longitude_latitude(rim.corner_points)
    sides = half_turn(corner_lon[rim.index] - lon[rim.number])
    east, west = rim.reach(sides)
    south, north = rim.reach(corner_lat[rim.index])
    has_south, has_north = _have_poles(rim)
    # A pixel across the opposite meridian is wider than half a turn.
    full_turn = rim.any(np.ptp(sides, axis=0) > np.pi) | has_south | has_north
    longitudes = np.where(full_turn, -np.pi, east), np.where(full_turn, np.pi, west)
    return longitudes, (np.where(has_south, -np.pi / 2, south), np.where(has_north, np.pi / 2, north))


def _have_poles(rim):
    """The regions that have the south pole, and those that have the north pole: on a pixel of their rim or within."""
    regions = rim.regions
    poles = np.array([[0, 0], [0, 0], [-1.0, 1.0]])
    within = [
        regions.ids == (regions.labels.flat[place] if place >= 0 else 0) for place in regions.surface.nearest(poles)
    ]
    return [rim.any(around) | inner for around, inner in zip(_around_poles(rim), within, strict=True)]


def _around_poles(rim):
    """The pixels that have the south pole, and those that have the north pole, inside or on their side."""
    x, y, z = rim.corner_points[:, rim.index]
    turns = x * np.roll(y, -1, axis=0) - y * np.roll(x, -1, axis=0)
    around = (turns > -_ROUNDING).all(axis=0) | (turns < _ROUNDING).all(axis=0)
    return around & (z[0] < 0), around & (z[0] > 0)


def borders(regions, rim):
    """Return perimeters, and the flags of regions cut by the limb or the edge."""
    surface = regions.surface
    at_limb = np.zeros(len(rim.rows), dtype=bool)
    if surface.is_image:
        # On the limb exactly are only the points that have been put there.
        at_limb = (surface.cosine(rim.corner_points) < 1 / surface.distance + _ROUNDING)[rim.index].any(axis=0)
    ny, nx = surface.shape
    at_edge = (rim.rows == 0) | (rim.rows == ny - 1)
    if not surface.wraps:
        at_edge |= (rim.columns == 0) | (rim.columns == nx - 1)
    return {
        "perimeter": perimeters(regions) * regions.mask.rsun_meters.to(u.Mm),
        "touches_limb": rim.any(at_limb),
        "touches_edge": rim.any(at_edge),
        "n_pixels": np.diff(regions.starts, append=len(regions.rows)),
    }


def intensities(regions, image):
    """Return statistics of the pixels of an image, in DN/s if the scale is known."""
    image = as_rate(image)
    if same_grid(surface_of(image), regions.surface):
        values = image.data[regions.rows, regions.columns].astype(float)
    else:
        values, _ = sample(image, regions.surface, regions.rows, regions.columns)
    statistics = (np.mean, np.median, np.std, np.min, np.max)
    parts = [part[np.isfinite(part)] for part in regions.split(values)]
    return {
        f"intensity_{statistic.__name__}": u.Quantity(
            [statistic(part) if part.size else np.nan for part in parts], image.unit, dtype=float
        )
        for statistic in statistics
    }


def radial_field(magnetogram, surface, rows, columns):
    """
    Return the radial magnetic field in pixels of a Map.

    A field along the line of sight is divided by the cosine of the angle to the radial direction. The
    header says in CONTENT or BTYPE which of the two it is; where it does not, a heliographic chart is radial and an
    image along the line of sight.

    Parameters
    ----------
    magnetogram : sunpy.map.GenericMap
    surface : sunpy_scss._sun.surface.Surface
        Of the Map whose pixels they are.
    rows, columns : numpy.ndarray
        (n,) indices of pixels.

    Returns
    -------
    numpy.ndarray
        (n,) in gauss, NaN where it is not known.
    """
    if magnetogram.unit is None or not magnetogram.unit.is_equivalent(u.G):
        msg = f"The magnetogram must be in a unit of magnetic field, as gauss (got {magnetogram.unit}); set BUNIT."
        raise InvalidMapError(msg)
    values, cosine = sample(magnetogram, surface, rows, columns)
    values = values * magnetogram.unit.to(u.G)
    said = " ".join(str(magnetogram.meta.get(key, "")) for key in ("content", "btype"))
    along_sight = _ALONG_SIGHT.search(said) or (surface_of(magnetogram).is_image and not _RADIAL.search(said))
    if not along_sight:
        return values
    if "synoptic" in said.lower():  # each longitude as it was on the central meridian
        cosine = np.hypot(*surface.points(rows, columns)[:2])
    return values / np.where(cosine > _STEEPEST, cosine, np.nan)


def field(regions, magnetogram):
    """Return the mean, fluxes and distribution of the radial magnetic field."""
    radial = radial_field(magnetogram, regions.surface, regions.rows, regions.columns)
    known = np.isfinite(radial)
    weights, radial = np.where(known, regions.solid_angles, 0), np.where(known, radial, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        area = regions.sum(weights)
        mean = regions.sum(weights * radial) / area
        spread = radial - mean[regions.number]
        variance, third = (regions.sum(weights * spread**power) / area for power in (2, 3))
        skewness = third / variance**1.5
        signed = mean * area
        unsigned = np.where(area > 0, regions.sum(weights * np.abs(radial)), np.nan)
        unipolarity = np.abs(signed) / unsigned
    flux = (u.G * regions.mask.rsun_meters**2).to(u.Unit("Mx"))
    return {
        "field_mean": mean * u.G,
        "flux_signed": signed * flux,
        "flux_unsigned": unsigned * flux,
        "polarity": np.sign(np.nan_to_num(signed)).astype(int),
        "unipolarity": unipolarity,
        "field_skewness": skewness,
        "field_coverage": area / regions.sum(regions.solid_angles),
    }


def confidence(regions, probability):
    """Return the mean probability, and areas within two probabilities of the border; unknown (NaN) may be inside."""
    if not same_grid(surface_of(probability), regions.surface):
        msg = "The probability must be on the pixels of the mask, as predict_probability gives it for the same Map."
        raise InvalidMapError(msg)
    rounding = 1e-6  # as smoothing leaves it
    if not ((probability.data >= -rounding) & (probability.data <= 1 + rounding) | np.isnan(probability.data)).all():
        msg = "A probability is between 0 and 1 everywhere; give what predict_probability returns."
        raise InvalidMapError(msg)
    least, sure = _interval_levels(regions.mask, probability)
    total = regions.sum(regions.solid_angles)
    probability = np.where(np.isnan(probability.data), least, probability.data)
    inside = probability[regions.rows, regions.columns]
    core = regions.sum(np.where(inside >= sure, regions.solid_angles, 0))
    return {
        "confidence": regions.sum(regions.solid_angles * inside) / total,
        "area_low": _area(core, regions),
        "area_high": _area(total + _solid_angles_around(regions, probability, least), regions),
    }


def _interval_levels(mask, probability):
    """Probabilities of the largest and the smallest region in an interval, around the threshold of the mask."""
    told = Provenance.of(probability)
    least, sure = (
        default if level is None else level for level, default in zip((told.maybe, told.sure), _BORDER, strict=True)
    )
    threshold = Provenance.of(mask).threshold
    threshold = 0.5 if threshold is None else threshold
    if not 0 < threshold < 1:  # an intensity, of a classical method
        return least, sure
    # A threshold beyond a level takes the level along, as far in logits as this is from one half.
    if threshold <= least:
        least = expit(logit(threshold) + min(logit(least), 0))
    if threshold >= sure:
        sure = expit(logit(threshold) + max(logit(sure), 0))
    return least, sure


def _solid_angles_around(regions, probability, least):
    """The solid angles of what is joined to each region by pixels of so much probability."""
    maybe = (regions.labels > 0) | (probability >= least)
    grown = watershed(-probability, regions.labels, connectivity=2, mask=maybe)
    rows, columns = ((grown > 0) & (regions.labels == 0)).nonzero()
    on_sun = regions.surface.on_sun(rows, columns)
    rows, columns = rows[on_sun], columns[on_sun]
    added = regions.surface.areas(rows, columns)
    return np.bincount(grown[rows, columns] - 1, weights=added, minlength=len(regions))
