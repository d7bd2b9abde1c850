"""The origin of a mask and of all results from it. Only this file spells its header keywords."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import sunpy_scss
from sunpy_scss.exceptions import InvalidMapError

__all__ = ["Provenance", "is_result", "said_by_all"]


def _entry(keyword, meaning, kind=str, *, of_image=False):
    """Return a field with one header keyword."""
    return field(default=None, metadata={"keyword": keyword, "meaning": meaning, "kind": kind, "of_image": of_image})


def _entries(keyword, meaning, kind=str, *, first="", of_image=False):
    """Return a field with a keyword for each of several values: KEY, KEY2, KEY3 or, if first is "1", KEY1, KEY2."""
    more = {"first": first, "of_image": of_image}
    return field(default=(), metadata={"keyword": keyword, "meaning": meaning, "kind": kind, **more})


@dataclass(frozen=True)
class Provenance:
    """
    The origin of a mask, or of a result from masks: a probability Map, a table, a store, a picture.

    Each field has a header keyword. A field that is not known is None or, if it holds several values, empty.
    """

    content: str | None = _entry("CONTENT", "content")
    feature: str | None = _entry("SCSSFEAT", "feature")
    method: str | None = _entry("SCSSMOD", "model, or other method")
    weights: str | None = _entry("SCSSHASH", "weights: SHA-256, first 12 digits")
    labels: str | None = _entry("SCSSLAB", "labels that it learned from")
    boundary: str | None = _entry("SCSSBND", "boundary: which outline of the model")
    threshold: float | None = _entry("SCSSTHR", "threshold: least probability of a pixel, or an intensity", float)
    min_area: float | None = _entry("SCSSAREA", "least area of a region, in Mm2", float)
    samples: int | None = _entry("SCSSSAMP", "number of averaged variants of the image", int)
    given_medians: tuple = _entries("SCSSGIV", "disc median given by the caller")
    mended: str | None = _entry("SCSSHEAD", "header keywords that the caller mended")
    temperature: float | None = _entry("SCSSTEMP", "temperature that calibrates probabilities", float)
    sure: float | None = _entry("SCSSSURE", "probability that bounds the smallest region", float)
    maybe: float | None = _entry("SCSSMAYB", "probability that bounds the largest region", float)
    seen: float | None = _entry("SCSSSEEN", "share of the disc with data", float, of_image=True)
    medians: tuple = _entries("SCSSMED", "disc median of the image, in DN/s if calibrated", float, of_image=True)
    scales: tuple = _entries("SCSSCAL", "calibration factor of the image, guessed", float, of_image=True)
    wavelengths: tuple = _entries("SCSSWAV", "wavelength of a further channel, in Angstrom", float)
    version: str | None = _entry("SCSSVER", "version of sunpy_scss")
    telescope: str | None = _entry("TELESCOP", "telescope")
    wavelength: float | None = _entry("WAVELNTH", "wavelength", float)
    wavelength_unit: str | None = _entry("WAVEUNIT", "unit of the wavelength")
    parent: str | None = _entry("PARENT", "image, or its time", of_image=True)
    source: str | None = _entry("SCSSIN", "image file: size, time of change and hash, or address", of_image=True)
    hek_drawn: int | None = _entry("HEKDRAWN", "number of events drawn", int, of_image=True)
    hek_left: int | None = _entry("HEKLEFT", "number of events left out", int, of_image=True)
    hek_times: str | None = _entry("HEKTIME", "times of the polygons", of_image=True)
    hek_rotation: float | None = _entry("HEKROT", "hours of rotation from polygon to Map", float, of_image=True)
    hek_events: tuple = _entries("HEKID", "event", first="1", of_image=True)

    @classmethod
    def new(cls, **told):
        """Return the provenance of a new result of this version."""
        return cls(version=sunpy_scss.__version__, **told)

    @classmethod
    def of(cls, source):
        """
        Read a provenance.

        Parameters
        ----------
        source : sunpy.map.GenericMap, astropy.table.Table, astropy.table.Row, mapping or Provenance
            A Map, a table or its row, a FITS header, or the attributes of a store. Fields that it lacks stay unknown.

        Returns
        -------
        Provenance

        Raises
        ------
        sunpy_scss.exceptions.InvalidMapError
            If a keyword that must be a number is not one.
        """
        if isinstance(source, cls):
            return source
        header = source if isinstance(source, Mapping) or not hasattr(source, "meta") else source.meta
        header = {str(key).upper(): value for key, value in header.items()}
        return cls(**{one.name: _read(one, header) for one in fields(cls)})

    @classmethod
    def common(cls, sources):
        """Return the fields that the provenances of several sources share."""
        return cls.of(said_by_all([cls.of(source).keywords() for source in sources]))

    def keywords(self):
        """
        Return the header keywords: also the meta of a table and the attributes of a store.

        Returns
        -------
        dict
            From FITS keywords of at most 8 characters to str in ASCII, int and finite float. Unknown fields have none.
        """
        return {keyword: _plain(value) for keyword, _, value in self._told() if len(keyword) <= 8}

    def rows(self):
        """Return all known fields for a reader, as tuples (keyword, meaning, value)."""
        return list(self._told())

    def without_image(self):
        """Return the part that the masks of many images share: the provenance without the fields of one image."""
        return replace(self, **{one.name: one.default for one in fields(self) if one.metadata["of_image"]})

    def image_keywords(self):
        """Return the keywords of the numbers that differ from image to image, for every channel."""
        channels = (0.0,) * max(1, len(self.wavelengths))
        return tuple(Provenance(seen=0.0, medians=channels, scales=channels).keywords())

    @property
    def settings(self):
        """The settings that decide a mask, as a dict; None for a setting that was not made."""
        return {
            "feature": self.feature,
            "model": self.method,
            "weights": self.weights,
            "boundary": self.boundary,
            # The threshold of a classical method, which has no variants, is an intensity of its image.
            "threshold": self.threshold if self.samples else None,
            "min_area": self.min_area,
            "samples": self.samples,
            "disk_median": ", ".join(self.given_medians) or None,
            "header": self.mended,
        }

    def same_settings(self, other):
        """Return True if both were made with the same settings, even by other versions and of other images."""
        return not self.other_settings(other)

    def other_settings(self, other):
        """Return the settings that differ, from the name to a pair of values: of this one and of the other."""
        mine, others = self.settings, other.settings
        return {name: (mine[name], others[name]) for name in mine if not _same(mine[name], others[name])}

    def __str__(self):
        """Return the author of the mask in a line, for legends: "scss-ch-193-5, tight"."""
        return ", ".join(filter(None, (self.method, self.boundary))) or "unknown method"

    def _told(self):
        for one in fields(self):
            keyword, meaning, value = one.metadata["keyword"], one.metadata["meaning"], getattr(self, one.name)
            if not _is_several(one):
                several = {keyword: value}
            else:
                several = {_numbered(one, number): each for number, each in enumerate(value, start=1)}
            yield from ((key, meaning, each) for key, each in several.items() if each is not None)


def _is_several(one):
    return one.default == ()


def _numbered(one, number):
    return one.metadata["keyword"] + (one.metadata["first"] if number == 1 else str(number))


def _read(one, header):
    """Return the value of a field from a header."""
    if not _is_several(one):
        return _typed(header, one.metadata["keyword"], one.metadata["kind"])
    pattern = re.compile(rf"{one.metadata['keyword']}([1-9]\d{{0,2}})?")
    numbers = [int(found[1] or 1) for key in header if (found := pattern.fullmatch(key))]
    keys = [_numbered(one, number) for number in range(1, max(numbers, default=0) + 1)]
    return tuple(_typed(header, key, one.metadata["kind"]) for key in keys)


def _typed(header, keyword, kind):
    value = header.get(keyword)
    if value is None or type(value).__name__ in ("Undefined", "MaskedConstant"):
        return None
    if kind is str:
        return str(value)
    try:
        number = float(value)
    except (TypeError, ValueError):
        msg = f"The header keyword {keyword} must be a number (got {value!r}): correct it, or delete it."
        raise InvalidMapError(msg) from None
    return kind(number) if math.isfinite(number) else None


def _plain(value):
    """Return a value that FITS can hold; characters that are not printable ASCII are escaped."""
    if not isinstance(value, str):
        return value
    return re.sub(r"[^ -~]", lambda found: found[0].encode("unicode_escape").decode(), value)


def _same(one, other):
    # FITS keeps 16 digits.
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-12)
    return one == other or (one and other and _plain(one) == _plain(other))


def is_result(header):
    """Return True if a header is that of a result of this package."""
    return "scssver" in header


def said_by_all(headers):
    """Return the keywords that all of some headers have with the same value."""
    first, *others = headers
    return {key: value for key, value in first.items() if all(other.get(key) == value for other in others)}
