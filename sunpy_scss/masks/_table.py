"""The contents of a mask in physical units."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

import astropy.units as u
from astropy.table import QTable

from sunpy_scss._mask_map import make_map, pixels_inside
from sunpy_scss._provenance import Provenance
from sunpy_scss._sun.surface import surface_of
from sunpy_scss.exceptions import InvalidMapError
from sunpy_scss.masks._measures import areas, borders, confidence, field, intensities, places, rim_of
from sunpy_scss.masks._regions import find_regions

if TYPE_CHECKING:
    from sunpy.map import GenericMap

    from sunpy_scss.masks._regions import Regions

__all__ = ["area_fraction", "label_regions", "region_table"]


def area_fraction(mask: GenericMap) -> u.Quantity:
    """
    Return the share of the visible hemisphere that a mask covers.

    Parameters
    ----------
    mask : sunpy.map.GenericMap
        Helioprojective or heliographic, 1 inside the feature. A heliographic Map may also hold shares between 0 and 1,
        as a `~sunpy_scss.evolution.carrington_map` does: each pixel counts with its share, and not at all where it is
        NaN.

    Returns
    -------
    astropy.units.Quantity
        In percent of half of the solar surface, corrected for foreshortening. From 1 au, 99.5 % of it can be seen. The
        whole Sun is 200 %.

    Raises
    ------
    TypeError, `~sunpy_scss.exceptions.InvalidMapError`
        If `region_table` rejects the mask.

    Examples
    --------
    >>> import astropy.units as u
    >>> from sunpy_scss.masks import area_fraction
    >>> from sunpy_scss.synthetic import Cap, synthetic_sun
    >>> hole = Cap(40 * u.deg, 10 * u.deg, 15 * u.deg)
    >>> mask = synthetic_sun(coronal_holes=[hole], active_regions=[]).coronal_holes
    >>> print(f"{area_fraction(mask):.1f}")
    3.4 %
    """
    surface = surface_of(mask)
    shares = pixels_inside(mask) if surface.is_image else _shares(mask)
    rows, columns = shares.nonzero()
    on_sun = surface.on_sun(rows, columns)
    rows, columns = rows[on_sun], columns[on_sun]
    area = shares[rows, columns] @ surface.areas(rows, columns)
    return (area / (2 * np.pi) * u.dimensionless_unscaled).to(u.percent)


def _shares(mask):
    """The values of a Map, (ny, nx) from 0 to 1; 0 where they are not known."""
    shares = np.nan_to_num(mask.data.astype(float))
    if not ((shares >= 0) & (shares <= 1)).all():
        msg = f"Shares are between 0 and 1 (got {shares.min():g} to {shares.max():g})."
        raise InvalidMapError(msg)
    return shares


def label_regions(mask: GenericMap | Regions) -> GenericMap:
    """
    Number the regions of a mask.

    Parameters
    ----------
    mask : sunpy.map.GenericMap or Regions
        Helioprojective or heliographic, 1 inside the feature and 0 outside; or its regions.

    Returns
    -------
    sunpy.map.GenericMap
        int16, 0 outside, and inside each region its ``id`` in `region_table`; with the WCS and provenance of the mask.

    Raises
    ------
    TypeError, `~sunpy_scss.exceptions.InvalidMapError`
        If `region_table` rejects the mask.

    Examples
    --------
    >>> import astropy.units as u
    >>> from sunpy_scss.masks import label_regions
    >>> from sunpy_scss.synthetic import Cap, synthetic_sun
    >>> holes = [Cap(lon * u.deg, 10 * u.deg, 15 * u.deg) for lon in (-30, 40)]
    >>> sun = synthetic_sun(coronal_holes=holes, active_regions=[])
    >>> labels = label_regions(sun.coronal_holes)
    >>> int(labels.data.max()), labels.data.dtype
    (2, dtype('int16'))
    """
    regions = find_regions(mask)
    if len(regions) > np.iinfo(np.int16).max:
        msg = f"The mask has {len(regions)} regions, more than can be numbered; remove the small ones first."
        raise InvalidMapError(msg)
    provenance = replace(Provenance.of(regions.mask), content="region labels")
    data, history = regions.labels.astype(np.int16), "sunpy_scss.label_regions"
    return make_map(data, regions.mask, provenance, history=history, highest=len(regions))


def region_table(
    mask: GenericMap | Regions,
    *,
    image: GenericMap | None = None,
    magnetogram: GenericMap | None = None,
    probability: GenericMap | None = None,
) -> QTable:
    """
    Measure the regions of a mask.

    Parameters
    ----------
    mask : sunpy.map.GenericMap or Regions
        1 inside the feature and 0 outside; helioprojective from any observer, or heliographic, in any projection; or
        its regions, as `~sunpy_scss.masks.find_regions` gives them.
    image : sunpy.map.GenericMap, optional
        For statistics of intensity.
    magnetogram : sunpy.map.GenericMap, optional
        In a unit like gauss, positive towards the observer. CONTENT or BTYPE of its header say which component of the
        field it is: ``radial`` (also ``Br``, ``Mr``) or ``line of sight`` (also ``Blos``, ``Ml``). Where they say
        neither, the field of an image is along the line of sight, and that of a heliographic chart is radial, as in
        the charts of HMI, MDI and GONG. Set CONTENT where you reproject an image to such a chart.
    probability : sunpy.map.GenericMap, optional
        In [0, 1], on the pixels of the mask, as `~sunpy_scss.segment.predict_probability` gives it.

    Returns
    -------
    astropy.table.QTable
        A row for each region that `~sunpy_scss.masks.label_regions` finds, none for an empty mask, with these
        columns:

        ``id``
            the number of the region in `~sunpy_scss.masks.label_regions`
        ``area``, ``area_msh``, ``area_percent``
            on the sphere, corrected for foreshortening, in Mm2, in millionths and in percent of half of the solar
            surface
        ``beyond_60``, ``beyond_75``
            the shares of the area, from 0 to 1, that are more than 60 and 75 degrees away from disc centre, where
            the outlines of features are unreliable
        ``centroid``, ``carrington_lon``
            the middle of the area on the sphere as a `~astropy.coordinates.SkyCoord` in heliographic Stonyhurst
            coordinates, and its Carrington longitude as seen from Earth, so with the time that light takes to it,
            whoever observed; the latitude is the same
        ``lon_min``, ``lon_max``, ``lat_min``, ``lat_max``
            the extent in Stonyhurst coordinates. ``lon_max`` is over 180 degrees where the region lies across 180;
            a region around a pole extends over all longitudes and up to the pole.
        ``perimeter``
            the length of the border along great circles in Mm, also of the borders of holes in the region, and along
            the limb and the edge of the Map where these cut it
        ``left``, ``right``, ``bottom``, ``top``
            the smallest box around the region in the coordinates of the Map
        ``touches_limb``, ``touches_edge``
            True if the region has pixels on the limb, or at the edge of the Map: it may extend beyond
        ``n_pixels``
            the number of its pixels

        with ``image``, unweighted, in DN/s where the exposure time of counts or the display scale of AIA is known, else
        in the unit of the image:

        ``intensity_mean``, ``intensity_median``, ``intensity_std``, ``intensity_min``, ``intensity_max``
            over the pixels that have data

        with ``magnetogram``, weighted by area, of the radial field ``B``:

        ``field_mean``
            in gauss
        ``flux_signed``, ``flux_unsigned``
            the integrals of ``B`` and ``abs(B)`` over the area, in Mx
        ``polarity``
            the sign of the signed flux: 1, -1, or 0 if there is none
        ``unipolarity``
            the absolute ratio of the two fluxes: 0 if they are balanced, 1 if all has one sign
        ``field_skewness``
            the skewness of the distribution of ``B``
        ``field_coverage``
            the share of the area where the field is known

        and with ``probability``:

        ``confidence``
            the mean probability, weighted by area
        ``area_low``, ``area_high``
            the range of the network's own outline (see the notes); this is no confidence interval

        Unknown values are NaN, such as the intensity where the image has no data.
        The header keywords that tell the origin of the mask are in ``meta``.

    Raises
    ------
    TypeError
        If an argument is not a Map.
    `~sunpy_scss.exceptions.InvalidMapError`
        If coordinates are neither helioprojective nor heliographic, the mask has other values than 0 and 1, the
        magnetogram no unit of a magnetic field, the probability is not on the pixels of the mask, or a Map is of
        quite another time.

    Notes
    -----
    Only what is on the disc counts. Close to the limb each place on the Sun belongs to the pixel whose middle is
    nearest on the sphere, so that the pixels on the disc share the visible surface. ``perimeter`` is the length of a
    running mean over nine sides of pixels, corrected for the area that this cuts off at bends: details of a border
    that are smaller are not counted.

    A mask cannot show whether a region ends within its last pixel at the limb or goes on behind it: that is the meaning
    of ``touches_limb``. A pixel is inside as a whole or not at all. :ref:`limits-areas` gives the errors of areas and
    perimeters that follow.

    ``image`` and ``magnetogram`` may be of another size, rotation, observer and, within days, time: their values are
    taken where the surface in each pixel was then, averaged over the size of the pixel and interpolated. Where the
    image is on the pixels of the mask, it is taken as it is.

    The field is assumed to be radial, so that ``B`` is the field along the line of sight over the cosine of the angle
    to it. It is not taken to be known beyond 75 degrees from the disc centre of the magnetogram, where this cosine
    magnifies noise fourfold and more. The unsigned flux depends on the size of pixels. Such properties of the field
    help to tell coronal holes from filaments [1]_. Tested on synthetic fields under the header of an HMI magnetogram.

    ``area_low`` is the area of the pixels of the region that have at least one probability; ``area_high`` adds to the
    region all that is joined to it by pixels of at least another. What lies between several regions goes to the one
    from which probability falls off the least. The two probabilities are those of the model's card, which
    `~sunpy_scss.segment.predict_probability` puts into the header. Where they are not there, they are 0.84 and 0.16. A
    mask whose threshold lies beyond them gets a wider range.

    That is the spread of the network's own outline. It does not know of regions that are not real, nor of other
    conventions of where a hole ends, and sums of it over the disc say nothing: :ref:`worth-uncertainty` tells how often
    it holds labelled areas. To see what the convention does, measure the masks of ``boundary="tight"`` and ``"wide"``,
    too.

    The table can be written as ECSV and as FITS. To read ``centroid`` back, import `sunpy.coordinates` first.

    References
    ----------
    .. [1] Reiss et al. 2015, https://doi.org/10.1051/swsc/2015025

    Examples
    --------
    >>> import astropy.units as u
    >>> from sunpy_scss.masks import region_table
    >>> from sunpy_scss.synthetic import Cap, synthetic_sun
    >>> holes = [Cap(lon * u.deg, 10 * u.deg, 15 * u.deg) for lon in (-30, 40)]
    >>> sun = synthetic_sun(coronal_holes=holes, active_regions=[])
    >>> table = region_table(sun.coronal_holes, image=sun.image)
    >>> for name in ("area", "carrington_lon", "intensity_median"):
    ...     table[name].info.format = ".0f"
    >>> print(table["id", "area", "carrington_lon", "touches_limb", "intensity_median"])
     id  area  carrington_lon touches_limb intensity_median
         Mm2        deg                         DN / s
    --- ------ -------------- ------------ ----------------
      1 103648            255        False               19
      2 103670            325        False               17
    """
    regions = find_regions(mask)
    rim = rim_of(regions)
    columns = {"id": regions.ids, **areas(regions), **places(regions, rim), **borders(regions, rim)}
    if image is not None:
        columns |= intensities(regions, image)
    if magnetogram is not None:
        columns |= field(regions, magnetogram)
    if probability is not None:
        columns |= confidence(regions, probability)
    origin = {
        "DATE-OBS": regions.surface.obstime.isot,
        "RSUN_REF": float(regions.mask.rsun_meters.to_value(u.m)),
        "CARROBS": "Earth",
        **Provenance.of(regions.mask).keywords(),
    }
    return QTable(columns, meta=origin)
