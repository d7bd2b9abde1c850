"""The bad moments of AIA, as far as the header of an image tells: eclipses, calibrations, rolls, off-points."""

import numpy as np

__all__ = ["bad_moments"]

# What the bits of QUALITY say, by the documentation of AIA's keywords. Bit 30 is set in all near-real-time images: no
# fault.
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
# Nominal pointing is within some arcsec of the middle of the Sun, nominal roll within some hundredths of a degree.
_OFF_POINT = 60.0
_ROLL = 1.0


def bad_moments(smap):
    """
    Why an AIA image was taken at a bad moment, as far as its header tells.

    Parameters
    ----------
    smap : sunpy.map.GenericMap

    Returns
    -------
    list of str
        Reasons; none for a good image, nor for one of another instrument.

    Examples
    --------
    >>> from sunpy_scss.images import example_map
    >>> from sunpy_scss.images._moments import bad_moments
    >>> smap = example_map(171)
    >>> smap.meta["acs_eclp"] = "YES"
    >>> bad_moments(smap)
    ['the Earth or the Moon stood before the Sun (ACS_ECLP = YES)']
    """
    meta = smap.meta
    if not str(meta.get("instrume", "")).startswith("AIA"):
        return []
    found = _flags(_number(meta, "quality"))
    for key, good, reason in (
        ("acs_eclp", "NO", "the Earth or the Moon stood before the Sun"),
        ("acs_mode", "SCIENCE", "the spacecraft was not in science mode"),
        ("acs_sunp", "YES", "the Sun was not in sight"),
        ("acs_safe", "NO", "the spacecraft was in safe mode"),
        ("img_type", "LIGHT", "a dark frame"),
    ):
        value = str(meta.get(key, good)).strip()
        if value not in (good, ""):
            found.append(f"{reason} ({key.upper()} = {value})")
    if _number(meta, "aiftsid") >= _CALIBRATION:
        found.append(f"a calibration image (AIFTSID = {meta['aiftsid']})")
    if 0 < (received := _number(meta, "percentd", 100)) < 100:
        found.append(f"only {received:g} % of the image arrived (PERCENTD)")
    offset = np.hypot(_number(meta, "sat_y0"), _number(meta, "sat_z0"))
    if offset > _OFF_POINT:
        found.append(f"the spacecraft pointed {offset:.0f} arcsec off the middle of the Sun (SAT_Y0, SAT_Z0)")
    roll = (_number(meta, "sat_rot") + 180) % 360 - 180
    if abs(roll) > _ROLL:
        found.append(f"the spacecraft was rolled by {roll:.1f} degrees (SAT_ROT)")
    return found


def _flags(quality):
    bits = [bit for bit in range(32) if (int(quality) & 0xFFFFFFFF & ~_QUICK_LOOK) >> bit & 1]
    return [f"{_BITS.get(bit, 'flagged')} (bit {bit} of QUALITY)" for bit in bits]


def _number(meta, key, default=0):
    """A number of the header; the default where there is none, which is what checks of headers are about."""
    try:
        value = float(meta.get(key, default))
    except (TypeError, ValueError):
        return default
    return value if np.isfinite(value) else default
