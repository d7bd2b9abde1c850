"""What is measured in the regions of a mask: groups of columns of the table."""

import numpy as np
from scipy.special import expit, logit
from skimage.segmentation import watershed

import astropy.units as u
from astropy.coordinates import SkyCoord
from sunpy.coordinates import HeliographicStonyhurst

from sunpy_scss._provenance import Provenance
from sunpy_scss._sun.transfer import same_grid, sample
from sunpy_scss._sun.view import carrington_frame, half_turn, longitude_latitude, longitude_origin
from sunpy_scss.canonical._intensity import as_rate
from sunpy_scss.exceptions import InvalidMapError
from sunpy_scss.masks._perimeters import perimeters

__all__ = ["areas", "borders", "confidence", "field", "intensities", "places"]

_ROUNDING = 1e-12
# Outlines are unsafe beyond these angles from disc centre, in degrees.
_UNSAFE = (60, 75)
# Cosine of the angle to the line of sight below which this says nothing of the radial field.
_STEEPEST = np.cos(np.radians(75))
# Probabilities between which the border of a region is, with 68 %, if its pixels are right or wrong together; where the
# header of the probability has none that were fitted.
_BORDER = (0.16, 0.84)


def areas(regions, rsun):
    """Areas, and how much of them is near the limb."""
    total = regions.sum(regions.areas)
    half_sun = total / (2 * np.pi)
    cosine = regions.surface.cosine(regions.points)
    beyond = {
        f"beyond_{angle}": regions.sum(regions.areas * (cosine < np.cos(np.radians(angle)))) / total
        for angle in _UNSAFE
    }
    return {
        "area": _area(total, rsun),
        "area_msh": 1e6 * half_sun,
        "area_percent": 100 * half_sun * u.percent,
        **beyond,
    }


def _area(values, rsun):
    return values * rsun.to(u.Mm) ** 2


def places(regions, mask):
    """Centroids and extents on the sphere, and boxes in the coordinates of the Map."""
    surface = regions.surface
    lon, lat = longitude_latitude(regions.sum(regions.areas * regions.points))
    frame = HeliographicStonyhurst(obstime=surface.obstime, rsun=mask.rsun_meters)
    carrington = lon - longitude_origin(carrington_frame(surface.obstime))
    centroid = SkyCoord(lon * u.rad, lat * u.rad, frame=frame)
    (east, west), latitudes = _extents(regions, lon)
    if surface.is_image:
        sky = surface.world(*regions.rim.corners)
        box = [end for values in sky for end in _reach(regions.rim, half_turn(values)[regions.rim.index])]
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


def _reach(regions, values):
    """Least and largest value of each region, from values at the corners of pixels, (4, n)."""
    return regions.min(values.min(axis=0)), regions.max(values.max(axis=0))


def _from(lon, east, west):
    """Longitudes of the ends of regions that reach so far to both sides; the first from -pi to pi."""
    width = west - east
    first = np.where(width < 2 * np.pi, half_turn(lon + east), -np.pi)
    return first, first + width


def _extents(regions, lon):
    """Longitudes relative to ``lon`` and latitudes, least and largest in each region."""
    rim = regions.rim
    corner_lon, corner_lat = longitude_latitude(rim.corner_points)
    sides = half_turn(corner_lon[rim.index] - lon[rim.number])
    east, west = _reach(rim, sides)
    south, north = _reach(rim, corner_lat[rim.index])
    has_south, has_north = _have_poles(regions)
    # A pixel across the opposite meridian is wider than half a turn.
    full_turn = rim.max(np.ptp(sides, axis=0) > np.pi) | has_south | has_north
    longitudes = np.where(full_turn, -np.pi, east), np.where(full_turn, np.pi, west)
    return longitudes, (np.where(has_south, -np.pi / 2, south), np.where(has_north, np.pi / 2, north))


def _have_poles(regions):
    """Which regions have the south pole, and which the north pole in them: on a pixel of their rim or within."""
    poles = np.array([[0, 0], [0, 0], [-1.0, 1.0]])
    within = [
        np.arange(1, len(regions.starts) + 1) == (regions.labels.flat[place] if place >= 0 else 0)
        for place in regions.surface.nearest(poles)
    ]
    return [regions.rim.max(around) | inner for around, inner in zip(_around_poles(regions.rim), within, strict=True)]


def _around_poles(regions):
    """Which pixels have the south pole, and which the north pole inside or on their side."""
    x, y, z = regions.corner_points[:, regions.index]
    turns = x * np.roll(y, -1, axis=0) - y * np.roll(x, -1, axis=0)
    around = (turns > -_ROUNDING).all(axis=0) | (turns < _ROUNDING).all(axis=0)
    return around & (z[0] < 0), around & (z[0] > 0)


def borders(regions, mask):
    """Perimeters, and what cuts the regions."""
    surface = regions.surface
    rim = regions.rim
    at_limb = np.zeros(len(rim.rows), dtype=bool)
    if surface.is_image:
        # On the limb exactly are only the points that have been put there.
        at_limb = (surface.cosine(rim.corner_points) < 1 / surface.distance + _ROUNDING)[rim.index].any(axis=0)
    ny, nx = surface.shape
    at_edge = (rim.rows == 0) | (rim.rows == ny - 1)
    if not surface.wraps:
        at_edge |= (rim.columns == 0) | (rim.columns == nx - 1)
    return {
        "perimeter": perimeters(regions) * mask.rsun_meters.to(u.Mm),
        "touches_limb": rim.max(at_limb),
        "touches_edge": rim.max(at_edge),
        "n_pixels": np.diff(regions.starts, append=len(regions.rows)),
    }


def intensities(regions, image, mask):
    """Statistics of the pixels of an image, in DN/s where these are known."""
    image = as_rate(image)
    if same_grid(image, mask):
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


def field(regions, magnetogram, rsun):
    """Mean, fluxes and shape of the radial magnetic field."""
    if magnetogram.unit is None or not magnetogram.unit.is_equivalent(u.G):
        msg = f"The magnetogram must be in a unit of magnetic field, as gauss (got {magnetogram.unit}); set BUNIT."
        raise InvalidMapError(msg)
    along_sight, cosine = sample(magnetogram, regions.surface, regions.rows, regions.columns)
    radial = along_sight * magnetogram.unit.to(u.G) / np.where(cosine > _STEEPEST, cosine, np.nan)
    known = np.isfinite(radial)
    weights, radial = np.where(known, regions.areas, 0), np.where(known, radial, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        area = regions.sum(weights)
        mean = regions.sum(weights * radial) / area
        spread = radial - mean[regions.number]
        variance, third = (regions.sum(weights * spread**power) / area for power in (2, 3))
        skewness = third / variance**1.5
        signed = mean * area
        unsigned = np.where(area > 0, regions.sum(weights * np.abs(radial)), np.nan)
        unipolarity = np.abs(signed) / unsigned
    flux = (u.G * rsun**2).to(u.Unit("Mx"))
    return {
        "field_mean": mean * u.G,
        "flux_signed": signed * flux,
        "flux_unsigned": unsigned * flux,
        "polarity": np.sign(np.nan_to_num(signed)).astype(int),
        "unipolarity": unipolarity,
        "field_skewness": skewness,
        "field_coverage": area / regions.sum(regions.areas),
    }


def confidence(regions, probability, mask):
    """Mean probability, and areas within two probabilities of the border; what is not known (NaN) may be inside."""
    if not same_grid(probability, mask):
        msg = "The probability must be on the pixels of the mask, as predict_probability gives it for the same Map."
        raise InvalidMapError(msg)
    rounding = 1e-6  # as smoothing leaves it
    if not ((probability.data >= -rounding) & (probability.data <= 1 + rounding) | np.isnan(probability.data)).all():
        msg = "A probability is between 0 and 1 everywhere; give what predict_probability returns."
        raise InvalidMapError(msg)
    least, sure = _interval_levels(mask, probability)
    total = regions.sum(regions.areas)
    probability = np.where(np.isnan(probability.data), least, probability.data)
    inside = probability[regions.rows, regions.columns]
    core = regions.sum(np.where(inside >= sure, regions.areas, 0))
    return {
        "confidence": regions.sum(regions.areas * inside) / total,
        "area_low": _area(core, mask.rsun_meters),
        "area_high": _area(total + _areas_around(regions, probability, least), mask.rsun_meters),
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


def _areas_around(regions, probability, least):
    """Of what is joined to each region by pixels of so much probability."""
    maybe = (regions.labels > 0) | (probability >= least)
    grown = watershed(-probability, regions.labels, connectivity=2, mask=maybe)
    rows, columns = ((grown > 0) & (regions.labels == 0)).nonzero()
    on_sun = regions.surface.on_sun(rows, columns)
    rows, columns = rows[on_sun], columns[on_sun]
    added = regions.surface.areas(rows, columns)
    return np.bincount(grown[rows, columns] - 1, weights=added, minlength=len(regions.starts))
