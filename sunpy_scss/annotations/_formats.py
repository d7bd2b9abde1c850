"""The formats of annotation files: text in, positions out. No Map."""

import json
import re
import zipfile
from pathlib import Path, PurePosixPath

import numpy as np
from skimage.measure import find_contours

from astropy.time import Time

from sunpy_scss._features import FEATURES, feature_at

__all__ = ["parse_abp", "parse_all", "parse_geojson", "parse_scss", "read_text"]

# The images that the files were drawn on, in pixels a side; no file says it.
_SCSS_SIZE, _ABP_SIZE = 4096, 1024
_CLASS_CORONAL_HOLE = 0


def read_text(path):
    """The text of a file; what is none is left to fail as annotation, with its line."""
    return Path(path).read_text(encoding="utf-8", errors="replace")


def parse_all(path):
    """
    All annotation files of a folder or a zip file.

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
        names = [found.relative_to(path).as_posix() for found in path.rglob("*")]
        return _parse_members(names, lambda name: read_text(path / name))
    try:
        with zipfile.ZipFile(path) as archive:
            return _parse_members(archive.namelist(), lambda name: archive.read(name).decode("utf-8", "replace"))
    except zipfile.BadZipFile as error:
        msg = f"{path} is neither a folder nor a zip file of annotation files."
        raise ValueError(msg) from error


def _parse_members(names, text_of):
    parsers = {".txt": parse_scss, ".abp": parse_abp}
    chosen = [name for name in sorted(names) if PurePosixPath(name).suffix in parsers]
    return [parsers[PurePosixPath(name).suffix](name, text_of(name)) for name in chosen]


def parse_scss(name, text):
    """
    A file of the SCSS-Net annotations; see `sunpy_scss.annotations.read_scss_annotation`.

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
    if not rings or not np.isfinite([x, y]).all():
        msg = f"{where}: expected DATE:, RADIUS:, AR:, CH:, or under one of the latter two numbers x y (got {line!r})."
        raise ValueError(msg)
    rings[-1].append((x, y))


def _scss_facts(facts, name):
    try:
        date, radius = Time(facts["DATE"]), float(facts["RADIUS"])
    except (KeyError, ValueError) as error:
        msg = f"{name} must begin with lines DATE: and RADIUS: (got {facts})."
        raise ValueError(msg) from error
    if not 0 < radius < _SCSS_SIZE:
        msg = f"{name}: RADIUS must be the solar radius in pixels of an image of {_SCSS_SIZE} (got {radius:g})."
        raise ValueError(msg)
    return date, radius


def _scss_feature(features, name):
    if len(features) == 1:
        return features.pop()
    wavelength = re.search(r"AIA_(193|171)", name)
    if features or not wavelength:
        found = " and ".join(sorted(features)) or f"neither, and no AIA_193 or AIA_171 in the name {name}"
        msg = f"{name} must hold polygons of either CH or AR (got {found})."
        raise ValueError(msg)
    return feature_at(int(wavelength[1]))


def _faults(positions, vertices):
    points, pixels = (np.concatenate([np.empty((0, 2)), *rings]) for rings in (positions, vertices))
    return {
        "short polygons": sum(len(ring) < 3 for ring in positions),
        "off-limb vertices": int(np.count_nonzero(np.hypot(*points.T) > 1)),
        "vertices outside the image": int(np.count_nonzero(((pixels < 0) | (pixels > _SCSS_SIZE)).any(axis=1))),
    }


def parse_abp(name, text):
    """
    A file of the Region Growth catalogue; see `sunpy_scss.annotations.read_abp`.

    Returns
    -------
    dict
        The arguments of `sunpy_scss.annotations.Annotation`.
    """
    try:
        date = Time.strptime(PurePosixPath(name).name[:15], "%Y%m%d_%H%M%S")
        first, _, count, *objects = text.splitlines()
        x, y, radius = map(float, first.split()[:3])
        pixels = [_abp_pixels(*objects[2 * k : 2 * k + 2]) for k in range(int(count))]
    except (ValueError, IndexError, TypeError) as error:
        msg = f"{name} is no .abp file of the Region Growth catalogue: {error}"
        raise ValueError(msg) from error
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


def _abp_pixels(info, triples):
    """Columns and rows of the pixels of one object; boundary (code 1) and interior (2) alike belong to it."""
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
    """Rings half-way between pixels and their neighbours; x to the right and y downwards."""
    mask = np.zeros((_ABP_SIZE + 2, _ABP_SIZE + 2))
    mask[rows + 1, columns + 1] = 1
    return [ring[:-1, ::-1] - 1 for ring in find_contours(mask, 0.5, positive_orientation="high")]


def parse_geojson(path):
    """
    The polygons of a GeoJSON file.

    Returns
    -------
    list of list of numpy.ndarray
        Rings (n, 2), the outer one and holes, of each polygon.
    dict
        The members of the outermost object.
    """
    try:
        document = json.loads(read_text(path))
        polygons = [[_geojson_ring(ring) for ring in polygon] for polygon in _polygons_in(document)]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        msg = f"{path} is no GeoJSON of polygons: {error}"
        raise ValueError(msg) from error
    return polygons, document


def _geojson_ring(positions):
    if len(positions) < 3:
        msg = f"a ring of {len(positions)} positions encloses no area."
        raise ValueError(msg)
    return np.array(positions, dtype=float)[:, :2]


def _polygons_in(thing):
    kind = thing["type"]
    if kind == "FeatureCollection":
        return [polygon for feature in thing["features"] for polygon in _polygons_in(feature)]
    if kind == "Feature":
        return _polygons_in(thing["geometry"])
    if kind == "GeometryCollection":
        return [polygon for geometry in thing["geometries"] for polygon in _polygons_in(geometry)]
    if kind == "MultiPolygon":
        return thing["coordinates"]
    if kind == "Polygon":
        return [thing["coordinates"]]
    msg = f"a {kind} encloses no area; only Polygon and MultiPolygon do."
    raise ValueError(msg)
