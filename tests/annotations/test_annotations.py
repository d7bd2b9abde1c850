"""Annotation files to mask Maps. The files are written here, in the exact shape of the real ones."""

import json
import zipfile
from functools import cache

import numpy as np
import pytest
from makers import DATE, disk_map
from PIL import Image

import astropy.units as u
import sunpy.map
from astropy.time import Time
from sunpy.coordinates import sun
from sunpy.util.exceptions import SunpyUserWarning

from sunpy_scss.annotations import (
    annotation_table,
    annotation_to_mask,
    geojson_to_mask,
    png_to_mask,
    read_annotations,
)
from sunpy_scss.canonical._frame import frame_of
from sunpy_scss.exceptions import InvalidMapError, UnreadableFileError
from sunpy_scss.images import from_browse

SCSS_NAME = "2012_01_03__00_00_12_34__SDO_AIA_AIA_193.txt"
SCSS_RADIUS = 1625.8715275062357
SQUARE = [(2048, 2048), (3048, 2048), (3048, 1548), (2048, 1548)]

# A ring of 5 by 5 pixels round an empty one, and a single pixel: code 1 next to the outside, 2 inside.
ABP_RING = [(x, y, 1 if x in (500, 504) or y in (400, 404) else 2) for x in range(500, 505) for y in range(400, 405)]
ABP_RING.remove((502, 402, 2))
ABP_OBJECTS = [ABP_RING, [(300, 700, 1)]]


def scss_text(polygons, label="CH"):
    lines = ["DATE:  2012-01-03 00:00:12.340000", f"RADIUS:  {SCSS_RADIUS}"]
    for number, polygon in enumerate(polygons):
        lines += [f"{label}:    {number}", *(f"   {x:.4f}  {y:.4f}" for x, y in polygon)]
    return "\r\n".join([*lines, ""])


def abp_text(objects, first="512 511 410 0.0 -3.3 78.8  0 "):
    lines = [first, "0 0 ", f"{len(objects)} "]
    for number, pixels in enumerate(objects):
        lines.append(f"{number} {len(pixels)} 0 0 0 0 0")
        lines.append("".join(f"{x} {y} {code} " for x, y, code in pixels))
    return "\r\n".join([*lines, ""])


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_bytes(text.encode())
        return path

    return write


def read_one(path):
    (annotation,) = read_annotations(path)
    return annotation


@pytest.fixture
def smap():
    return disk_map(lambda x, y: np.ones_like(x))


def test_scss_positions_are_solar_radii_to_west_and_north(write):
    annotation = read_one(write(SCSS_NAME, scss_text([SQUARE])))
    assert annotation.feature == "CH"
    assert annotation.date.isot == "2012-01-03T00:00:12.340"
    assert annotation.name == SCSS_NAME.removesuffix(".txt")
    ((ring,),) = annotation.polygons
    np.testing.assert_allclose(ring * SCSS_RADIUS, [(0, 0), (1000, 0), (1000, 500), (0, 500)], atol=1e-9)


def test_scss_mask_is_on_the_pixels_and_the_wcs_of_its_image(write, tmp_path):
    mask = annotation_to_mask(read_one(write(SCSS_NAME, scss_text([SQUARE]))))
    assert mask.data.dtype == np.int16
    # The file counts from the upper left corner, the Map from the lower left: the square is above the middle.
    expected = np.zeros((4096, 4096), dtype=np.int16)
    expected[2048:2548, 2048:3048] = 1
    np.testing.assert_array_equal(mask.data, expected)
    date = Time("2012-01-03T00:00:12.340")
    assert mask.date == date
    assert mask.scale[0].to_value(u.arcsec / u.pix) == pytest.approx(sun.angular_radius(date).arcsec / SCSS_RADIUS)
    assert mask.observer_coordinate.lat.deg == pytest.approx(sun.B0(date).deg, abs=1e-6)
    assert mask.meta["SCSSFEAT"] == "CH"
    assert mask.meta["SCSSLAB"] == "SCSS"
    assert mask.wavelength == 193 * u.AA
    mask.save(tmp_path / "mask.fits")
    np.testing.assert_array_equal(sunpy.map.Map(tmp_path / "mask.fits").data, expected)


def test_scss_mask_on_another_map(write):
    text = scss_text([SQUARE]).replace("2012-01-03 00:00:12", DATE)
    annotation = read_one(write(SCSS_NAME, text))
    rotated = disk_map(lambda x, y: x, radius=80, centre=(120, 140), rotation=30 * u.deg)
    mask = annotation_to_mask(annotation, rotated)
    columns, rows = (axis.mean() for axis in mask.data.nonzero()[::-1])
    expected = frame_of(rotated).matrix @ [500 / SCSS_RADIUS, 250 / SCSS_RADIUS] + (120, 140)
    np.testing.assert_allclose([columns, rows], expected, atol=0.2)
    assert mask.data.sum() == pytest.approx(1000 * 500 * (80 / SCSS_RADIUS) ** 2, rel=0.02)
    np.testing.assert_allclose(frame_of(mask).matrix, frame_of(rotated).matrix)


def test_scss_polygons_keep_the_order_of_their_vertices(write):
    annotation = read_one(write(SCSS_NAME, scss_text([SQUARE, SQUARE[::-1]])))
    (first,), (second,) = annotation.polygons
    np.testing.assert_array_equal(first, second[::-1])


def test_scss_faults_are_counted(write):
    beyond = [(2048, 48), (2248, 48), (2248, 600)]
    text = scss_text([SQUARE, [(100, 100)], [(2000, 2000), (6537.9571, 553.1357)], [], beyond], label="AR")
    annotation = read_one(write("2012_01_03__00_00_12_34__SDO_AIA_AIA_171.txt", text))
    assert annotation.feature == "AR"
    assert annotation.faults == {"short polygons": 3, "off-limb vertices": 4, "vertices outside the image": 1}
    assert len(annotation.polygons) == 2
    mask = annotation_to_mask(annotation)
    frame = frame_of(mask)
    assert frame.radius(*mask.data.nonzero()).max() <= 1


@pytest.mark.parametrize(("wavelength", "feature"), [(193, "CH"), (171, "AR")])
def test_scss_file_without_polygon_is_an_empty_mask(write, wavelength, feature):
    annotation = read_one(write(SCSS_NAME.replace("193", str(wavelength)), scss_text([])))
    assert annotation.feature == feature
    assert annotation.polygons == ()
    assert not annotation_to_mask(annotation).data.any()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"must begin with lines DATE: and RADIUS: \(got {}\)"),
        ("DATE:  yesterday\r\nRADIUS:  1625\r\n", "must begin with lines"),
        ("DATE:  2012-01-03\r\nRADIUS:  -3\r\n", r"solar radius in pixels of an image of 4096 \(got -3\)"),
        ("DATE:  2012-01-03\r\nRADIUS:  1600\r\n 3  4\r\n", r"193.txt, line 3: expected .*got ' 3  4'"),
        (scss_text([SQUARE]) + "   12.5\r\n", "line 8: expected"),
        (scss_text([SQUARE]) + "   12.5  nan\r\n", "line 8: expected"),
        (scss_text([SQUARE]) + "EF:    1\r\n", "line 8: expected"),
        (scss_text([SQUARE]) + "AR:    1\r\n", "polygons of either CH or AR .got AR and CH"),
        ("<html>not found</html>", "line 1: expected"),
    ],
)
def test_scss_file_that_is_none(write, text, message):
    with pytest.raises(ValueError, match=message):
        read_one(write(SCSS_NAME, text))


def test_scss_file_without_polygon_and_wavelength(write):
    with pytest.raises(ValueError, match=r"either CH or AR \(got neither, and no AIA_193"):
        read_one(write("day.txt", scss_text([])))


def test_abp_mask_is_the_listed_pixels_with_their_hole(write):
    mask = annotation_to_mask(read_one(write("20120103_230000_aia.abp", abp_text(ABP_OBJECTS))))
    expected = np.zeros((1024, 1024), dtype=np.int16)
    for pixels in ABP_OBJECTS:
        for x, y, _ in pixels:
            expected[1023 - y, x] = 1
    np.testing.assert_array_equal(mask.data, expected)
    assert mask.meta["SCSSLAB"] == "RegionGrowth"


def test_abp_geometry_comes_from_the_file(write):
    annotation = read_one(write("20120103_230000_aia.abp", abp_text(ABP_OBJECTS)))
    assert annotation.date.isot == "2012-01-03T23:00:00.000"
    assert annotation.centre == (512, 1023 - 511)
    mask = annotation_to_mask(annotation)
    frame = frame_of(mask)
    np.testing.assert_allclose(frame.centre, annotation.centre, atol=1e-6)
    assert frame.pixels_per_radius == pytest.approx(410, rel=1e-4)


def test_abp_rings_run_counter_clockwise_and_their_holes_clockwise(write):
    annotation = read_one(write("20120103_230000_aia.abp", abp_text(ABP_OBJECTS)))

    def area(ring):
        (x0, y0), (x1, y1) = ring.T, np.roll(ring, -1, axis=0).T
        return (x0 * y1 - x1 * y0).sum() / 2

    ring_with_hole, single = annotation.polygons
    assert sorted(np.sign([area(ring) for ring in ring_with_hole])) == [-1, 1]
    assert [area(ring) > 0 for ring in single] == [True]


def test_abp_without_object(write):
    annotation = read_one(write("20120103_230000_aia.abp", abp_text([])))
    assert annotation.polygons == ()
    assert not annotation_to_mask(annotation).data.any()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("monday.abp", abp_text([]), "monday.abp is no .abp file"),
        ("20120103_230000_aia.abp", "", "not enough values to unpack"),
        ("20120103_230000_aia.abp", abp_text(ABP_OBJECTS).replace("0 24 0", "0 25 0"), r"expected 25 pixels .*got 24"),
        ("20120103_230000_aia.abp", abp_text([[(2000, 5, 1)]]), "inside an image of 1024"),
        ("20120103_230000_aia.abp", abp_text(ABP_OBJECTS).replace("0 0 0 0\r", "0 0 0 3\r"), "of class 3"),
        ("20120103_230000_aia.abp", abp_text(ABP_OBJECTS).rpartition("1 1 0 0")[0], "is no .abp file"),
    ],
)
def test_abp_file_that_is_none(write, name, text, message):
    with pytest.raises(ValueError, match=message):
        read_one(write(name, text))


@pytest.fixture(params=["folder", "zip"])
def collection(request, tmp_path):
    folder = tmp_path / "labels" / "ch_custom"
    folder.mkdir(parents=True)
    (folder / SCSS_NAME).write_bytes(scss_text([SQUARE, [(1, 1)]]).encode())
    (folder / SCSS_NAME.replace("01_03", "01_02")).write_bytes(scss_text([]).encode())
    (folder / "20120103_230000_aia.abp").write_bytes(abp_text(ABP_OBJECTS).encode())
    (folder / "read.me").write_text("hello")
    if request.param == "folder":
        return tmp_path / "labels"
    path = tmp_path / "labels.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.mkdir("ch_custom")
        for file in folder.iterdir():
            archive.write(file, f"ch_custom/{file.name}")
    return path


def test_all_files_of_a_folder_or_zip_are_read(collection, caplog):
    table = annotation_table(read_annotations(collection))
    assert list(table["name"]) == ["20120103_230000_aia", SCSS_NAME[:-4].replace("01_03", "01_02"), SCSS_NAME[:-4]]
    assert list(table["feature"]) == ["CH"] * 3
    assert list(table["polygons"]) == [2, 0, 1]
    assert list(table["vertices"]) == [28, 0, 4]
    assert list(table["short polygons"]) == [0, 0, 1]
    assert "1 polygons of under three vertices are left out" in caplog.text


def test_folder_without_annotations(tmp_path):
    with pytest.raises(ValueError, match="no annotation file"):
        read_annotations(tmp_path)
    with pytest.raises(UnreadableFileError, match="nowhere cannot be read: there is no such file"):
        read_annotations(tmp_path / "nowhere")


def test_hidden_files_and_a_byte_order_mark_do_no_harm(tmp_path):
    path = tmp_path / "mac.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(SCSS_NAME, "\ufeff" + scss_text([SQUARE]))
        archive.writestr(f"__MACOSX/._{SCSS_NAME}", b"\x00\x05\x16\x07")
    assert [len(annotation.polygons) for annotation in read_annotations(path)] == [1]


@pytest.mark.parametrize("hours", [-7, 7, 24 * 365 * 5])
def test_labels_of_another_time_are_refused(write, hours):
    annotation = read_one(write(SCSS_NAME, scss_text([SQUARE])))
    date = annotation.date + hours * u.hour
    smap = disk_map(lambda x, y: x, size=64, radius=25, date=date.isot)
    path = write("holes.geojson", collection_of(HOLED, **{**STONYHURST, "date": annotation.date.isot}))
    with pytest.raises(InvalidMapError, match=r"is of 2012-01-03T00:00 and .*more than 6 h.*raise max_gap"):
        annotation_to_mask(annotation, smap)
    with pytest.raises(InvalidMapError, match=r"holes.geojson is of 2012-01-03T00:00 and .*more than 6 h"):
        geojson_to_mask(path, smap, feature="CH")
    if abs(hours) < 24:
        assert annotation_to_mask(annotation, smap, max_gap=8 * u.hour).data.any()
        assert geojson_to_mask(path, smap, feature="CH", max_gap=8 * u.hour).data.any()


def test_painted_mask_of_16_bits(tmp_path, smap):
    pixels = np.zeros((256, 256), dtype=np.uint16)
    pixels[10:30, 200:250] = 1
    Image.fromarray(pixels).save(tmp_path / "mask.png")
    np.testing.assert_array_equal(png_to_mask(tmp_path / "mask.png", smap, feature="CH").data, pixels[::-1])


def polygon_feature(*rings):
    return {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": rings}}


def ring(left, bottom, right, top):
    return [[left, bottom], [right, bottom], [right, top], [left, top], [left, bottom]]


def collection_of(*features, **members):
    return json.dumps({"type": "FeatureCollection", "features": features, **members})


HOLED = polygon_feature(ring(-30, -30, 30, 30), ring(-10, -10, 10, 10))
STONYHURST = {"frame": "heliographic_stonyhurst", "date": DATE}


def test_geojson_keeps_holes(write, smap):
    mask = geojson_to_mask(write("holes.geojson", collection_of(HOLED, **STONYHURST)), smap, feature="CH")
    assert mask.data[128, 128] == 0
    assert mask.data[128, 128 + 35] == 1
    assert mask.data[128, 128 + 55] == 0
    assert mask.meta["SCSSFEAT"] == "CH"
    assert "1 polygons, heliographic_stonyhurst" in mask.meta["history"]


def test_geojson_of_every_kind_of_polygon(write, smap):
    left, right = [ring(-30, 0, -10, 20)], [ring(10, 0, 30, 20)]
    multi = {"type": "MultiPolygon", "coordinates": [left, right]}
    both = {
        "type": "GeometryCollection",
        "geometries": [{"type": "Polygon", "coordinates": one} for one in (left, right)],
    }
    masks = [
        geojson_to_mask(write(f"{number}.geojson", json.dumps({**thing, **STONYHURST})), smap, feature="AR").data
        for number, thing in enumerate(
            [multi, both, json.loads(collection_of(*map(polygon_feature, (left[0], right[0]))))]
        )
    ]
    assert masks[0].any()
    np.testing.assert_array_equal(masks[0], masks[1])
    np.testing.assert_array_equal(masks[0], masks[2])


def test_geojson_in_arcsec_is_on_the_image_itself(write, smap):
    arcsec = smap.rsun_obs.value
    text = collection_of(polygon_feature(ring(0, 0, 0.5 * arcsec, 0.3 * arcsec)))
    path = write("holes.geojson", text)
    mask = geojson_to_mask(path, smap, feature="CH", frame="helioprojective", date=smap.date)
    assert mask.data.sum() == 50 * 30
    assert mask.data[128:158, 128:178].all()


def test_geojson_without_features_is_an_empty_mask(write, smap):
    mask = geojson_to_mask(write("none.geojson", collection_of(**STONYHURST)), smap, feature="CH")
    assert not mask.data.any()


def test_geojson_of_a_feature_without_a_place(write, smap):
    nowhere = {"type": "Feature", "properties": {}, "geometry": None}
    for alone in (json.dumps({**nowhere, **STONYHURST}), collection_of(nowhere, **STONYHURST)):
        assert not geojson_to_mask(write("nowhere.geojson", alone), smap, feature="CH").data.any()
    both, one = (collection_of(*some, **STONYHURST) for some in ((nowhere, HOLED), (HOLED,)))
    masks = [geojson_to_mask(write("holes.geojson", text), smap, feature="CH").data for text in (both, one)]
    np.testing.assert_array_equal(*masks)


@pytest.mark.parametrize("turn", [0, 360])
def test_geojson_across_the_origin_of_longitudes_warns(write, smap, turn):
    wide = polygon_feature(ring(355 - turn, -10, 5 - turn, 10))
    with pytest.warns(SunpyUserWarning, match=r"an edge of 350 degrees .*write 355 to 365"):
        geojson_to_mask(write("wide.geojson", collection_of(wide, **STONYHURST)), smap, feature="CH")
    narrow = polygon_feature(ring(355 - turn, -10, 365 - turn, 10))
    mask = geojson_to_mask(write("narrow.geojson", collection_of(narrow, **STONYHURST)), smap, feature="CH")
    assert mask.data.any()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<html>", "is no GeoJSON of polygons"),
        ("[]", "is no GeoJSON of polygons: an object in it lacks its type"),
        (json.dumps({"type": "Point", "coordinates": [0, 0]}), "a Point encloses no area"),
        (collection_of({"type": "Feature"}, **STONYHURST), "is no GeoJSON"),
        (collection_of(polygon_feature([[0, 0], [1, 1]]), **STONYHURST), "ring of 2 positions"),
        (collection_of(HOLED, date=DATE), r"must be one of .*helioprojective \(got None\): pass frame"),
        (collection_of(HOLED, frame="WGS84", date=DATE), "got WGS84"),
        (collection_of(HOLED, frame="heliographic_carrington"), 'add a member "date" or pass date'),
    ],
)
def test_geojson_that_cannot_be_drawn(write, smap, text, message):
    with pytest.raises(ValueError, match=message):
        geojson_to_mask(write("bad.geojson", text), smap, feature="CH")


def test_unknown_feature(write, smap):
    with pytest.raises(ValueError, match=r"CH, AR or a code of capital letters and digits \(got 'fi'\)"):
        geojson_to_mask(write("holes.geojson", collection_of(HOLED, **STONYHURST)), smap, feature="fi")
    own = geojson_to_mask(write("holes.geojson", collection_of(HOLED, **STONYHURST)), smap, feature="PLAGE")
    assert (own.meta["SCSSFEAT"], own.meta["CONTENT"]) == ("PLAGE", "PLAGE mask")


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_png_mask_is_the_same_way_up_as_its_image(tmp_path, smap, mode):
    pixels = np.zeros((256, 256), dtype=np.uint8)
    pixels[10:30, 200:250] = 255
    Image.fromarray(pixels).convert(mode).save(tmp_path / "mask.png")
    mask = png_to_mask(tmp_path / "mask.png", smap, feature="CH")
    np.testing.assert_array_equal(mask.data, pixels[::-1] / 255)
    np.testing.assert_allclose(frame_of(mask).matrix, frame_of(smap).matrix)


def test_png_mask_of_another_size_or_with_greys(tmp_path, smap):
    Image.new("L", (128, 256)).save(tmp_path / "small.png")
    with pytest.raises(ValueError, match=r"shape of the Map, \(256, 256\) \(got \(256, 128\)\)"):
        png_to_mask(tmp_path / "small.png", smap, feature="CH")
    Image.fromarray(np.arange(65536, dtype=np.uint32).reshape(256, 256).astype(np.uint8)).save(tmp_path / "grey.png")
    with pytest.raises(ValueError, match=r"black and one other colour \(got 255 others\); apply"):
        png_to_mask(tmp_path / "grey.png", smap, feature="CH")


def test_map_that_cannot_be_drawn_on(write):
    annotation = read_one(write(SCSS_NAME, scss_text([SQUARE])))
    with pytest.raises(TypeError, match="sunpy Map"):
        annotation_to_mask(annotation, np.zeros((5, 5)))
    carrington = {"ctype1": "CRLN-CAR", "ctype2": "CRLT-CAR", "cunit1": "deg", "cunit2": "deg", "date-obs": DATE}
    with pytest.raises(InvalidMapError, match="helioprojective"):
        annotation_to_mask(annotation, sunpy.map.Map(np.zeros((20, 20)), carrington))


def test_png_painted_on_a_real_browse_image_lies_on_its_map(shared_data, tmp_path):
    path = shared_data / "browse" / "20170322_182605_1024_0193.jpg"
    with Image.open(path) as image:
        bright = np.asarray(image.convert("L")) > 150
    Image.fromarray(bright).save(tmp_path / "mask.png")
    smap = from_browse(path)
    mask = png_to_mask(tmp_path / "mask.png", smap, feature="AR")
    inside = smap.data[mask.data == 1]
    assert inside.min() > 0
    assert np.nanmedian(inside) > 3 * np.nanmedian(smap.data[mask.data == 0])


# What is in the files, counted independently of this package.
COLLECTIONS = {
    "ch_custom.zip": {"files": 537, "empty": 8, "polygons": 1504, "short": 4, "off-limb": 828, "outside": 0},
    "ar_custom.zip": {"files": 533, "empty": 0, "polygons": 2974, "short": 5, "off-limb": 4137, "outside": 1},
    "sample_region_growth_anotation.zip": {
        "files": 15, "empty": 1, "polygons": 18, "short": 0, "off-limb": 0, "outside": 0
    },
}  # fmt: skip


@cache
def read_once(path):
    return read_annotations(path)


@pytest.mark.parametrize("name", COLLECTIONS)
def test_every_real_file_is_read_and_its_faults_counted(shared_data, name):
    table = annotation_table(read_once(shared_data / "annotations" / name))
    assert {
        "files": len(table),
        "empty": np.count_nonzero(table["polygons"] == 0),
        "polygons": table["polygons"].sum(),
        "short": table["short polygons"].sum(),
        "off-limb": table["off-limb vertices"].sum(),
        "outside": table["vertices outside the image"].sum(),
    } == COLLECTIONS[name]


def test_real_radii_are_those_of_the_sun_from_earth(shared_data):
    annotations = read_once(shared_data / "annotations" / "ar_custom.zip")
    dates = Time([annotation.date for annotation in annotations])
    radii = np.array([annotation.radius for annotation in annotations]) * 0.6
    np.testing.assert_allclose(radii, sun.angular_radius(dates).arcsec, rtol=1e-5)


def test_real_abp_masks_are_the_pixels_in_the_files(shared_data):
    path = shared_data / "annotations" / "sample_region_growth_anotation.zip"
    annotations = {annotation.name: annotation for annotation in read_once(path)}
    with zipfile.ZipFile(path) as archive:
        for name in filter(lambda name: name.endswith(".abp"), archive.namelist()):
            objects = archive.read(name).decode().splitlines()[4::2]
            expected = np.zeros((1024, 1024), dtype=np.int16)
            for triples in objects:
                x, y, _ = np.array(triples.split(), dtype=int).reshape(-1, 3).T
                expected[1023 - y, x] = 1
            mask = annotation_to_mask(annotations[name.split("/")[-1].removesuffix(".abp")])
            np.testing.assert_array_equal(mask.data, expected)


def test_two_real_annotators_agree_better_than_with_a_mirrored_one(shared_data):
    folder = shared_data / "annotations"
    grown = read_once(folder / "sample_region_growth_anotation.zip")[2]
    drawn = min(read_once(folder / "ch_custom.zip"), key=lambda other: abs((other.date - grown.date).sec))
    one = annotation_to_mask(grown)
    other = annotation_to_mask(drawn, one)

    def iou(first, second):
        return np.count_nonzero(first & second) / np.count_nonzero(first | second)

    agreement = iou(one.data, other.data)
    assert agreement > 0.5
    assert agreement > 3 * max(iou(one.data, other.data[::-1]), iou(one.data, other.data[:, ::-1]))
