"""What is of the wrong type is refused in words, whoever is asked."""

import pytest

import sunpy.map

from sunpy_scss.annotations import annotation_to_mask
from sunpy_scss.evolution import total_series, track_series
from sunpy_scss.hek import drawn_events, events_to_regions, hek_to_mask
from sunpy_scss.plotting import plot_comparison, plot_disagreement, plot_probability, plot_regions
from sunpy_scss.synthetic import synthetic_sun


@pytest.fixture(scope="module")
def mask() -> sunpy.map.GenericMap:
    return synthetic_sun(size=32).coronal_holes


@pytest.mark.parametrize("function", [hek_to_mask, drawn_events, events_to_regions])
@pytest.mark.parametrize("value", [None, [], "image.fits"])
def test_events_are_drawn_on_a_map(function, value):
    with pytest.raises(TypeError, match=r"Expected a sunpy Map to draw on \(got"):
        function([], value)


@pytest.mark.parametrize("function", [plot_regions, plot_probability, plot_disagreement])
@pytest.mark.parametrize("value", [None, [], "image.fits"])
def test_maps_are_plotted(function, value, mask):
    for maps in ((mask, value), (value, mask)):
        with pytest.raises(TypeError, match=r"Expected a sunpy Map to draw \(got"):
            function(*maps)


def test_maps_are_compared(mask):
    with pytest.raises(TypeError, match=r"Expected a sunpy Map to draw \(got ndarray\)"):
        plot_comparison(mask, mask, mask.data)


def test_a_series_is_of_tracks(mask):
    for series in (total_series, lambda masks: track_series(masks, 1)):
        with pytest.raises(TypeError, match=r"Expected the Tracks that track_regions makes of masks \(got list\)"):
            series([mask])


def test_a_file_is_no_annotation():
    with pytest.raises(
        TypeError, match=r"Expected an Annotation, one of those that read_annotations gives \(got str\)"
    ):
        annotation_to_mask("labels.txt")
