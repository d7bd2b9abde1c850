"""
Headers of Maps that no instrument should write: each ends in an error that names its key, soon and in little memory.

A line for each bad value; hypothesis beside it tries what nobody has thought of.
"""

import warnings

import numpy as np
import pytest
from bounds import bounds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from makers import dark_model, disk_map, sun_with_hole

import sunpy.map
from sunpy.util.exceptions import SunpyUserWarning

from sunpy_scss import segment_coronal_holes
from sunpy_scss.exceptions import InvalidMapError
from sunpy_scss.images import read_map
from sunpy_scss.masks import disk_mask

# A good Map of this size takes a tenth of a second and some megabytes.
LIMITS = {"seconds": 5, "megabytes": 200}

BAD = [
    ("rsun_obs", "large"),
    ("rsun_obs", np.nan),
    ("rsun_obs", -960.0),
    ("rsun_obs", 0),
    ("dsun_obs", "far"),
    ("dsun_obs", np.nan),
    ("dsun_obs", -1.5e11),
    ("rsun_ref", np.inf),
    ("cdelt1", "2.4"),
    ("cdelt1", np.nan),
    ("cdelt2", 0.0),
    ("cdelt2", np.inf),
    ("crpix1", "middle"),
    ("crpix2", np.nan),
    ("crval1", np.inf),
    ("pc1_1", "one"),
    ("pc2_2", np.nan),
    ("crota2", np.nan),
    ("hgln_obs", np.nan),
    ("hglt_obs", "north"),
    ("cunit1", "furlong"),
    ("cunit2", "kg"),
    ("cunit1", 7),
    ("exptime", "2 s"),
    ("exptime", np.nan),
    ("exptime", 0),
    ("exptime", -2.0),
    ("wavelnth", "far away"),
    ("wavelnth", np.nan),
    ("wavelnth", [193]),
    ("waveunit", "kg"),
    ("waveunit", "no unit"),
    ("quality", "bad"),
    ("quality", 0.5),
    ("quality", np.nan),
    ("percentd", "all"),
    ("date-obs", "some day"),
    ("date-obs", ""),
    ("date-obs", 20170601),
    ("ctype1", "GLON-TAN"),
    ("dsun_obs", 1e300),
    ("bunit", np.nan),
    ("bunit", 7),
    ("bunit", 0.0),
    ("bunit", "1,5"),
    ("timesys", "noon"),
    ("timesys", ""),
    ("timesys", 7),
]


@pytest.fixture(scope="module")
def smap():
    return disk_map(sun_with_hole, 128, radius=50)


def with_header(smap, **changes):
    """A Map whose header went wrong after it was made, where sunpy itself would refuse it sooner."""
    changed = sunpy.map.Map(smap.data, smap.meta.copy())
    changed.meta.update({key.replace("_obs_", "-obs"): value for key, value in changes.items()})
    return changed


def outcome(smap):
    """What segmentation makes of a Map, within bounds."""
    with bounds(**LIMITS), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of sunpy and astropy, on the same header
        try:
            return segment_coronal_holes(smap, model=dark_model())
        except Exception as error:
            return error


@pytest.mark.parametrize(("key", "value"), BAD, ids=[f"{key}={value!r}" for key, value in BAD])
def test_the_key_is_named(smap, key, value):
    found = outcome(with_header(smap, **{key: value}))
    assert isinstance(found, InvalidMapError), repr(found)
    assert key.upper() in str(found) or "helioprojective" in str(found)


@pytest.mark.parametrize(
    ("key", "value"), [("quality", "0x00000000"), ("quality", 0.0), ("wavelnth", "193"), ("exptime", 2), ("blank", -1)]
)
def test_what_is_odd_but_right(smap, key, value):
    found = outcome(with_header(smap, **{key: value}))
    assert found.data.any()


def test_quality_as_text_is_read(smap):
    flagged = with_header(smap, quality="0x00000004")
    with pytest.warns(SunpyUserWarning, match="bit 2 of QUALITY"):
        segment_coronal_holes(flagged, model=dark_model())


def test_no_date(smap):
    without = sunpy.map.Map(smap.data, {key: value for key, value in smap.meta.items() if not key.startswith("date")})
    found = outcome(without)
    assert isinstance(found, InvalidMapError)
    assert "DATE-OBS" in str(found)


def test_real_header_whose_date_sunpy_does_not_read(shared_data):
    """It takes today for it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        smap = read_map(shared_data / "bad" / "mdi_old_header_20090728.fts")
        with pytest.raises(InvalidMapError, match=r"DATE-OBS.*28-Jul-2009"):
            disk_mask(smap)


KEYS = sorted({key for key, _ in BAD if not key.startswith(("date", "ctype"))})
VALUES = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True), st.integers(-(10**30), 10**30), st.text(max_size=8), st.booleans()
)


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(key=st.sampled_from(KEYS), value=VALUES)
def test_any_value_of_any_key(smap, key, value):
    """A mask of the Map's shape, or a refusal in this package's words: never a foreign error."""
    found = outcome(with_header(smap, **{key: value}))
    if isinstance(found, Exception):
        assert isinstance(found, InvalidMapError), (key, value, repr(found))
    else:
        assert found.data.shape == smap.data.shape
