"""The formats of annotation files: from their text to positions, without a Map."""

import json
import re
import warnings
import zipfile
import zlib
from pathlib import Path, PurePosixPath

import numpy as np
from erfa import ErfaWarning
from skimage.measure import find_contours

from astropy.time import Time

from sunpy_scss._features import FEATURES, feature_at
from sunpy_scss.exceptions import AnnotationError, UnreadableFileError

__all__ = ["check_polygons", "parse_all", "parse_geojson", "read_time"]

# The side, in pixels, of the images on which the files were drawn; no file tells it.
_SCSS_SIZE, _ABP_SIZE = 4096, 1024
_CLASS_CORONAL_HOLE = 0
# Several times the content of any real file. A larger file is damaged; to read or draw it would take minutes.
_MAX_BYTES, _MAX_UNPACKED = 32_000_000, 128_000_000
_MAX_VERTICES = 200_000
_MAX_LENGTH = 10_000  # length of all outlines together, in solar radii
_MAX_PIXELS = 10 * _SCSS_SIZE  # distance from the corner of the image
_YEARS = range(1960, 2101)


def _read_text(path):
    """Return the text of a file. Bytes that are no text stay in it, so that the parser can name their line."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror
        msg = f"{path} cannot be read: {reason}."
        raise UnreadableFileError(msg) from error
    _check_size(path, len(content), _MAX_BYTES)
    return content.decode("utf-8-sig", errors="replace")


def _check_size(name, size, limit):
    if size > limit:
        msg = f"{name} cannot be read: annotations of more than {limit / 1e6:g} MB are taken for damaged."
        raise UnreadableFileError(msg)


def parse_all(path):
    """
    Parse an annotation file, or all those of a folder or a zip file.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    list of dict
        The arguments of `sunpy_scss.annotations.Annotation`, in the order of the names.
    """
    path = Path(path)
    if path.is_dir():
        names = [found.relative_to(path).as_posix() for found in path.rglob("*") if found.is_file()]
        return [_parse(name, _read_text(path / name)) for name in _chosen(names)]
    if path.suffix.lower() in _PARSERS or not path.is_file():
        return [_parse(path.name, _read_text(path))]
    return _parse_zip(path)


def _chosen(names):
    # A zip file packed by a Mac has a hidden twin of each file.
    files = ((name, PurePosixPath(name)) for name in sorted(names))
    return [name for name, file in files if file.suffix.lower() in _PARSERS and not file.name.startswith(".")]


def _parse(name, text):
    return _PARSERS[PurePosixPath(name).suffix.lower()](name, text)


def _parse_zip(path):
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {member.filename: member.file_size for member in archive.infolist() if not member.is_dir()}
            names = _chosen(sizes)
            for name in names:
                _check_size(f"{path}, {name},", sizes[name], _MAX_BYTES)
            _check_size(f"{path}, unpacked,", sum(sizes[name] for name in names), _MAX_UNPACKED)
            return [_parse(name, archive.read(name).decode("utf-8-sig", "replace")) for name in names]
    # zipfile raises RuntimeError if it lacks a password, and NotImplementedError if it lacks a method.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError) as error:
        if isinstance(error, UnreadableFileError):
            raise
        msg = f"{path} cannot be read as a folder, a zip file or a file (.txt, .abp) of annotations: {error}."
        raise UnreadableFileError(msg) from error


def read_time(value):
    """
    Return the time that a file or a caller gives.

    Raises
    ------
    ValueError
        If it is not a time, or is outside the years of solar images.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ErfaWarning)  # about years that are refused here
        time = Time(value)
        if not time.isscalar or time.ymdhms["year"] not in _YEARS:
            msg = f"a time between {_YEARS[0]} and {_YEARS[-1]} is expected (got {value})."
            raise ValueError(msg)
    return time


def check_polygons(polygons, name, *, unit=1):
    """
    Raise an error if polygons are not finite, or if drawing them would take minutes.

    Parameters
    ----------
    polygons : iterable of iterable of array_like
        Each item is a polygon of rings (n, 2).
    name : str
        The name of the file, for the message.
    unit : float
        A solar radius, or a radian on the Sun, in the unit of the coordinates.

    Raises
    ------
    `~sunpy_scss.exceptions.AnnotationError`
        If they are not finite, or too many or too long to be real.
    """
    rings = [np.asarray(ring, dtype=float).reshape(-1, 2) for rings in polygons for ring in rings]
    count = sum(len(ring) for ring in rings)
    if count > _MAX_VERTICES:
        msg = f"{name} has polygons of {count} vertices; at most {_MAX_VERTICES} are drawn. Simplify the outlines."
        raise AnnotationError(msg)
    if not all(np.isfinite(ring).all() for ring in rings):
        msg = f"{name}: the coordinates of polygons must be finite numbers (got NaN or infinity)."
        raise AnnotationError(msg)
    length = sum(np.hypot(*(ring - np.roll(ring, 1, axis=0)).T).sum() for ring in rings) / unit
    if length > _MAX_LENGTH:
        msg = f"{name} has outlines of {length:.3g} solar radii altogether; at most {_MAX_LENGTH} are drawn."
        raise AnnotationError(msg)


def _parse_scss(name, text):
    """
    Parse a file of the SCSS-Net annotations; see `sunpy_scss.annotations.read_annotations`.

    Returns
    -------
    dict
        The arguments of `sunpy_scss.annotations.Annotation`.
    """
    facts, features, rings = {}, set(), []
    for number, line in enumerate(text.splitlines(), start=1):
        label, _, value = (part.strip() for part in line.partition(":"))
        if label in FEATURES:
            features.add(label)
            rings.append([])
        elif label in ("DATE", "RADIUS"):
            facts[label] = value
        elif label:
            _add_vertex(rings, line, f"{name}, line {number}")
    date, radius = _scss_facts(facts, name)
    vertices = [np.array(ring, dtype=float).reshape(-1, 2) for ring in rings]
    check_polygons([vertices], name, unit=radius)
    middle = _SCSS_SIZE / 2
    positions = [(ring - middle) * (1, -1) / radius for ring in vertices]
    return {
        "name": PurePosixPath(name).stem,
        "feature": _scss_feature(features, name),
        "date": date,
        "labels": "SCSS",
        "polygons": tuple((ring,) for ring in positions if len(ring) >= 3),
        "shape": (_SCSS_SIZE, _SCSS_SIZE),
        # The file counts from the corner of the first pixel, a Map from its centre.
        "centre": (middle - 0.5, middle - 0.5),
        "radius": radius,
        "faults": _faults(positions, vertices),
    }


def _add_vertex(rings, line, where):
    try:
        x, y = map(float, line.split())
    except ValueError:
        x = y = np.nan
    if not rings or not (abs(x) <= _MAX_PIXELS and abs(y) <= _MAX_PIXELS):
        msg = (
            f"{where}: expected DATE:, RADIUS:, AR:, CH:, or under one of the latter two numbers x y, in pixels of an "
            f"image of {_SCSS_SIZE} (got {line[:80]!r})."
        )
        raise AnnotationError(msg)
    rings[-1].append((x, y))


def _scss_facts(facts, name):
    try:
        date, radius = read_time(facts["DATE"]), float(facts["RADIUS"])
    except (KeyError, ValueError) as error:
        msg = f"{name} must begin with lines DATE: and RADIUS: (got {facts})."
        raise AnnotationError(msg) from error
    if not 1 <= radius < _SCSS_SIZE:
        msg = f"{name}: RADIUS must be the solar radius in pixels of an image of {_SCSS_SIZE} (got {radius:g})."
        raise AnnotationError(msg)
    return date, radius


def _scss_feature(features, name):
    if len(features) == 1:
        return features.pop()
    wavelength = re.search(r"AIA_(193|171)", name)
    if features or not wavelength:
        found = " and ".join(sorted(features)) or f"neither, and no AIA_193 or AIA_171 in the name {name}"
        msg = f"{name} must hold polygons of either CH or AR (got {found})."
        raise AnnotationError(msg)
    return feature_at(int(wavelength[1]))


def _faults(positions, vertices):
    points, pixels = (np.concatenate([np.empty((0, 2)), *rings]) for rings in (positions, vertices))
    return {
        "short polygons": sum(len(ring) < 3 for ring in positions),
        "off-limb vertices": int(np.count_nonzero(np.hypot(*points.T) > 1)),
        "vertices outside the image": int(np.count_nonzero(((pixels < 0) | (pixels > _SCSS_SIZE)).any(axis=1))),
    }


def _parse_abp(name, text):
    """
    Parse a file of the Region Growth catalogue; see `sunpy_scss.annotations.read_annotations`.

    Returns
    -------
    dict
        The arguments of `sunpy_scss.annotations.Annotation`.
    """
    try:
        date = read_time(Time.strptime(PurePosixPath(name).name[:15], "%Y%m%d_%H%M%S"))
        first, _, count, *objects = text.rstrip().splitlines()
        x, y, radius = _abp_disk(first)
        if int(count) * 2 != len(objects):
            msg = f"expected two lines for each of {int(count)} objects (got {len(objects)} lines)."
            raise ValueError(msg)
        pixels = [_abp_pixels(*lines) for lines in zip(objects[::2], objects[1::2], strict=True)]
    except (ValueError, TypeError, OverflowError) as error:
        msg = f"{name} is no .abp file of the Region Growth catalogue: {error}"
        raise AnnotationError(msg) from error
    rings = [[(ring - (x, y)) * (1, -1) / radius for ring in _outlines(*found)] for found in pixels]
    return {
        "name": PurePosixPath(name).stem,
        "feature": "CH",
        "date": date,
        "labels": "RegionGrowth",
        "polygons": tuple(tuple(polygon) for polygon in rings),
        "shape": (_ABP_SIZE, _ABP_SIZE),
        "centre": (x, _ABP_SIZE - 1 - y),
        "radius": radius,
        "faults": _faults([ring for polygon in rings for ring in polygon], []),
    }


def _abp_disk(line):
    """Return the column and row of disc centre, and the solar radius, in pixels."""
    x, y, radius = map(float, line.split()[:3])
    if not (0 <= x < _ABP_SIZE and 0 <= y < _ABP_SIZE and 1 <= radius < _ABP_SIZE):
        msg = f"disc centre and radius must be pixels of an image of {_ABP_SIZE} (got {line[:80]!r})."
        raise ValueError(msg)
    return x, y, radius


def _abp_pixels(info, triples):
    """Return the columns and rows of one object: of its boundary (code 1) and of its interior (code 2)."""
    _, count, *_, kind = map(int, info.split())
    values = np.array(triples.split(), dtype=int).reshape(-1, 3)
    if kind != _CLASS_CORONAL_HOLE:
        msg = f"an object is of class {kind}; only {_CLASS_CORONAL_HOLE}, coronal hole, is known."
        raise ValueError(msg)
    if len(values) != count or not ((values[:, :2] >= 0) & (values[:, :2] < _ABP_SIZE)).all():
        msg = f"expected {count} pixels inside an image of {_ABP_SIZE} (got {len(values)})."
        raise ValueError(msg)
    return values[:, 0], values[:, 1]


def _outlines(columns, rows):
    """Return rings half-way between pixels and their neighbours, x to the right and y downwards."""
    if not len(columns):
        return []
    left, top = columns.min(), rows.min()
    mask = np.zeros((np.ptp(rows) + 3, np.ptp(columns) + 3))
    mask[rows - top + 1, columns - left + 1] = 1
    rings = find_contours(mask, 0.5, positive_orientation="high")
    return [ring[:-1, ::-1] + (left - 1, top - 1) for ring in rings]


_PARSERS = {".txt": _parse_scss, ".abp": _parse_abp}


def parse_geojson(path):
    """
    Parse the polygons of a GeoJSON file.

    Returns
    -------
    list of list of numpy.ndarray
        For each polygon its rings (n, 2): the outer one, then the holes.
    dict
        The members of the outermost object.
    """
    path = Path(path)
    try:
        document = json.loads(_read_text(path), parse_constant=_refuse_constant)
        polygons = [[_geojson_ring(ring) for ring in polygon] for polygon in _polygons_in(document)]
        if not all(polygons):
            msg = "a polygon without a ring encloses no area."
            raise ValueError(msg)
    except RecursionError as error:
        msg = f"{path} is no GeoJSON of polygons: it is nested too deeply."
        raise AnnotationError(msg) from error
    except (ValueError, OverflowError) as error:
        msg = f"{path} is no GeoJSON of polygons: {error}"
        raise AnnotationError(msg) from error
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        msg = f"{path} is no GeoJSON of polygons: an object in it lacks its type, features, geometry or coordinates."
        raise AnnotationError(msg) from error
    return polygons, document


def _refuse_constant(name):
    msg = f"{name} is no number of JSON."
    raise ValueError(msg)


def _geojson_ring(positions):
    if len(positions) < 3:
        msg = f"a ring of {len(positions)} positions encloses no area."
        raise ValueError(msg)
    ring = np.array(positions, dtype=float)  # null becomes NaN, and the check of finite values refuses it
    if ring.ndim != 2 or ring.shape[1] < 2:
        msg = f"a ring is a list of positions [x, y] (got {str(positions)[:60]})."
        raise ValueError(msg)
    return ring[:, :2]


def _polygons_in(thing):
    kind = thing["type"]
    if kind == "FeatureCollection":
        return [polygon for feature in thing["features"] for polygon in _polygons_in(feature)]
    if kind == "Feature":
        return [] if thing["geometry"] is None else _polygons_in(thing["geometry"])  # a feature without a place
    if kind == "GeometryCollection":
        return [polygon for geometry in thing["geometries"] for polygon in _polygons_in(geometry)]
    if kind == "MultiPolygon":
        return thing["coordinates"]
    if kind == "Polygon":
        return [thing["coordinates"]]
    msg = f"a {kind} encloses no area; only Polygon and MultiPolygon do."
    raise ValueError(msg)
