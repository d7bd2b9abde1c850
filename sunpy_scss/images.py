"""Images as Maps: from any file, from pictures made for the eye, from archives."""

from importlib.resources import as_file, files
from pathlib import Path

import numpy as np

import astropy.units as u
import sunpy.map
from astropy.table import QTable
from astropy.time import Time
from sunpy.map import GenericMap
from sunpy.time import parse_time
from sunpy.util import MetaDict

from sunpy_scss import _browse, _files
from sunpy_scss._jp2 import read_header
from sunpy_scss._limb import fit_limb
from sunpy_scss._pixels import linearise
from sunpy_scss.exceptions import (
    CalibrationWarning,
    InvalidMapError,
    MissingImageWarning,
    UnreadableFileError,
    warn_caller,
)

__all__ = ["example_map", "fetch", "from_browse", "read_map", "search_aia"]

_EXAMPLES = {171: "aia_171_level1.fits", 193: "2013_06_24__17_31_30_84__SDO_AIA_AIA_193.jp2"}


def read_map(path):
    """
    Read the one Map of a file.

    Everything that sunpy reads (FITS, ASDF), and JPEG 2000 as Helioviewer gives it, for which sunpy itself needs a
    system library. Where such an image has fewer pixels than its header says, as thumbnails do, the scale is mended.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    sunpy.map.GenericMap
        In the type and unit of the file. The pixels of JPEG 2000 images of Helioviewer are uint8, scaled for display;
        segmentation turns those of AIA 171 and 193 Å back into DN/s.

    Raises
    ------
    `~sunpy_scss.exceptions.UnreadableFileError`
        If the file does not exist, is cut off, is no image (a web page saved in place of one), or holds no Map or
        several.

    Examples
    --------
    >>> from sunpy_scss.images import read_map
    >>> read_map("nowhere.fits")
    Traceback (most recent call last):
    ...
    sunpy_scss.exceptions.UnreadableFileError: nowhere.fits cannot be read: there is no such file.
    """
    path = Path(path)
    maps = _files.read(_files.maps_in, path)
    if not isinstance(maps, GenericMap):
        msg = f"{path} holds {len(maps)} images: open it by sunpy.map.Map and choose one."
        raise UnreadableFileError(msg)
    return maps


def example_map(wavelength):
    """
    A real full-disc AIA image that comes with sunpy, for examples and tests without network.

    Parameters
    ----------
    wavelength : astropy.units.Quantity or int
        In Angstrom without a unit. 193: of 2013-06-24 with two large coronal holes, 410 x 410 pixels scaled for
        display (uint8); 171: of 2011-02-15 with active regions, 128 x 128 pixels in DN.

    Returns
    -------
    sunpy.map.GenericMap

    Raises
    ------
    ValueError
        If there is no example of that wavelength.

    Examples
    --------
    >>> from sunpy_scss.images import example_map
    >>> smap = example_map(193)
    >>> smap.data.shape, str(smap.wavelength)
    ((410, 410), '193.0 Angstrom')
    """
    wavelength = u.Quantity(wavelength, u.AA).value
    if wavelength not in _EXAMPLES:
        msg = f"There are examples of {' and '.join(map(str, _EXAMPLES))} Angstrom only (got {wavelength:g})."
        raise ValueError(msg)
    with as_file(files("sunpy") / "data" / "test" / _EXAMPLES[wavelength]) as path:
        return read_map(path)


@u.quantity_input
def from_browse(path, *, date=None, wavelength: u.AA = None, source=None):
    """
    A Map of a picture as web sites show them: JPEG, PNG or JPEG 2000 of the whole disc, solar north up.

    The colour table is inverted and the display scale undone where it is known. The centre of the disc and its radius
    in pixels are fitted to the limb; its radius in arcsec is that from Earth at that time. Writing in the corners does
    no harm.

    Parameters
    ----------
    path : path-like
    date : str or astropy.time.Time, optional
        When the image was taken, as `sunpy.time.parse_time` reads it. By default what the file's name tells (as in
        ``20170210_165517_1024_0193.jpg``), or its text entries.
    wavelength : astropy.units.Quantity, optional
        By default as the colours tell; needed for grey pictures. 195 Å takes an image for one of SUVI, as does a
        file name with ``suvi``.
    source : str, optional
        What made the picture, ``"sdo"``, ``"helioviewer"`` or ``"other"``, which decides whether its display scale is
        known: that of browse images of sdo.gsfc.nasa.gov at 193 Å and of Helioviewer at 171 and 193 Å, measured on
        FITS files of 2017 to 2020 and taken to hold since 2011. By default told from name and format: JPEG named as
        those of sdo.gsfc.nasa.gov, JPEG 2000 and plain PNG as of Helioviewer.

    Returns
    -------
    sunpy.map.GenericMap
        An AIA or SUVI Map, float32. In DN/s where the display scale is known (not below 21 DN/s at 193 Å and 5 DN/s at
        171 Å, where it clips); else dimensionless, with ``CALIB = 'relative'`` in the header and a warning, and
        segmentation treats it as an image of unknown calibration.

    Raises
    ------
    `~sunpy_scss.exceptions.UnreadableFileError`
        If the file does not exist, is cut off, or is no picture.
    `~sunpy_scss.exceptions.InvalidMapError`
        If no limb is found, or the colours are not those of AIA 171 or 193 Å.
    ValueError
        If the date or the wavelength is not known.

    Warns
    -----
    `~sunpy_scss.exceptions.CalibrationWarning`
        If the display scale is unknown.

    Examples
    --------
    >>> from sunpy_scss.images import from_browse
    >>> smap = from_browse("20170210_165517_1024_0193.jpg")  # doctest: +SKIP
    """
    path = Path(path)
    if source is not None and source not in _browse.SOURCES:
        msg = f"source must be one of {', '.join(_browse.SOURCES)} (got {source!r})."
        raise ValueError(msg)
    picture = _files.read(_browse.read_picture, path)
    if picture.kind == "JPEG2000" and _files.read(read_header, path):
        smap = read_map(path)
        index, header, date = smap.data, smap.meta.copy(), smap.date
        angstrom = _checked_wavelength(path, smap.wavelength, None)
    else:
        index, colours = _colour_index(path, picture)
        angstrom = _checked_wavelength(path, wavelength, 195 if colours == 193 and picture.is_suvi else colours)
        date = _date(path, picture, date)
        header = MetaDict(_browse.header_of(picture, _disk(path, index), date, angstrom))
    is_aia = header["instrume"].startswith("AIA")
    if is_aia and _browse.is_calibrated(source or _browse.source_of(picture), angstrom, date):
        header["bunit"], header["calib"] = "DN / s", "display scale undone"
    else:
        header["bunit"], header["calib"] = "", "relative"
        msg = f"The display scale of {path} is unknown: its intensities are relative. If you know it, pass source."
        warn_caller(msg, CalibrationWarning)
    header["filename"] = path.name
    return sunpy.map.Map(linearise(index, _browse.CHANNELS[angstrom]), header)


def _colour_index(path, picture):
    try:
        index, colours = _browse.colour_index(picture.pixels)
    except ValueError as error:
        msg = f"{path} is no picture of AIA or SUVI: {error}."
        raise InvalidMapError(msg) from error
    return np.ascontiguousarray(index[::-1]), colours


def _checked_wavelength(path, wavelength, colours):
    """The wavelength in Angstrom, from the caller or the colours, which must agree."""
    if wavelength is None and colours is None:
        msg = f"{path} is grey: pass wavelength, 171 or 193 Angstrom."
        raise ValueError(msg)
    angstrom = colours if wavelength is None else round(wavelength.to_value(u.AA))
    if angstrom not in _browse.CHANNELS:
        known = ", ".join(map(str, _browse.CHANNELS))
        msg = f"The wavelength of {path} must be one of {known} Angstrom (got {angstrom})."
        raise ValueError(msg)
    if colours is not None and _browse.CHANNELS[angstrom] != _browse.CHANNELS[colours]:
        msg = f"The colours of {path} are those of {colours} Angstrom (wavelength is {angstrom})."
        raise ValueError(msg)
    return angstrom


def _date(path, picture, date):
    date = date or _browse.date_of(picture)
    if date is None:
        msg = f"Neither name nor texts of {path} tell when it was taken: pass date."
        raise ValueError(msg)
    return parse_time(date)


def _disk(path, index):
    disk = fit_limb(index.astype(np.float32))
    if not disk.found:
        msg = f"{path} shows no limb to find the Sun by: is it a picture of the whole disc?"
        raise InvalidMapError(msg)
    return disk


@u.quantity_input
def search_aia(
    time,
    wavelength: u.AA = (171, 193) * u.AA,
    *,
    source="synoptic",
    max_gap: u.s = 30 * u.min,
    timeout: u.s = 60 * u.s,
    attempts=3,
):
    """
    Find the AIA images nearest to some times.

    Parameters
    ----------
    time : str, astropy.time.Time or list
        One time as `sunpy.time.parse_time` reads it, or many.
    wavelength : astropy.units.Quantity, optional
        One or many; by default those of active regions and coronal holes.
    source : str, optional
        The archive. ``"synoptic"``: level 1.5 FITS of 1024 x 1024 pixels, every two minutes, from the JSOC;
        what the bundled models need. ``"vso"``: level 1 FITS of 4096 x 4096 pixels, through the Virtual Solar
        Observatory. ``"helioviewer"``: JPEG 2000 of 4096 x 4096 pixels, scaled for display.
    max_gap : astropy.units.Quantity, optional
        Images farther from the time asked for do not count.
    timeout : astropy.units.Quantity, optional
        How long an archive may be silent.
    attempts : int, optional
        How often to ask an archive that fails.

    Returns
    -------
    astropy.table.QTable
        A row for each time and wavelength that has an image, in that order: ``time`` as asked for, ``obstime``,
        ``wavelength`` in Å, ``source``, ``file`` (the name it will have) and ``url`` (empty for ``"vso"``).
        Rows can be selected before they are given to `fetch`.

    Raises
    ------
    `~sunpy_scss.exceptions.ArchiveError`
        If the archive does not answer, or not as it should: never taken for an absence of images.
    ValueError
        If there is no such source or channel of AIA.

    Warns
    -----
    `~sunpy_scss.exceptions.MissingImageWarning`
        If there is no image near some times; they are left out.

    Examples
    --------
    >>> from sunpy_scss.images import fetch, read_map, search_aia
    >>> found = search_aia(["2017-01-03", "2017-01-04"])  # doctest: +REMOTE_DATA
    >>> maps = [read_map(path) for path in fetch(found, path="images")]  # doctest: +SKIP
    """
    from sunpy_scss import _archives

    if source not in _archives.ARCHIVES:
        msg = f"source must be one of {', '.join(_archives.ARCHIVES)} (got {source!r})."
        raise ValueError(msg)
    channels = [round(value) for value in np.atleast_1d(wavelength.to_value(u.AA))]
    if unknown := [channel for channel in channels if channel not in _archives.CHANNELS]:
        msg = (
            f"AIA has no channel of {unknown[0]} Angstrom; its channels are {', '.join(map(str, _archives.CHANNELS))}."
        )
        raise ValueError(msg)
    moments = Time([parse_time(moment) for moment in _as_list(time)])
    settings = {"max_gap": max_gap, "timeout": timeout.to_value(u.s), "attempts": attempts}
    rows = []
    for moment in moments:
        found = _archives.ask(source, moment, channels, **settings)
        rows += [(moment, found[channel]) for channel in channels if channel in found]
    if missing := len(moments) * len(channels) - len(rows):
        msg = f"{source} has no image within {max_gap} of the time asked for, {missing} times; these are left out."
        warn_caller(msg, MissingImageWarning)
    return _table(rows, source)


def _as_list(time):
    if isinstance(time, str) or np.ndim(time) == 0:
        return [time]
    return list(time)


def _table(rows, source):
    """Files found as a table; what has no URL is kept in its ``meta``, by name."""
    moments, found = [row[0] for row in rows], [row[1] for row in rows]
    columns = {
        "time": _times(moments),
        "obstime": _times([file.obstime for file in found]),
        "wavelength": u.Quantity([file.wavelength for file in found], u.AA),
        "source": np.array([source] * len(found), dtype=str),
        "file": np.array([file.name for file in found], dtype=str),
        "url": np.array([file.url or "" for file in found], dtype=str),
    }
    return QTable(columns, meta={"records": {file.name: file.record for file in found if file.record is not None}})


def _times(times):
    return Time(np.array([time.isot for time in times], dtype="U23"), format="isot")


@u.quantity_input
def fetch(results, path=".", *, overwrite=False, progress=True, timeout: u.s = 60 * u.s, attempts=3):
    """
    Download what `search_aia` found.

    Several files at a time, by parfive. A file appears when all of it is there and it is an image; what fails is
    tried again.

    Parameters
    ----------
    results : astropy.table.QTable
        From `search_aia`, or some of its rows.
    path : path-like, optional
        Folder, made if it does not exist.
    overwrite : bool, optional
        By default a file that exists is kept and not downloaded.
    progress : bool, optional
        Whether to show progress bars.
    timeout : astropy.units.Quantity, optional
        How long an archive may be silent.
    attempts : int, optional
        How often to try each file.

    Returns
    -------
    list of pathlib.Path
        One for each row, in that order.

    Raises
    ------
    `~sunpy_scss.exceptions.ArchiveError`
        If some files could not be had at any attempt; the others are in the folder.

    Examples
    --------
    >>> from sunpy_scss.images import fetch, search_aia
    >>> fetch(search_aia("2017-01-03"), path="images")  # doctest: +SKIP
    """
    from sunpy_scss import _archives

    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    names = [str(name) for name in results["file"]]
    records = results.meta["records"]
    files = [
        _archives.AIAFile(row["obstime"], row["wavelength"], name, str(row["url"]), records.get(name))
        for row, name in zip(results, names, strict=True)
        if overwrite or not (folder / name).exists()
    ]
    _archives.download(files, folder, timeout=timeout.to_value(u.s), attempts=attempts, progress=progress)
    return [folder / name for name in names]
