"""
Labels that cannot be read or drawn: each input a line, with the error it ends in, soon and in little memory.

Annotation files, zip files, GeoJSON and painted pictures end in an error of the package; events of the HEK in a
warning that counts them, as one odd record says nothing of the others.
"""

import io
import json
import struct
import zipfile
import zlib

import numpy as np
import pytest
from bounds import bounds
from hek_records import record, sun
from makers import DATE, disk_map
from PIL import Image

from astropy.time import Time

from sunpy_scss.annotations import Annotation, annotation_to_mask, geojson_to_mask, png_to_mask, read_annotations
from sunpy_scss.exceptions import AnnotationError, HEKWarning, UnreadableFileError
from sunpy_scss.hek import hek_table, hek_to_mask

SECONDS, MEGABYTES = 10, 400

SCSS = "day_AIA_193.txt"
HEAD = "DATE: 2012-01-03\nRADIUS: 1600\nCH: 0\n"
ABP = "20120103_230000_aia.abp"
SQUARE = [[0, 0], [9, 0], [9, 9], [0, 9]]
MANY, MILLION = 300_000, 1_000_000


def packed(*members, damage=None, method=zipfile.ZIP_DEFLATED):
    """A zip file of pairs of names and texts, a part of its bytes replaced."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, text in members:
            archive.writestr(name, text)
    content = buffer.getvalue()
    return content.replace(*damage) if damage else content


def unpacking_to(size):
    """A small zip file that unpacks to so many bytes, in files small enough each. None of it is unpacked."""
    blank = "\n" * 20_000_000
    return packed(*((f"{number}_AIA_193.txt", blank) for number in range(size // len(blank))))


def encrypted():
    """A zip file that says of its file that it is encrypted, in both places where that is said."""
    content = bytearray(packed((SCSS, HEAD)))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


ANNOTATIONS = {
    "missing": ("nowhere.txt", None, UnreadableFileError, "there is no such file"),
    "empty": (SCSS, "", AnnotationError, "must begin with lines DATE"),
    "web page": (SCSS, "<html>404</html>", AnnotationError, "line 1: expected"),
    "bytes": (SCSS, b"\x00\xff\xfe" * 1000, AnnotationError, "line 1: expected"),
    "radius 0": (SCSS, HEAD.replace("1600", "0"), AnnotationError, "RADIUS must be"),
    "radius tiny": (SCSS, HEAD.replace("1600", "1e-300"), AnnotationError, "RADIUS must be"),
    "radius NaN": (SCSS, HEAD.replace("1600", "nan"), AnnotationError, "RADIUS must be"),
    "radius inf": (SCSS, HEAD.replace("1600", "inf"), AnnotationError, "RADIUS must be"),
    "year 9999": (SCSS, HEAD.replace("2012", "9999"), AnnotationError, "must begin with lines DATE"),
    "year 1": (SCSS, HEAD.replace("2012", "0001"), AnnotationError, "must begin with lines DATE"),
    "two dates": (SCSS, HEAD.replace("2012-01-03", "[2012, 2013]"), AnnotationError, "must begin with lines DATE"),
    "vertex NaN": (SCSS, HEAD + "nan 3\n", AnnotationError, "line 4: expected"),
    "vertex 1e300": (SCSS, HEAD + "1e300 3\n", AnnotationError, "line 4: expected"),
    "vertex before polygon": (SCSS, "1 2\n" + HEAD, AnnotationError, "line 1: expected"),
    "too many vertices": (SCSS, HEAD + "2000 2000\n" * MANY, AnnotationError, "at most 200000 are drawn"),
    "back and forth": (SCSS, HEAD + "-40000 0\n40000 1\n" * 1000, AnnotationError, "solar radii altogether"),
    "one long line": (SCSS, HEAD + "7" * 5_000_000, AnnotationError, "line 4: expected"),
    "40 MB": (SCSS, b"\n" * 40_000_000, UnreadableFileError, "more than 32 MB"),
    "abp, empty": (ABP, "", AnnotationError, "is no .abp file"),
    "abp, radius 0": (ABP, "512 511 0 0 0 0 0\n0 0\n0\n", AnnotationError, "disc centre and radius"),
    "abp, radius NaN": (ABP, "512 511 nan 0 0 0 0\n0 0\n0\n", AnnotationError, "disc centre and radius"),
    "abp, centre 1e300": (ABP, "1e300 511 400 0 0 0 0\n0 0\n0\n", AnnotationError, "disc centre and radius"),
    "abp, -1 objects": (ABP, "512 511 400 0 0 0 0\n0 0\n-1\n", AnnotationError, "two lines for each of -1"),
    "abp, a billion objects": (ABP, "512 511 400 0 0 0 0\n0 0\n1000000000\n", AnnotationError, "1000000000 objects"),
    "abp, an object left over": (ABP, "512 511 400 0\n0 0\n0\n0 0 0\n\n1 1 1\n", AnnotationError, "each of 0 objects"),
    "abp, large integer": (ABP, f"512 511 400 0\n0 0\n1\n0 1 0\n{10**30} 1 1\n", AnnotationError, "is no .abp file"),
    "abp, not named by its time": ("20121399_990000_aia.abp", "512 511 400", AnnotationError, "is no .abp file"),
    "zip, empty": ("labels.zip", b"", UnreadableFileError, "cannot be read as a folder, a zip file"),
    "zip, web page": ("labels.zip", "<html>", UnreadableFileError, "cannot be read as a folder, a zip file"),
    "zip, cut off": ("labels.zip", packed((SCSS, HEAD))[:60], UnreadableFileError, "cannot be read as"),
    "zip, corrupt": (
        "labels.zip",
        packed((SCSS, HEAD), damage=(b"DATE", b"DAXE"), method=0),
        UnreadableFileError,
        "CRC",
    ),
    "zip, encrypted": ("labels.zip", encrypted, UnreadableFileError, "encrypted"),
    "zip, no annotation": ("labels.zip", packed(("a.csv", "1")), AnnotationError, "no annotation file"),
    "zip, unpacking to more": (
        "labels.zip",
        lambda: unpacking_to(140_000_000),
        UnreadableFileError,
        "more than 128 MB",
    ),
    "zip, file of 40 MB": ("labels.zip", packed((SCSS, "\n" * 40_000_000)), UnreadableFileError, "more than 32 MB"),
    "another format": ("holes.geojson", "{}", UnreadableFileError, "cannot be read as a folder, a zip file"),
}


def geojson(*rings, **members):
    facts = {"frame": "heliographic_stonyhurst", "date": DATE, "type": "Polygon", "coordinates": rings}
    return json.dumps(facts | members)


def with_vertex(*vertex):
    return geojson([*SQUARE, vertex])


GEOJSON = {
    "missing": (None, UnreadableFileError, "there is no such file"),
    "empty": ("", AnnotationError, "is no GeoJSON"),
    "web page": ("<html>", AnnotationError, "is no GeoJSON"),
    "deep list": ("[" * 200_000, AnnotationError, "nested too deeply"),
    "deep geometries": (
        '{"type": "GeometryCollection", "geometries": [' * 2_000 + "]}" * 2_000,
        AnnotationError,
        "nested too deeply",
    ),
    "a number": ("7", AnnotationError, "is no GeoJSON"),
    "no ring": (geojson(), AnnotationError, "without a ring"),
    "empty ring": (geojson([]), AnnotationError, "ring of 0 positions"),
    "positions of one number": (geojson([[1], [2], [3]]), AnnotationError, "list of positions"),
    "flat ring": (geojson([1, 2, 3, 4]), AnnotationError, "list of positions"),
    "text": (geojson([["a", "b"]] * 4), AnnotationError, "is no GeoJSON"),
    "null": (with_vertex(None, 3), AnnotationError, "must be finite"),
    "NaN": (with_vertex(float("nan"), 3), AnnotationError, "NaN is no number of JSON"),
    "infinity": (with_vertex(float("inf"), 3), AnnotationError, "Infinity is no number of JSON"),
    "large integer": (with_vertex(10**400, 3), AnnotationError, "is no GeoJSON"),
    "latitude 500": (with_vertex(0, 500), AnnotationError, "at most 720 and 90"),
    "longitude 1e300": (with_vertex(1e300, 0), AnnotationError, "at most 720 and 90"),
    "arcsec 1e300": (
        geojson([*SQUARE, [1e300, 0]], frame="helioprojective"),
        AnnotationError,
        "helioprojective are at",
    ),
    "back and forth": (geojson([[-700, 0], [700, 1]] * 1000), AnnotationError, "solar radii altogether"),
    "frame a list": (geojson(SQUARE, frame=["x"]), AnnotationError, "must be one of"),
    "date a number": (geojson(SQUARE, date=2017.5), AnnotationError, "date of the coordinates cannot be read"),
    "date a word": (geojson(SQUARE, date="today"), AnnotationError, "date of the coordinates cannot be read"),
    "date of the year 9999": (geojson(SQUARE, date="9999-01-01"), AnnotationError, "time between 1960 and 2100"),
    "several dates": (geojson(SQUARE, date=[DATE, DATE]), AnnotationError, "time between 1960 and 2100"),
    "too many vertices": (geojson([[0, 0], [1, 1]] * (MANY // 2)), AnnotationError, "at most 200000 are drawn"),
    "40 MB": (" " * 40_000_000, UnreadableFileError, "more than 32 MB"),
}


def picture(size, mode="L", form="PNG"):
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, form)
    return buffer.getvalue()


def bomb(side):
    """A PNG of some hundred bytes that claims so many pixels a side."""

    def part(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    facts = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", facts) + part(b"IDAT", zlib.compress(b"\0" * 100)) + part(b"IEND", b"")


PICTURES = {
    "missing": (None, UnreadableFileError, "there is no such file"),
    "empty": (b"", UnreadableFileError, "cannot be read as an image"),
    "web page": (b"<html>404</html>", UnreadableFileError, "cannot be read as an image"),
    "cut off": (picture((64, 64), "RGB", "TIFF")[:2000], UnreadableFileError, "cannot be read as an image"),
    "no data": (bomb(64), UnreadableFileError, "cannot be read as an image"),
    "large": (bomb(12_000), AnnotationError, r"shape of the Map, \(64, 64\) \(got \(12000, 12000\)\)"),
    "bomb": (bomb(100_000), UnreadableFileError, "cannot be read as an image"),
    "another size": (picture((64, 32)), AnnotationError, "shape of the Map"),
}

# Polygons, and how their events are counted.
EVENTS = {
    "None": (None, "without a polygon"),
    "blank": ("  ", "without a polygon"),
    "a number": (7, "with an unreadable polygon"),
    "a dict": ({"type": "Polygon"}, "with an unreadable polygon"),
    "no number": ("POLYGON((0 0,1 a,2 2))", "with an unreadable polygon"),
    "NaN": ("POLYGON((0 0,1 nan,2 2))", "with an unreadable polygon"),
    "1e300": ("POLYGON((0 0,1e300 0,2 2))", "with an unreadable polygon"),
    "two vertices": ("POLYGON((0 0,1 1))", "with an unreadable polygon"),
    "empty ring": ("POLYGON(())", "with an unreadable polygon"),
    "deep": ("POLYGON" + "(" * MILLION, "with an unreadable polygon"),
    "a million vertices": ("POLYGON((" + "0 0," * MILLION + "0 0))", "with an unreadable polygon"),
    "back and forth": ("POLYGON((" + "-9999 0,9999 1," * 10_000 + "0 0))", "with an unreadable polygon"),
}


@pytest.fixture(autouse=True)
def _bounded():
    with bounds(seconds=SECONDS, megabytes=MEGABYTES):
        yield


@pytest.fixture(scope="module")
def smap():
    return disk_map(lambda x, y: np.ones_like(x), size=64, radius=25)


def write(path, content):
    """A file of text or bytes, or of what a function makes; none where there is nothing to write."""
    content = content() if callable(content) else content
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("name", ANNOTATIONS)
def test_annotation_file(name, tmp_path):
    file, content, error, message = ANNOTATIONS[name]
    with pytest.raises(error, match=message):
        read_annotations(write(tmp_path / file, content))


@pytest.mark.parametrize("name", GEOJSON)
def test_geojson(name, tmp_path, smap):
    content, error, message = GEOJSON[name]
    with pytest.raises(error, match=message):
        geojson_to_mask(write(tmp_path / "holes.geojson", content), smap, feature="CH")


@pytest.mark.parametrize("name", PICTURES)
def test_picture(name, tmp_path, smap):
    content, error, message = PICTURES[name]
    with pytest.raises(error, match=message):
        png_to_mask(write(tmp_path / "mask.png", content), smap, feature="CH")


@pytest.mark.parametrize("reader", ["annotations", "geojson", "picture"])
def test_folder_where_a_file_is_expected(reader, tmp_path, smap):
    expected = {
        "annotations": (AnnotationError, "no annotation file", lambda: read_annotations(tmp_path)),
        "geojson": (UnreadableFileError, "directory", lambda: geojson_to_mask(tmp_path, smap, feature="CH")),
        "picture": (UnreadableFileError, "directory", lambda: png_to_mask(tmp_path, smap, feature="CH")),
    }
    error, message, read = expected[reader]
    with pytest.raises(error, match=message):
        read()


@pytest.mark.parametrize(
    ("ring", "message"),
    [(np.full((3, 2), np.nan), "must be finite"), (np.zeros((MANY, 2)), "at most 200000 are drawn")],
    ids=["NaN", "too many vertices"],
)
def test_annotation_made_by_hand(ring, message):
    annotation = Annotation("mine", "CH", Time(DATE), "me", ((ring,),), (64, 64), (31.5, 31.5), 25.0, {})
    with pytest.raises(AnnotationError, match=message):
        annotation_to_mask(annotation)


@pytest.mark.parametrize("name", EVENTS)
def test_event(name):
    polygon, reason = EVENTS[name]
    with pytest.warns(HEKWarning, match=f"1 of 2 events of the HEK are left out: 1 {reason}"):
        mask = hek_to_mask([record(polygon), record("POLYGON((0 0,300 0,300 300))", number=1)], sun(size=64))
    assert (mask.meta["hekdrawn"], mask.meta["hekleft"]) == (1, 1)


@pytest.mark.parametrize("value", [None, "", "yesterday", "0001-01-01", "9999-12-31", 7, [], "2018-13-45T00:00:00"])
def test_time_of_an_event(value):
    with pytest.warns(HEKWarning, match="1 with an unreadable time"):
        assert len(hek_table(record("POLYGON((0 0,300 0,300 300))", event_endtime=value))) == 0


@pytest.mark.parametrize("events", [None, 7, "SPoCA", [None], [[7]], {1, 2}, np.zeros(3)], ids=str)
def test_what_are_no_events(events):
    with pytest.raises(TypeError, match="Events of the HEK come from"):
        hek_table(events)


def test_events_nested_too_deeply():
    events = []
    for _ in range(10_000):
        events = [events]
    with pytest.raises(TypeError, match="nested too deeply"):
        hek_table(events)


@pytest.mark.parametrize("answer", [{}, {"result": None}, {"result": "none"}, {"error": "too many connections"}])
def test_answer_without_events(answer):
    with pytest.warns(HEKWarning, match="1 of 1 events of the HEK are left out: 1 without a polygon"):
        assert len(hek_table(answer)) == 0
