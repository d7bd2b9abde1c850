"""Masks against maps of open field whose overlap is known."""

import numpy as np
import pytest

import astropy.units as u
from sunpy.map import GenericMap
from sunpy.map.header_helper import make_heliographic_header

from sunpy_scss.exceptions import InvalidMapError
from sunpy_scss.masks import compare_with_open_field
from sunpy_scss.synthetic import Cap, synthetic_sun

SHAPE = (60, 120)
HOLE = Cap(0 * u.deg, 0 * u.deg, 30 * u.deg)
MASK = synthetic_sun(size=128, coronal_holes=[HOLE], active_regions=[]).coronal_holes


def chart(values, *, time=MASK.date, unit=None):
    header = make_heliographic_header(time, MASK.observer_coordinate, SHAPE, frame="stonyhurst")
    if unit:
        header["bunit"] = unit
    return GenericMap(np.broadcast_to(values, SHAPE).astype(float), header)


LATITUDE = np.degrees(np.arcsin((np.arange(60) + 0.5) / 30 - 1))[:, np.newaxis]


def test_half_of_a_hole_is_open():
    north = chart(np.where(LATITUDE > 0, 1, 0))
    field = chart(5.0, unit="G")
    (row,) = compare_with_open_field(MASK, north, magnetogram=field, field_error=1 * u.G)
    assert row["precision"] == pytest.approx(0.5, abs=0.05)
    assert row["flux_recall"] == pytest.approx(row["recall"])
    expected = 5 * u.G * row["area"]
    assert row["open_flux"].to_value(u.Mx) == pytest.approx(expected.to_value(u.Mx), rel=1e-6)
    assert (row["open_flux_error"] / row["open_flux"]).value == pytest.approx(0.2)
    assert list(compare_with_open_field(MASK, north, tight=MASK, wide=MASK)["outline"]) == ["tight", "mask", "wide"]


@pytest.mark.parametrize(
    ("values", "days", "message"),
    [(0, 0, "0 everywhere"), (2, 0, "-1, 0 and 1 only"), (1, 20, "half a solar rotation")],
)
def test_what_cannot_be_compared(values, days, message):
    with pytest.raises(InvalidMapError, match=message):
        compare_with_open_field(MASK, chart(values, time=MASK.date + days * u.day))
