"""Flaws of an exposure that its header tells: eclipses, calibrations, rolls, off-points and lost data."""

import operator

import numpy as np

from sunpy_scss.canonical._header import is_aia, number
from sunpy_scss.exceptions import InvalidMapError, MissingDataWarning, QualityWarning

__all__ = ["flaws", "quality_caveats"]

# The meaning of the bits of QUALITY, by the documentation of AIA's keywords. Bit 30 is set in all near-real-time
# images and is no fault.
_BITS = {
    8: "pixels are missing",
    9: "more than 1 % of the pixels are missing",
    10: "more than 5 % of the pixels are missing",
    11: "more than 25 % of the pixels are missing",
    12: "the spacecraft was not in science mode",
    13: "the Earth or the Moon stood before the Sun",
    14: "the Sun was not in sight",
    15: "the spacecraft was in safe mode",
    16: "a dark frame",
    17: "the image was not stabilised",
    18: "a calibration image",
    20: "out of focus",
    31: "the image is missing",
}
_QUICK_LOOK = 1 << 30
# Identifiers of filtergrams from this one on are calibrations.
_CALIBRATION = 0xC000
# Nominal pointing is within a few arcsec of Sun centre, nominal roll within a few hundredths of a degree.
_OFF_POINT = 60.0
_ROLL = 1.0


def flaws(smap):
    """
    Return the reasons in the header why an AIA image is not a good exposure.

    Parameters
    ----------
    smap : sunpy.map.GenericMap

    Returns
    -------
    list of str
        The reasons; none for a good image or for another instrument.

    Examples
    --------
    >>> from sunpy_scss.images import example_map
    >>> from sunpy_scss.canonical._quality import flaws
    >>> smap = example_map(171)
    >>> smap.meta["acs_eclp"] = "YES"
    >>> flaws(smap)
    ['the Earth or the Moon stood before the Sun (ACS_ECLP = YES)']
    """
    return [reason for reason, _ in _found(smap)]


def quality_caveats(smap):
    """
    Return the reasons of `flaws` as pairs of a message and the category of its warning.

    Missing blocks of an image of STEREO are among them, too.
    """
    found = _found(smap) + _unread_roll(smap)
    if (blocks := number(smap.meta, "nmissing", default=0)) > 0:
        found.append((f"{blocks:g} blocks of it did not arrive (NMISSING)", MissingDataWarning))
    return [(f"Look at this image before trusting its mask: {reason}.", category) for reason, category in found]


def _found(smap):
    """Return pairs of a reason and the category of its warning."""
    meta = smap.meta
    if not is_aia(smap):
        return []
    found = [(reason, QualityWarning) for reason in _flags(_quality(meta))]
    for key, good, reason, category in (
        ("acs_eclp", "NO", "the Earth or the Moon stood before the Sun", MissingDataWarning),
        ("acs_mode", "SCIENCE", "the spacecraft was not in science mode", QualityWarning),
        ("acs_sunp", "YES", "the Sun was not in sight", QualityWarning),
        ("acs_safe", "NO", "the spacecraft was in safe mode", QualityWarning),
        ("img_type", "LIGHT", "a dark frame", QualityWarning),
    ):
        value = str(meta.get(key, good)).strip()
        if value.upper() not in (good, ""):
            found.append((f"{reason} ({key.upper()} = {value})", category))
    if _pointing(meta, "aiftsid") >= _CALIBRATION:
        found.append((f"a calibration image (AIFTSID = {meta['aiftsid']})", QualityWarning))
    if (received := number(meta, "percentd", default=100)) < 100:
        found.append((f"only {received:g} % of the image arrived (PERCENTD)", MissingDataWarning))
    offset = np.hypot(_pointing(meta, "sat_y0"), _pointing(meta, "sat_z0"))
    if offset > _OFF_POINT:
        reason = f"the spacecraft pointed {offset:.0f} arcsec off the middle of the Sun (SAT_Y0, SAT_Z0)"
        found.append((reason, QualityWarning))
    roll = (_pointing(meta, "sat_rot") + 180) % 360 - 180
    if abs(roll) > _ROLL:
        found.append((f"the spacecraft was rolled by {roll:.1f} degrees (SAT_ROT)", QualityWarning))
    return found


def _unread_roll(smap):
    """Return a reason and its category for a roll in a key that sunpy ignores, if no other key has the roll."""
    meta = smap.meta
    if any(key in meta for key in ("crota2", "pc1_1", "pc1_2", "pc2_1", "cd1_1", "cd1_2")):
        return []
    for key in ("crota", "crota1", "sc_roll"):
        roll = (_pointing(meta, key) + 180) % 360 - 180
        if abs(roll) > _ROLL:
            reason = (
                f"{key.upper()} = {meta[key]:g} says that it is rolled, and sunpy reads CROTA2 alone, so that north is "
                f"likely {abs(roll):.0f} degrees off up; if it is, set smap.meta['crota2'] = {meta[key]:g} first"
            )
            return [(reason, QualityWarning)]
    return []


def _flags(quality):
    bits = [bit for bit in range(32) if (quality & 0xFFFFFFFF & ~_QUICK_LOOK) >> bit & 1]
    return [f"{_BITS.get(bit, 'flagged')} (bit {bit} of QUALITY)" for bit in bits]


def _quality(meta):
    """Return the bits of QUALITY, which some archives write as text."""
    quality = meta.get("quality", 0)
    try:
        return int(quality, 0) if isinstance(quality, str) else operator.index(quality)
    except (TypeError, ValueError):
        quality = number(meta, "quality", default=0)
    if quality % 1:
        msg = f"QUALITY in the header must be a whole number (got {quality!r})."
        raise InvalidMapError(msg)
    return int(quality)


def _pointing(meta, key):
    """Return a number of the header on which no mask depends; 0 if there is none that can be read."""
    try:
        value = float(meta.get(key, 0))
    except (TypeError, ValueError):
        return 0
    return value if np.isfinite(value) else 0
