"""Labels that others have drawn: from files of polygons or painted images to mask Maps with a true WCS."""

import logging
import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

import astropy.units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astropy.time import Time
from sunpy.coordinates import HeliographicCarrington, HeliographicStonyhurst, Helioprojective, get_earth
from sunpy.map import GenericMap
from sunpy.map.header_helper import make_fitswcs_header
from sunpy.util.exceptions import SunpyUserWarning

from sunpy_scss._arguments import check_type
from sunpy_scss._features import FEATURES, is_feature
from sunpy_scss._mask_map import make_mask
from sunpy_scss._provenance import Provenance
from sunpy_scss._sun.polygons import draw, earth_frame
from sunpy_scss._warn import warn_caller
from sunpy_scss.annotations._formats import check_polygons, parse_all, parse_geojson, read_time
from sunpy_scss.canonical._check import check_map
from sunpy_scss.exceptions import AnnotationError, InvalidMapError, UnreadableFileError

__all__ = [
    "Annotation",
    "annotation_table",
    "annotation_to_mask",
    "geojson_to_mask",
    "png_to_mask",
    "read_annotations",
]

_log = logging.getLogger("sunpy")
_FRAMES = {"heliographic_stonyhurst", "heliographic_carrington", "helioprojective"}
_GLOBES = HeliographicStonyhurst | HeliographicCarrington
_MAX_GAP = 6 * u.hour
# A ring around a pole is closed along it: in degrees of latitude.
_AT_POLE = 89.9
# Distance from disc centre, for polygons in the plane of the sky.
_MAX_RADII = 10


@dataclass(frozen=True)
class Annotation:
    """
    The content of one annotation file.

    Attributes
    ----------
    name : str
        The name of the file, without folder and extension.
    feature : str
        ``"CH"`` for coronal holes or ``"AR"`` for active regions.
    date : astropy.time.Time
        The time of the image on which it was drawn.
    labels : str
        The authors, in a word for headers.
    polygons : tuple of tuple of numpy.ndarray
        One polygon for each region, of one or more rings (n, 2): positions in apparent solar radii from disc centre,
        to solar west and north, as seen from Earth. A ring inside another one of the same polygon is a hole. The
        order of the vertices is that of the file; rings traced from pixels run counter-clockwise around a region and
        clockwise around a hole. None for an image without the feature, which is a valid answer.
    shape : tuple of int
        (ny, nx) of the image on which it was drawn.
    centre : tuple of float
        Disc centre in that image: column and row from 0 at the centre of the lower left pixel, north up.
    radius : float
        Apparent solar radius in pixels of that image.
    faults : dict
        Counts: ``"short polygons"`` of fewer than three vertices, which enclose nothing and are left out;
        ``"off-limb vertices"`` and, among them, ``"vertices outside the image"``. These vertices are kept, because
        masks end at the limb.
    """

    name: str
    feature: str
    date: Time
    labels: str
    polygons: tuple[tuple[np.ndarray, ...], ...]
    shape: tuple[int, int]
    centre: tuple[float, float]
    radius: float
    faults: dict[str, int]


def read_annotations(path: str | os.PathLike) -> list[Annotation]:
    r"""
    Read annotation files: one, or all those of a folder or a zip file.

    Two formats are known. Files of the SCSS-Net annotations (``.txt``) [1]_ hold polygons drawn by hand: lines
    ``DATE: ...`` and ``RADIUS: ...`` (the apparent solar radius in pixels) are followed by polygons, each a line
    ``CH: n`` or ``AR: n`` and a line ``x y`` for each vertex, in pixels of an image of 4096 x 4096 with the Sun in its
    middle, counted from the upper left corner to the right and downwards. Positions are scaled by the file's own
    radius, which makes them exact.

    Files of the Region Growth catalogue of coronal holes (``YYYYMMDD_HHMMSS_aia.abp``) [2]_ list the pixels of each
    hole in an image of 1024 x 1024, counted to the right and downwards from 0; the first line holds disc centre and
    radius in these pixels. The rings pass between the pixels of a hole and those around it, so that filling them on
    the file's own grid gives the listed pixels. The file rounds the radius to a pixel, 0.1 % of the disc.

    Parameters
    ----------
    path : path-like
        A file, a folder with the folders in it, or a zip file. In the latter two, only ``.txt`` and ``.abp`` files
        are looked at, and hidden ones are not.

    Returns
    -------
    list of Annotation
        Ordered by the names of the files. `annotation_table` shows what was found in them.

    Raises
    ------
    `~sunpy_scss.exceptions.UnreadableFileError`
        If a file is missing, damaged, encrypted or far larger than any annotation (32 MB, or 128 MB for all of a zip
        file).
    `~sunpy_scss.exceptions.AnnotationError`
        If a file is not of its format, or a folder or zip file holds none. An SCSS-Net file without any polygon must
        be named for 193 or 171 Angstrom, because nothing else says which feature is missing.

    References
    ----------
    .. [1] Mackovjak et al. 2021, MNRAS 508, 3111, https://doi.org/10.1093/mnras/stab2536
    .. [2] Tlatov, Tavastsherna & Vasil'eva 2014, Sol. Phys. 289, 1349, "Coronal Holes in Solar Cycles 21 to 23"

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sunpy_scss.annotations import annotation_table, read_annotations
    >>> folder = Path(tempfile.mkdtemp())
    >>> lines = ["DATE:  2012-01-03 00:00:12.34", "RADIUS:  1625.0", "CH:    0",
    ...          "   2048.0  1048.0", "   2348.0  1048.0", "   2048.0  748.0", ""]
    >>> drawn = folder / "2012_01_03__00_00_12_34__SDO_AIA_AIA_193.txt"
    >>> _ = drawn.write_bytes("\r\n".join(lines).encode())
    >>> lines = ["512 511 410 0.0 -3.4 65.6  0 ", "0 0 ", "1 ", "0 3 0 0 0 0 0",
    ...          "500 400 1 501 400 1 501 401 1 "]
    >>> grown = folder / "20120104_230000_aia.abp"
    >>> _ = grown.write_bytes("\r\n".join(lines).encode())
    >>> annotations = read_annotations(folder)
    >>> annotation_table(annotations)["feature", "polygons", "short polygons"].pprint()
    feature polygons short polygons
    ------- -------- --------------
         CH        1              0
         CH        1              0
    """
    annotations = [Annotation(**fields) for fields in parse_all(path)]
    if not annotations:
        msg = f"There is no annotation file (.txt or .abp) in {path}."
        raise AnnotationError(msg)
    short = sum(annotation.faults["short polygons"] for annotation in annotations)
    if short:
        _log.info("%s: %d polygons of under three vertices are left out; annotation_table shows where.", path, short)
    return annotations


def annotation_table(annotations: Iterable[Annotation]) -> Table:
    """
    Return a table of annotations: their sizes, and the faults found in them.

    Parameters
    ----------
    annotations : iterable of Annotation

    Returns
    -------
    astropy.table.Table
        One row for each: ``name``, ``feature``, ``date``, the numbers of ``polygons`` and ``vertices``, and the counts
        of `Annotation.faults`, each a column.

    Examples
    --------
    See `read_annotations`.
    """
    rows = [
        {
            "name": annotation.name,
            "feature": annotation.feature,
            "date": annotation.date,
            "polygons": len(annotation.polygons),
            "vertices": sum(len(ring) for rings in annotation.polygons for ring in rings),
            **annotation.faults,
        }
        for annotation in annotations
    ]
    return Table(rows)


@u.quantity_input
def annotation_to_mask(
    annotation: Annotation, smap: GenericMap | None = None, *, max_gap: u.Quantity[u.hour] = _MAX_GAP
) -> GenericMap:
    """
    Return the mask Map of an annotation.

    Parameters
    ----------
    annotation : Annotation
    smap : sunpy.map.GenericMap, optional
        Draw on the pixels of this Map, whatever its scale, rotation and observer: the polygons are rotated with the
        solar surface to its time, and seen by its observer. The default is the grid of the annotated image.
    max_gap : astropy.units.Quantity, optional
        The largest difference between the times of the Map and of the annotation. Rotation does not account for the
        growth or decay of a region.

    Returns
    -------
    sunpy.map.GenericMap
        int16, 1 in the feature and 0 elsewhere, never beyond the limb. The default WCS is that of an observer on
        Earth; its scale follows from the solar radius in pixels that the file gives.

    Raises
    ------
    TypeError, `~sunpy_scss.exceptions.InvalidMapError`
        If ``smap`` is not a helioprojective Map of known solar radius, or is more than ``max_gap`` away in time.
    `~sunpy_scss.exceptions.AnnotationError`
        If the polygons are not finite, have more than 200,000 vertices, or are longer than 10,000 solar radii.

    Examples
    --------
    >>> import numpy as np
    >>> from astropy.time import Time
    >>> from sunpy_scss.annotations import Annotation, annotation_to_mask
    >>> square = np.array([[0, 0], [0.5, 0], [0.5, 0.5], [0, 0.5]])
    >>> annotation = Annotation("mine", "CH", Time("2012-01-03"), "me", ((square,),),
    ...                         (256, 256), (127.5, 127.5), 100.0, {})
    >>> mask = annotation_to_mask(annotation)
    >>> int(mask.data.sum()), mask.meta["SCSSLAB"]
    (2500, 'me')
    """
    check_type(annotation, Annotation, "an Annotation, one of those that read_annotations gives")
    check_polygons(annotation.polygons, annotation.name)
    if smap is None:
        smap = _blank_map(annotation)
    else:
        check_map(smap)
        _check_gap(f"The annotation {annotation.name}", annotation.date, smap, max_gap)
    frame = earth_frame(annotation.date, smap.rsun_meters)
    scale = _apparent_radius(frame.observer, smap.rsun_meters).to_value(u.arcsec)
    polygons = [[ring * scale for ring in rings] for rings in annotation.polygons]
    mask = draw(polygons, frame, smap)
    history = f"sunpy_scss.annotation_to_mask: {annotation.name}, {len(polygons)} polygons, {annotation.date.isot}"
    return _mask_map(mask, smap, annotation.feature, annotation.labels, history)


@u.quantity_input
def geojson_to_mask(
    path: str | os.PathLike,
    smap: GenericMap,
    *,
    feature: str,
    frame: str | None = None,
    date: str | Time | None = None,
    max_gap: u.Quantity[u.hour] = _MAX_GAP,
) -> GenericMap:
    """
    Return the mask Map of polygons in a GeoJSON file.

    Geometries of type Polygon and MultiPolygon are drawn; the rings after the first one of a polygon are its holes.
    A feature whose geometry is null has no place and is skipped.
    GeoJSON itself knows only the Earth. Two members beside ``features`` say what the numbers mean::

        {"type": "FeatureCollection",
         "frame": "heliographic_stonyhurst",
         "date": "2017-02-05T23:00:00",
         "features": [...]}

    Parameters
    ----------
    path : path-like
    smap : sunpy.map.GenericMap
        The image, or heliographic Map, on whose pixels the polygons are drawn. They are rotated with the solar surface
        to its time.
    feature : str
        The feature that the polygons outline: ``"CH"``, ``"AR"`` or a code of your own, such as ``"FILAMENT"``.
    frame : str, optional
        ``"heliographic_stonyhurst"`` or ``"heliographic_carrington"``, longitude and latitude in degrees; or
        ``"helioprojective"``, in arcsec as the observer of ``smap`` sees them. The default is that of the file. Edges
        are straight in longitude and latitude: write 355 to 365, not 355 to 5; an edge of over 180 degrees brings a
        warning.
    date : str or astropy.time.Time, optional
        The time at which the coordinates hold. The default is that of the file.
    max_gap : astropy.units.Quantity, optional
        The largest difference between the time of the Map and that date.

    Returns
    -------
    sunpy.map.GenericMap
        int16, 1 in the feature and 0 elsewhere, on the WCS of ``smap``.

    Raises
    ------
    TypeError, `~sunpy_scss.exceptions.InvalidMapError`
        If ``smap`` is neither a heliographic Map nor a helioprojective Map of known solar radius, or is more than
        ``max_gap`` away in time.
    `~sunpy_scss.exceptions.UnreadableFileError`
        If there is no such file, or it is larger than 32 MB.
    `~sunpy_scss.exceptions.AnnotationError`
        If the file is no GeoJSON of polygons, if its coordinates cannot be on or near the Sun, if its polygons have
        more than 200,000 vertices, or if its frame or date is neither in the file nor given.
    ValueError
        If there is no such feature.

    References
    ----------
    * RFC 7946, https://doi.org/10.17487/RFC7946

    Examples
    --------
    >>> import json
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sunpy_scss.annotations import geojson_to_mask
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> smap = synthetic_sun().image
    >>> corners = [[-10, -10], [10, -10], [10, 10], [-10, 10]]
    >>> square = {"type": "Polygon", "coordinates": [corners]}
    >>> path = Path(tempfile.mkdtemp()) / "holes.geojson"
    >>> _ = path.write_text(json.dumps(square))
    >>> mask = geojson_to_mask(
    ...     path, smap, feature="CH", frame="heliographic_stonyhurst", date=smap.date
    ... )
    >>> mask.data.shape == smap.data.shape
    True
    """
    if not isinstance(getattr(smap, "coordinate_frame", None), _GLOBES):
        check_map(smap)
    _check_feature(feature)
    polygons, facts = parse_geojson(path)
    frame = _solar_frame(frame or facts.get("frame"), date or facts.get("date"), smap)
    _check_places(polygons, frame, smap, path)
    _check_gap(f"{path}", frame.obstime, smap, max_gap)
    mask = draw(polygons, frame, smap)
    source = f"{len(polygons)} polygons, {frame.name}, {frame.obstime.isot}"
    history = f"sunpy_scss.geojson_to_mask: {Path(path).name}, {source}"
    return _mask_map(mask, smap, feature, "GeoJSON", history)


def _solar_frame(name, date, smap):
    if not isinstance(name, str) or name not in _FRAMES:
        msg = f"The frame of the coordinates must be one of {', '.join(sorted(_FRAMES))} (got {name}): pass frame=..."
        raise AnnotationError(msg)
    if date is None:
        msg = 'The file does not say when its coordinates hold: add a member "date" or pass date=...'
        raise AnnotationError(msg)
    try:
        obstime = read_time(date)
    except (ValueError, TypeError) as error:
        msg = f"The date of the coordinates cannot be read: {error}"
        raise AnnotationError(msg) from error
    attributes = {"obstime": obstime, "rsun": smap.rsun_meters}
    if name == "heliographic_stonyhurst":
        return HeliographicStonyhurst(**attributes)
    if name == "heliographic_carrington":
        return HeliographicCarrington(observer="earth", **attributes)
    return Helioprojective(observer=smap.observer_coordinate, **attributes)


def png_to_mask(path: str | os.PathLike, smap: GenericMap, *, feature: str) -> GenericMap:
    """
    Return the mask Map of an image that was painted over a browse image.

    Parameters
    ----------
    path : path-like
        PNG or another lossless format, of the size and orientation of the browse image from which ``smap`` was made;
        black outside the feature, one other grey or colour inside.
    smap : sunpy.map.GenericMap
        The Map of that browse image.
    feature : str
        The feature that is painted: ``"CH"``, ``"AR"`` or a code of your own, such as ``"FILAMENT"``.

    Returns
    -------
    sunpy.map.GenericMap
        int16, 1 in the feature and 0 elsewhere, on the WCS of ``smap``. Paint beyond the limb stays.

    Raises
    ------
    TypeError, `~sunpy_scss.exceptions.InvalidMapError`
        If ``smap`` is not a helioprojective Map of known solar radius.
    `~sunpy_scss.exceptions.UnreadableFileError`
        If there is no such file, or it cannot be read as an image.
    `~sunpy_scss.exceptions.AnnotationError`
        If the sizes differ or the image has more than two values.
    ValueError
        If there is no such feature.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from sunpy_scss.annotations import png_to_mask
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> smap = synthetic_sun(size=64).image
    >>> path = Path(tempfile.mkdtemp()) / "mask.png"
    >>> Image.new("L", (64, 64), 255).save(path)
    >>> bool(png_to_mask(path, smap, feature="CH").data.all())
    True
    """
    check_map(smap)
    _check_feature(feature)
    colours = _colours(path, smap.data.shape)
    painted = colours.any(axis=2)
    values = np.unique(colours[painted], axis=0)
    if len(values) > 1:
        msg = f"{path} must hold black and one other colour (got {len(values)} others); apply a threshold, save as PNG."
        raise AnnotationError(msg)
    # Rows of an image file run downwards, those of a Map upwards.
    return _mask_map(painted[::-1], smap, feature, "painted", f"sunpy_scss.png_to_mask: {Path(path).name}")


def _colours(path, shape):
    """Return the pixels of an image, (ny, nx, bands); raise an error before reading if their number is wrong."""
    path, pixels = Path(path), None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                size = image.size[::-1]
                if size == shape:
                    # Pillow turns 8 bits into colours, and clips values of more bits.
                    pixels = np.asarray(image if image.mode.startswith(("I", "F")) else image.convert("RGB"))
    except FileNotFoundError as error:
        msg = f"{path} cannot be read: there is no such file."
        raise UnreadableFileError(msg) from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        msg = f"{path} cannot be read as an image: {error}."
        raise UnreadableFileError(msg) from error
    if pixels is None:
        msg = f"{path} must be of the shape of the Map, {shape} (got {size})."
        raise AnnotationError(msg)
    return np.atleast_3d(pixels)


def _check_gap(name, date, smap, max_gap):
    gap = abs(smap.reference_date - date).to(u.hour)
    if not gap <= max_gap:
        apart = gap if gap < 2 * u.day else gap.to(u.day)
        problem = (
            f"{name} is of {date.isot[:16]} and the Map of {smap.reference_date.isot[:16]}, {apart:.1f} apart, more "
            f"than {max_gap.to(u.hour):g}."
        )
        raise InvalidMapError(
            problem,
            "Take an image nearer in time, or raise max_gap.",
            in_shell="Take an image nearer in time, or raise --max-gap.",
        )


def _check_places(polygons, frame, smap, path):
    """Raise an error for coordinates that cannot be on or near the Sun."""
    radius = smap.rsun_obs.to_value(u.arcsec) if isinstance(frame, Helioprojective) else np.degrees(1)
    limits = np.array([_MAX_RADII * radius] * 2 if isinstance(frame, Helioprojective) else [720, 90])
    for ring in (ring for rings in polygons for ring in rings):
        wrong = (abs(ring) > limits + 1e-6).any(axis=1)
        if wrong.any():
            x, y = ring[np.argmax(wrong)]
            msg = (
                f"{path}: coordinates in the frame {frame.name} are at most {limits[0]:g} and {limits[1]:g} "
                f"(got {x:g}, {y:g})."
            )
            raise AnnotationError(msg)
    check_polygons(polygons, path, unit=radius)
    if not isinstance(frame, Helioprojective):
        _warn_of_wide_edges(polygons, path)


def _warn_of_wide_edges(polygons, path):
    """Warn of an edge over more than half the Sun: a region across the origin of longitudes became the rest of it."""
    for ring in (ring for rings in polygons for ring in rings):
        following = np.roll(ring, -1, axis=0)
        widths = abs(following[:, 0] - ring[:, 0])
        widths[np.minimum(abs(ring[:, 1]), abs(following[:, 1])) > _AT_POLE] = 0
        if widths.max() > 180:
            at = np.argmax(widths)
            start, end = ring[at, 0], following[at, 0]
            msg = (
                f"{path}: a ring has an edge of {widths[at]:g} degrees of longitude, from {start:g} to {end:g}, and is "
                "drawn as wide as that. If the region lies across the origin of longitudes, let them run on: write 355 "
                "to 365, not 355 to 5. If it is that wide, add vertices along the edge."
            )
            warn_caller(msg, SunpyUserWarning)
            return


def _check_feature(feature):
    if not is_feature(feature):
        msg = f"feature must be {', '.join(FEATURES)} or a code of capital letters and digits (got {feature!r})."
        raise ValueError(msg)


def _apparent_radius(observer, rsun):
    return np.arcsin(rsun / observer.radius).to(u.arcsec)


def _blank_map(annotation):
    """Return an empty Map with the geometry of the image on which an annotation was drawn."""
    earth = get_earth(annotation.date)
    frame = Helioprojective(observer=earth, obstime=annotation.date)
    scale = _apparent_radius(earth, frame.rsun) / (annotation.radius * u.pix)
    header = make_fitswcs_header(
        annotation.shape,
        SkyCoord(0 * u.arcsec, 0 * u.arcsec, frame=frame),
        reference_pixel=annotation.centre * u.pix,
        scale=u.Quantity([scale, scale]),
        telescope="SDO/AIA",
        wavelength=FEATURES[annotation.feature].wavelength * u.AA,
    )
    return GenericMap(np.zeros(annotation.shape, dtype=np.int16), header)


def _mask_map(mask, smap, feature, labels, history):
    provenance = Provenance.new(feature=feature, method="annotation", labels=labels)
    return make_mask(mask, smap, provenance, history=history)
