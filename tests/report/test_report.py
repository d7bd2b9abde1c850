"""What stands in a report, and that it is one whole page."""

import base64
import re
from html.parser import HTMLParser
from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
import pytest
from makers import dark_model, disk_map, sun_with_hole
from PIL import Image

import astropy.units as u
import sunpy.map
from astropy.coordinates import SkyCoord

from sunpy_scss import segment_coronal_holes
from sunpy_scss._save import save_map
from sunpy_scss.cli import main
from sunpy_scss.exceptions import CalibrationWarning, InvalidMapError
from sunpy_scss.images import example_map
from sunpy_scss.masks import compare_masks, region_table
from sunpy_scss.report import write_report
from sunpy_scss.synthetic import Cap, synthetic_sun

DATES = "2017-06-01T12:00", "2017-06-01T18:00"


def sun(date=DATES[0], shift=0, **settings):
    """Two holes and an active region."""
    holes = [Cap((x + shift) * u.deg, 5 * u.deg, 15 * u.deg) for x in (-40, 20)]
    regions = [Cap(0 * u.deg, -30 * u.deg, 8 * u.deg)]
    return synthetic_sun(date, size=96, coronal_holes=holes, active_regions=regions, **settings)


class Page(HTMLParser):
    """A page taken apart; fails where an element is not closed or something comes from elsewhere."""

    def __init__(self, path):
        super().__init__()
        self.open, self.tags, self.headings, self.images, self.places, self.links = [], [], [], [], set(), set()
        self.tables, self.caveats = [], []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        self.close()
        assert not self.open
        assert self.links <= self.places

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append(tag)
        assert not any(name.startswith("on") for name in attributes)
        assert attributes.get("src", "data:image/png;base64,").startswith("data:image/png;base64,")
        assert attributes.get("href", "#").startswith("#")
        if "id" in attributes:
            assert attributes["id"] not in self.places
            self.places.add(attributes["id"])
        if "href" in attributes:
            self.links.add(attributes["href"][1:])
        if tag == "img":
            assert attributes["alt"]
            self.images.append(base64.b64decode(attributes["src"].partition(",")[2]))
        if tag not in ("img", "meta"):
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if self.open and self.open[-1] in ("h1", "h2", "h3"):
            self.headings.append(text)
        elif "td" in self.open or "th" in self.open:
            self.tables[-1][-1][-1] += text
        elif self.open and self.open[-1] == "li":
            self.caveats.append(text)

    def table(self, heading):
        """As dictionaries, the first table whose head begins so."""
        head, *rows = next(rows for rows in self.tables if rows[0][0] == heading)
        return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.fixture
def report(tmp_path):
    """Write a report and take it apart."""

    def write(*arguments, **options):
        return Page(write_report(*arguments, tmp_path / "report.html", **options))

    return write


@pytest.fixture(autouse=True)
def _no_drawing(request, monkeypatch):
    """Text needs no pictures, which take most of the time; one grey pixel stands for each."""

    def png(figure):
        plt.close(figure)
        buffer = BytesIO()
        Image.new("L", (1, 1)).save(buffer, format="png")
        return buffer.getvalue()

    if "drawn" not in request.fixturenames:
        monkeypatch.setattr("sunpy_scss.report._pictures._png", png)


@pytest.fixture
def drawn():
    """With the pictures as they are."""


class TestOneMap:
    def test_page(self, report):
        scene = sun()
        page = report(scene.image, [scene.coronal_holes, scene.active_regions])
        assert page.headings[0] == "Coronal holes and active regions, 2017-06-01"
        assert page.source.startswith("<!DOCTYPE html>")
        assert "script" not in page.tags
        assert len(page.images) == 3
        assert not plt.get_fignums()

    @pytest.mark.usefixtures("drawn")
    def test_outlines_are_in_the_picture(self, report):
        scene = sun()
        alone, outlined = (Image.open(BytesIO(png)) for png in report(scene.image, scene.coronal_holes).images)
        assert min(alone.size) > 400
        assert not plt.get_fignums()
        differ = np.array(alone.convert("RGB"), int) - np.array(outlined.convert("RGB"), int)
        assert 500 < (np.abs(differ).sum(axis=2) > 60).sum() < 10_000

    def test_numbers_are_those_of_the_region_table(self, report):
        scene = sun()
        table = region_table(scene.coronal_holes, image=scene.image)
        rows = report(scene.image, scene.coronal_holes).table("Region")
        assert [row["Area in Mm²"] for row in rows] == [f"{area.value:,.0f}" for area in table["area"]]
        assert [row["Longitude in °"] for row in rows] == [f"{place.lon.deg:.1f}" for place in table["centroid"]]
        assert [row["Median intensity (DN / s)"] for row in rows] == [
            f"{value.value:.4g}" for value in table["intensity_median"]
        ]

    def test_provenance(self, report):
        scene = sun()
        rows = report(scene.image, scene.coronal_holes).table("Keyword")
        told = {row["Keyword"]: row["Coronal holes by synthetic"] for row in rows}
        assert told["SCSSMOD"] == "synthetic"
        assert told["SCSSLAB"] == "exact"
        assert "synthetic_sun" in told["HISTORY"]

    def test_empty_mask(self, report):
        empty = synthetic_sun(size=96, coronal_holes=[], active_regions=[])
        page = report(empty.image, empty.coronal_holes)
        assert "The mask holds no coronal holes." in page.source
        assert page.table("Time (UTC)")[0]["Regions"] == "0"

    def test_mask_on_other_pixels_and_from_elsewhere(self, report):
        side = SkyCoord(30 * u.deg, 0 * u.deg, 1 * u.AU, frame="heliographic_stonyhurst", obstime=DATES[0])
        page = report(sun().image, sun(observer=side).coronal_holes)
        assert len(page.table("Region")) == 2
        assert len(page.images) == 2


class TestDoubts:
    def test_limb(self, report):
        hole = Cap(90 * u.deg, 0 * u.deg, 20 * u.deg)
        scene = synthetic_sun(size=96, coronal_holes=[hole], active_regions=[])
        caveats = report(scene.image, scene.coronal_holes).caveats
        assert "Region 1 is cut by the limb: what is beyond it is not counted." in caveats
        assert any("Region 1 is mostly more than 60 degrees" in caveat for caveat in caveats)

    def test_guessed_calibration(self, report):
        smap = disk_map(sun_with_hole, size=96, radius=40, meta={"instrume": "XYZ", "telescop": "XYZ"})
        with pytest.warns(CalibrationWarning):
            mask = segment_coronal_holes(smap, model=dark_model())
        page = report(smap, mask)
        assert any("guessed, a factor of" in caveat for caveat in page.caveats)
        assert any(row["Keyword"] == "SCSSCAL" for row in page.table("Keyword"))

    def test_other_time(self, report):
        caveats = report(sun().image, sun(DATES[1]).coronal_holes).caveats
        assert any("The mask is of 2017-06-01T18:0" in caveat for caveat in caveats)

    def test_nothing_to_doubt_but_the_method(self, report):
        scene = sun()
        assert report(scene.image, scene.coronal_holes).caveats == [
            "No card of a bundled model tells what this mask is worth."
        ]

    def test_card_says_what_it_gets_wrong(self, report):
        smap = example_map(193)
        page = report(smap, segment_coronal_holes(smap))
        assert "no solar physicist drew or checked them" in page.source
        assert page.headings.count("scss-ch-193-5") == 1
        assert any("Median intensity (DN / s)" in row for row in page.tables[1][:1])

    def test_card_of_other_weights_is_not_told(self, report):
        scene = sun()
        mask = sunpy.map.Map(scene.coronal_holes.data, scene.coronal_holes.meta | {"scssmod": "scss-ch-193-5"})
        assert "scss-ch-193-5" not in report(scene.image, mask).headings


def test_agreement_of_masks_of_one_feature(report):
    scene, other = sun(), sun(shift=5)
    page = report(scene.image, [scene.coronal_holes, other.coronal_holes, scene.active_regions])
    rows = page.table("First")
    expected = compare_masks([scene.coronal_holes, other.coronal_holes])["iou"][0]
    assert [(row["First"], row["Second"], row["IoU"]) for row in rows] == [
        ("synthetic (1)", "synthetic (2)", f"{expected:.3f}")
    ]
    assert "Agreement on active regions" not in page.headings
    assert "Active regions by synthetic" in page.headings


class TestDay:
    def test_in_order_of_time(self, report):
        late, early = sun(DATES[1]), sun(DATES[0])
        page = report([late.image, early.image], [late.coronal_holes, [early.coronal_holes]])
        times = [row["Time (UTC)"] for row in page.table("Time (UTC)")]
        assert times == sorted(times)
        assert len(page.links) == 2
        assert len(page.images) == 5

    def test_no_course_of_a_single_time(self, report):
        scene = sun()
        assert len(report([scene.image], [scene.coronal_holes]).images) == 2

    def test_image_without_mask(self, report):
        scene = sun()
        assert report([scene.image], [[]]).table("Time (UTC)")[0]["Feature"] == "no mask"


NASTY = "<script>alert('x')</script>&\"</td>"


def test_what_headers_say_is_harmless(report):
    scene = sun()
    image = sunpy.map.Map(scene.image.data, scene.image.meta | {"filename": NASTY, "instrume": NASTY})
    told = {"scssmod": NASTY, "scsslab": NASTY, "history": NASTY, "hekid1": NASTY}
    mask = sunpy.map.Map(scene.coronal_holes.data, scene.coronal_holes.meta | told)
    page = report(image, [mask, mask], title=NASTY)
    assert "script" not in page.tags
    assert "<script" not in page.source
    assert page.headings[0] == NASTY
    assert NASTY in [row["Value"] for row in page.table("Property")]


class TestErrors:
    def test_numbers_of_maps_and_masks(self, report):
        scene = sun()
        with pytest.raises(ValueError, match="got 2 Maps, masks for 1"):
            report([scene.image, scene.image], [scene.coronal_holes])
        with pytest.raises(ValueError, match="got 0 Maps"):
            report([], [])

    def test_no_map(self, report):
        with pytest.raises(TypeError, match="Expected a sunpy Map"):
            report(["sun.fits"], [[]])

    def test_no_mask(self, report):
        scene = sun()
        with pytest.raises(InvalidMapError, match="0 and 1 only"):
            report(scene.image, scene.image)

    def test_file_is_kept(self, report, tmp_path):
        (tmp_path / "report.html").write_text("mine")
        scene = sun()
        with pytest.raises(FileExistsError, match="overwrite=True"):
            report(scene.image, scene.coronal_holes)
        assert (tmp_path / "report.html").read_text() == "mine"
        assert report(scene.image, scene.coronal_holes, overwrite=True).headings


class TestCommand:
    @pytest.fixture
    def files(self, tmp_path):
        for name, date in zip(("early", "late"), DATES, strict=True):
            scene = sun(date)
            save_map(scene.image, tmp_path / f"{name}.fits")
            save_map(scene.coronal_holes, tmp_path / f"{name}_ch.fits")
        return tmp_path

    def run(self, *arguments):
        return main(["report", *map(str, arguments)])

    def test_segments(self, files, tmp_path, capsys):
        assert self.run(files / "early.fits", "--output", tmp_path / "day" / "page.html", "--title", "A day") == 0
        assert str(tmp_path / "day" / "page.html") in capsys.readouterr().out
        page = Page(tmp_path / "day" / "page.html")
        assert page.headings[0] == "A day"
        assert page.table("Time (UTC)")[0]["Method"] == "scss-ch-193-5"
        assert {"Property": "File", "Value": "early.fits"} in page.table("Property")

    def test_masks_go_to_the_nearest_image(self, files, tmp_path):
        masks = [files / "late_ch.fits", files / "early_ch.fits"]
        assert (
            self.run(files / "early.fits", files / "late.fits", "--mask", *masks, "--output", tmp_path / "p.html") == 0
        )
        page = Page(tmp_path / "p.html")
        assert [row["Method"] for row in page.table("Time (UTC)")] == ["synthetic"] * 2
        assert not any("The mask is of" in caveat for caveat in page.caveats)

    def test_mask_goes_to_the_image_of_its_wavelength(self, files, tmp_path):
        smap = sunpy.map.Map(files / "early.fits")
        save_map(sunpy.map.Map(smap.data, smap.meta | {"wavelnth": 171}), tmp_path / "other.fits")
        images = tmp_path / "other.fits", files / "early.fits"
        assert self.run(*images, "--mask", files / "early_ch.fits", "--output", tmp_path / "p.html") == 0
        shown = {row["Image"]: row["Feature"] for row in Page(tmp_path / "p.html").table("Time (UTC)")}
        assert {name.split()[-2]: feature for name, feature in shown.items()} == {
            "171": "no mask",
            "193": "coronal holes",
        }

    def test_what_is_wrong_costs_a_line(self, files, tmp_path, capsys):
        (tmp_path / "text.fits").write_text("text")
        save_map(sun("2017-06-09T12:00").coronal_holes, tmp_path / "days_later.fits")
        masks = [files / "early_ch.fits", files / "days_later.fits", files / "early.fits"]
        images = files / "text.fits", files / "early.fits"
        assert self.run(*images, "--mask", *masks, "--output", tmp_path / "p.html") == 1
        lines = [line for line in capsys.readouterr().err.splitlines() if ".fits" in line and "%" not in line]
        assert [re.search(r"(\w+)\.fits", line)[1] for line in lines] == ["text", "days_later", "early"]
        assert len(Page(tmp_path / "p.html").table("Time (UTC)")) == 1

    def test_no_image_no_report(self, tmp_path, capsys):
        assert self.run(tmp_path / "nowhere.fits", "--output", tmp_path / "p.html") == 1
        assert "nowhere.fits" in capsys.readouterr().err
        assert not (tmp_path / "p.html").exists()

    def test_page_is_kept(self, files, tmp_path, capsys):
        (tmp_path / "p.html").write_text("mine")
        assert self.run(files / "early.fits", "--output", tmp_path / "p.html") == 1
        assert "--overwrite" in capsys.readouterr().err
        assert (tmp_path / "p.html").read_text() == "mine"
