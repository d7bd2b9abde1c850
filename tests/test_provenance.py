import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import astropy.units as u
import sunpy.map
from astropy.io import fits
from astropy.table import QTable

import sunpy_scss
from sunpy_scss._mask_map import make_mask
from sunpy_scss._provenance import Provenance
from sunpy_scss._save import save_map
from sunpy_scss.exceptions import InvalidMapError
from sunpy_scss.masks import consensus, label_regions, region_table
from sunpy_scss.models import load_model
from sunpy_scss.segment._predict import mask_provenance
from sunpy_scss.synthetic import synthetic_sun

FULL = Provenance(
    content="coronal hole mask",
    feature="CH",
    method="a-model",
    weights="0123456789ab",
    labels="drawn by hand",
    boundary="tight",
    threshold=0.1 + 0.2,
    min_area=1000.0,
    samples=4,
    given_medians=("70.0 DN / s", "200.0 DN / s"),
    mended="BUNIT=DN/s",
    temperature=1.2,
    sure=0.8,
    maybe=0.2,
    seen=0.98,
    medians=(70.0, 200.0),
    scales=(None, 2.0),
    wavelengths=(None, 171.0),
    version="1.0",
    telescope="SDO/AIA",
    wavelength=193.0,
    wavelength_unit="angstrom",
    parent="aia.fits",
    source="aia.fits 12 34",
    hek_drawn=3,
    hek_left=0,
    hek_times="2017-01-01T00:00:00.000",
    hek_rotation=-1.5,
    hek_events=("a", "b", "c"),
)


def test_the_example_holds_every_field():
    assert None not in vars(FULL).values()
    assert () not in vars(FULL).values()


@pytest.mark.parametrize("carry", [dict, fits.Header, lambda keywords: QTable(meta=keywords)])
def test_comes_back(carry):
    assert Provenance.of(carry(FULL.keywords())) == FULL


def test_comes_back_from_a_file(tmp_path):
    mask = make_mask(np.zeros((16, 16)), synthetic_sun(size=16).image, FULL, history="here")
    save_map(mask, tmp_path / "mask.fits")
    again = Provenance.of(sunpy.map.Map(tmp_path / "mask.fits"))
    assert replace(again, threshold=FULL.threshold) == FULL
    assert again.same_settings(FULL)  # though FITS has cut off a digit of the threshold


def test_keywords_are_what_fits_can_hold():
    for key, value in FULL.keywords().items():
        assert len(key) <= 8
        assert isinstance(value, str | int | float)


@given(st.text(max_size=60))
def test_any_text_survives_a_header(text):
    keywords = Provenance(method=text).keywords()
    header = fits.Header()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fits.verify.VerifyWarning)  # a long text is continued on another card
        header.update(keywords)
        again = Provenance.of(fits.Header.fromstring(header.tostring()))
    assert again.method.rstrip() == keywords["SCSSMOD"].rstrip()
    assert Provenance.of(keywords).keywords() == keywords


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), fits.card.Undefined()])
def test_no_value_is_unknown(value):
    assert Provenance.of({"SCSSTHR": value}) == Provenance()


def test_case_of_keys_does_not_matter():
    assert Provenance.of({"scssmod": "a"}).method == "a"


def test_a_number_that_is_none_is_an_error():
    with pytest.raises(InvalidMapError, match=r"SCSSTHR must be a number \(got 'high'\)"):
        Provenance.of({"SCSSTHR": "high"})


def test_what_several_have_in_common():
    others = [replace(FULL, parent="other.fits", medians=(80.0, 200.0)), FULL]
    assert Provenance.common(others) == replace(FULL, parent=None, medians=(None, 200.0))


@pytest.mark.parametrize(
    "change",
    [
        {"boundary": "wide"},
        {"weights": "ba9876543210"},
        {"threshold": 0.3001},
        {"min_area": 0.0},
        {"samples": 1},
        {"given_medians": ()},
        {"feature": "AR"},
    ],
)
def test_settings_decide(change):
    other = replace(FULL, **change)
    assert not FULL.same_settings(other)
    assert len(FULL.other_settings(other)) == 1


def test_the_image_and_the_version_are_no_settings():
    assert FULL.same_settings(replace(FULL.without_image(), version="2.0"))


def test_a_mask_tells_its_settings_and_they_can_be_told_before():
    model = load_model("scss-ch-193-5")
    told = Provenance.of(sunpy_scss.segment_coronal_holes(synthetic_sun(size=64).image, min_area=500 * u.Mm**2))
    card = model.at(told.boundary).card
    assert told.same_settings(mask_provenance(card, min_area=500 * u.Mm**2))
    assert told.other_settings(mask_provenance(card, min_area=0.001 * u.R_sun**2, samples=2)).keys() == {
        "min_area",
        "samples",
    }


def test_what_is_made_from_a_mask_tells_of_it():
    sun = synthetic_sun(size=64)
    told = Provenance.of(sun.coronal_holes)
    assert told.version == sunpy_scss.__version__
    assert Provenance.of(region_table(sun.coronal_holes)) == told
    assert Provenance.of(label_regions(sun.coronal_holes)) == replace(told, content="region labels")
    votes = Provenance.of(consensus([sun.coronal_holes, sun.active_regions]))
    assert (votes.method, votes.feature) == ("synthetic", None)


def test_line_for_a_legend():
    assert str(FULL) == "a-model, tight"
    assert str(Provenance()) == "unknown method"
