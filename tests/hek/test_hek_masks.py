"""Where and when polygons of the HEK are drawn."""

import hek_by_hand as by_hand
import numpy as np
import pytest
from hek_records import DATE, box, heliographic, iou, polygon_text, record, sun, synthetic_records
from hek_server import hek_server
from scipy import ndimage
from skimage.draw import polygon2mask

import astropy.units as u
import sunpy.map
from astropy.coordinates import SkyCoord
from sunpy.coordinates import HeliographicStonyhurst, get_earth
from sunpy.net import attrs as a
from sunpy.net.fido_factory import UnifiedResponse
from sunpy.net.hek import HEKClient

from sunpy_scss.exceptions import HEKWarning
from sunpy_scss.hek import HEKServer, drawn_events, events_to_regions, hek_table, hek_to_mask, search_hek

CENTRE = [(-60, -150), (180, -120), (220, 90), (20, 40), (-40, 160)]
NEAR_LIMB = [(820, -180), (905, -150), (925, 60), (880, 150), (800, 20)]
ACROSS_LIMB = [(-900, 200), (-760, 300), (-800, 500), (-1000, 520)]
HOLE = box(0, -60, 90, 30)
SQUARE = polygon_text(box(-100, -100, 100, 100))
# What lies behind the limb of the Map is not drawn, with a warning.
MAY_BE_HIDDEN = pytest.mark.filterwarnings("ignore:Nothing is drawn.* on no pixel")


def east_of_earth(angle, date=DATE):
    earth = get_earth(date)
    return SkyCoord(earth.lon - angle, earth.lat, earth.radius, frame=earth.frame)


def draw(rings, smap):
    return hek_to_mask(record(polygon_text(*rings)), smap, max_gap=30 * u.day).data


@MAY_BE_HIDDEN
@pytest.mark.parametrize("days", [-5, -0.2, 0, 0.2, 5])
@pytest.mark.parametrize("angle", [0, 60, -60])
@pytest.mark.parametrize(
    "rings",
    [[CENTRE, HOLE], [NEAR_LIMB], [ACROSS_LIMB]],
    ids=["centre with a hole", "near the limb", "across the limb"],
)
def test_equals_the_drawing_by_hand(rings, angle, days):
    date = DATE + days * u.day
    smap = sun(date, observer=east_of_earth(angle * u.deg, date))
    assert iou(draw(rings, smap), by_hand.draw(rings, DATE, smap)) >= 0.95


@pytest.mark.parametrize("ring", [CENTRE, NEAR_LIMB], ids=["centre", "near the limb"])
def test_at_its_own_time_it_is_the_polygon_itself(ring):
    smap = sun(size=1024)
    vertices = smap.wcs.world_to_pixel(SkyCoord(*np.transpose(ring) * u.arcsec, frame=smap.coordinate_frame))
    expected = polygon2mask(smap.data.shape, np.transpose(vertices)[:, ::-1])
    assert iou(draw([ring], smap), expected) >= 0.995


def graticule(west, south, size=12):
    """A field of heliographic longitudes and latitudes, its border every half degree."""
    steps = np.arange(0, size, 0.5)
    longitude = np.concatenate([steps, np.full(len(steps), size), size - steps, np.zeros(len(steps))]) + west
    latitude = np.concatenate([np.zeros(len(steps)), steps, np.full(len(steps), size), size - steps]) + south
    return np.deg2rad([longitude, latitude])


@MAY_BE_HIDDEN
@pytest.mark.parametrize("days", [-5, 0, 5])
@pytest.mark.parametrize("angle", [0, 60])
@pytest.mark.parametrize("corner", [(-6, 5), (20, -40), (-45, 50)])
def test_field_of_known_corners_is_on_the_right_pixels(corner, angle, days):
    date = DATE + days * u.day
    smap = sun(date, 512, observer=east_of_earth(angle * u.deg, date))
    field = by_hand.unit_vector(*graticule(*corner))
    ring, seen = by_hand.to_sky(field, get_earth(DATE))
    assert seen.all()
    drawn = draw([ring.T], smap)
    observer = smap.observer_coordinate.transform_to(HeliographicStonyhurst(obstime=date))
    border, visible = by_hand.to_sky(by_hand.rotate(field, DATE, date), observer)
    if not visible.all():
        assert iou(drawn, by_hand.draw([ring.T], DATE, smap)) >= 0.95
        return
    columns, rows = smap.wcs.world_to_pixel(SkyCoord(*border * u.arcsec, frame=smap.coordinate_frame))
    expected = polygon2mask(smap.data.shape, np.transpose([rows, columns]))
    wide, narrow = ndimage.binary_dilation(expected), ndimage.binary_erosion(expected)
    assert (narrow <= drawn).all()
    assert (drawn <= wide).all()
    [[region]] = events_to_regions(record(polygon_text(ring.T)), smap, max_gap=30 * u.day).values()
    there = np.transpose(smap.wcs.world_to_pixel(region))
    for pixel in np.transpose([columns, rows]):
        assert np.linalg.norm(there - pixel, axis=1).min() < 1


def test_nothing_is_folded_from_the_far_side():
    opposite = sun(observer=east_of_earth(180 * u.deg))
    with pytest.warns(HEKWarning, match="Nothing is drawn: of 1 events of the HEK 1 on no pixel"):
        assert not draw([box(-300, -300, 300, 300)], opposite).any()
    with pytest.warns(HEKWarning, match="1 on no pixel"):
        assert not draw([box(-300, -300, 300, 300)], sun(DATE + 13 * u.day)).any()
    with pytest.warns(HEKWarning, match="1 out of sight"):
        assert events_to_regions(record(SQUARE), opposite) == {}


def test_region_cut_by_the_limb_follows_it():
    smap = sun(size=1024, observer=east_of_earth(60 * u.deg))
    [[ring]] = events_to_regions(record(polygon_text(box(300, -300, 700, 300))), smap).values()
    distance = (np.hypot(ring.Tx, ring.Ty) / smap.rsun_obs).to_value(u.dimensionless_unscaled)
    assert distance.max() == pytest.approx(1, abs=1e-4)
    assert (distance > 0.9999).sum() > 10


@pytest.mark.parametrize("frame", ["stonyhurst", "carrington"])
@pytest.mark.parametrize("projection", ["CAR", "CEA"])
def test_heliographic_maps_have_the_same_area(frame, projection):
    events = record(polygon_text(CENTRE, HOLE))
    image = drawn_events(events, sun(size=512))
    surface = drawn_events(events, heliographic(shape=(720, 1440), frame=frame, projection=projection))
    assert surface["area_drawn"][0].value == pytest.approx(image["area_drawn"][0].value, rel=0.03)
    assert surface["centroid"][0].separation(image["centroid"][0]) < 0.2 * u.deg


def test_pole_and_seam_of_a_heliographic_map():
    cap = np.deg2rad([np.arange(0, 360, 5), np.full(72, 78)])
    date = "2018-09-07T00:00:00"  # the north pole is turned to Earth
    ring, _ = by_hand.to_sky(by_hand.unit_vector(*cap), get_earth(date))
    mask = hek_to_mask(record(polygon_text(ring.T), end=date), heliographic(date))
    assert mask.data[-5:, 178:182].all()  # around the central meridian
    latitude = np.arange(180) - 89.5
    assert not mask.data[latitude < 77].any()
    [area] = drawn_events(record(polygon_text(ring.T), end=date), heliographic(date))["area_drawn"]
    # Seen under a low angle: up to the limb beyond the pole.
    assert 0.5 < area / (2 * np.pi * (1 - np.sin(np.deg2rad(78))) * (695700 * u.km) ** 2) <= 1.01


def test_large_map_is_the_small_one_in_detail():
    small, large = (draw([NEAR_LIMB], sun(size=size)) for size in (256, 2048))
    assert large.sum() / small.sum() == pytest.approx(64, rel=0.02)


def test_parts_of_a_multipolygon_and_union_of_events():
    text = "MULTIPOLYGON(((-300 0,-200 0,-200 100,-300 100)),((200 0,300 0,300 100,200 100)))"
    events = [record(text), record(polygon_text(box(250, 0, 400, 100)), number=1)]
    expected = draw([box(-300, 0, -200, 100)], sun()) | draw([box(200, 0, 400, 100)], sun())
    np.testing.assert_array_equal(hek_to_mask(events, sun()).data, expected)


def test_labels_lead_back_to_the_events():
    events = [record(polygon_text(box(x, 0, x + 100, 100)), number=n) for n, x in enumerate((-300, 2000, 200))]
    mask = hek_to_mask(events, sun(), labels=True)
    assert set(np.unique(mask.data)) == {0, 1, 2}
    assert events[2]["kb_archivid"].endswith(mask.meta["hekid2"])
    table = drawn_events(events, sun())
    assert list(table["kb_archivid"]) == [events[0]["kb_archivid"], events[2]["kb_archivid"]]
    assert list(table["label"]) == [1, 2]
    assert [(mask.data == label).sum() for label in table["label"]] == list(table["n_pixels"])
    assert mask.meta["hekdrawn"] == 2
    assert "left out: 1 on no pixel" in mask.meta["history"]


def test_provenance_survives_a_file(tmp_path):
    mask = hek_to_mask(record(SQUARE), sun(DATE + 3 * u.hour))
    mask.save(tmp_path / "mask.fits")
    again = sunpy.map.Map(tmp_path / "mask.fits")
    assert again.data.dtype.newbyteorder("=") == np.int16
    np.testing.assert_array_equal(again.data, mask.data)
    expected = {
        "content": "active region mask",
        "scssfeat": "AR",
        "scssmod": "HEK SPoCA",
        "hektime": DATE.isot,
        "hekrot": 3,
        "hekdrawn": 1,
        "hekleft": 0,
    }
    assert {key: again.meta[key] for key in expected} == expected
    assert again.meta["history"] == mask.meta["history"]


def test_time_in_the_identifier_wins_with_a_warning():
    event = record(SQUARE, event_endtime="2018-03-17T06:00:00")
    with pytest.warns(HEKWarning, match="1 of 1 events"):
        table = hek_table(event)
    assert table["obstime"][0].isot == DATE.isot


def test_coronal_holes_take_the_time_in_the_identifier():
    assert hek_table(record(SQUARE, event_type="CH"))["obstime"][0].isot == DATE.isot


def test_method_of_unknown_time():
    event = record(SQUARE, frm_name="New method")
    with pytest.warns(HEKWarning, match="New method .* is not known"):
        mask = hek_to_mask(event, sun())
    assert mask.meta["hekrot"] == 4
    assert hek_to_mask(event, sun(), time_from="event_endtime").meta["hekrot"] == 0


def test_caller_overrides_the_time():
    assert hek_to_mask(record(SQUARE), sun(), time_from="event_starttime").meta["hektime"] == "2018-03-17T00:00:00.000"
    with pytest.raises(ValueError, match="time_from must be one of"):
        hek_to_mask(record(SQUARE), sun(), time_from="start")


def test_only_the_nearest_step():
    steps = [record(polygon_text(box(x, 0, x + 100, 100)), end=DATE + x * u.min) for x in (-300, 0, 300)]
    mask = hek_to_mask(steps, sun(DATE + 1 * u.hour))
    assert mask.meta["hektime"] == DATE.isot
    np.testing.assert_array_equal(mask.data, hek_to_mask(steps[1], sun(DATE + 1 * u.hour)).data)
    assert "left out: 2 of other steps" in mask.meta["history"]


def test_nothing_beyond_max_gap():
    with pytest.warns(HEKWarning, match="1 more than 6 h from the Map, the nearest 7.0 h"):
        mask = hek_to_mask(record(SQUARE), sun(DATE + 7 * u.hour))
    assert not mask.data.any()
    assert mask.meta["scssfeat"] == "AR"
    assert hek_to_mask(record(SQUARE), sun(DATE + 7 * u.hour), max_gap=8 * u.hour).data.any()
    with pytest.raises(u.UnitsError):
        hek_to_mask(record(SQUARE), sun(), max_gap=3 * u.m)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"event_testflag": "true"}, "test events"),
        ({"active": "false"}, "inactive"),
        ({"frm_name": "Another method"}, "of other methods"),
        ({"run": DATE + 1 * u.min}, "repeated or superseded"),
        ({"number": 1, "hpc_boundcc": SQUARE}, "repeated or superseded"),
        ({"number": 0, "hpc_boundcc": SQUARE}, "repeated or superseded"),
    ],
    ids=["test", "inactive", "method", "earlier run", "same polygon", "same event"],
)
def test_left_out(other, reason):
    right = record(SQUARE)
    wrong = record(**{"polygon": polygon_text(box(300, 300, 400, 400)), "number": 0, **other})
    for events in ([right, wrong], [wrong, right]):
        mask = hek_to_mask(events, sun(), frm_name="SPoCA")
        np.testing.assert_array_equal(mask.data, hek_to_mask(right, sun()).data)
        assert (mask.meta["hekdrawn"], mask.meta["hekleft"]) == (1, 1)
        assert f"left out: 1 {reason}" in mask.meta["history"]


def test_higher_revision_replaces():
    old = record(polygon_text(box(300, 300, 400, 400)))
    new = {**record(SQUARE), "revision": "2"}
    for events in ([old, new], [new, old]):
        np.testing.assert_array_equal(hek_to_mask(events, sun()).data, hek_to_mask(new, sun()).data)


def test_pieces_of_one_track_all_stay():
    pieces = [record(polygon_text(box(x, 0, x + 100, 100)), number=n) for n, x in enumerate((-200, 200))]
    pieces[1]["frm_specificid"] = pieces[0]["frm_specificid"]
    assert hek_to_mask(pieces, sun()).meta["hekdrawn"] == 2


def test_pieces_of_one_track_seconds_apart_all_stay():
    pieces = [
        record(polygon_text(box(x, 0, x + 100, 100)), end=DATE + n * 9 * u.s, run=DATE + (30 + n / 6) * u.min, number=n)
        for n, x in enumerate((-200, 200))
    ]
    pieces[1]["frm_specificid"] = pieces[0]["frm_specificid"]
    mask = hek_to_mask(pieces, sun())
    assert mask.meta["hekdrawn"] == 2
    assert f"chosen: 2 of {DATE.isot}, SPoCA" in mask.meta["history"]


def test_rerun_under_other_track_numbers_replaces():
    first = [record(polygon_text(box(x, 0, x + 100, 100)), number=n) for n, x in enumerate((-300, 0, 300))]
    # The second run found the outer two, one of them in two pieces, a little other than the first one.
    again = [box(-290, 0, -195, 110), box(310, 0, 350, 100), box(355, 0, 400, 100)]
    rerun = [record(polygon_text(ring), number=70 + n, run=DATE + 9 * u.day) for n, ring in enumerate(again)]
    for events in (first + rerun, rerun + first):
        mask = hek_to_mask(events, sun())
        np.testing.assert_array_equal(mask.data, hek_to_mask([first[1], *rerun], sun()).data)
        assert "left out: 2 repeated or superseded" in mask.meta["history"]


def test_of_two_images_as_near_only_one_is_drawn():
    before, after = (record(SQUARE, end=DATE + gap * u.hour) for gap in (-2, 2))
    assert hek_to_mask([before, after], sun()).meta["hekdrawn"] == 1


def emerging(left, hours, **changes):
    """An emerging flux region, seen first and last so many hours before or after the date."""
    start, end = ((DATE + hour * u.hour).isot[:19] for hour in hours)
    name = f"ivo://helio-informatics.org/EF_Emergingfluxregionmodule_{start}_{left}"
    changes = {"event_type": "EF", "kb_archivid": name, "frm_specificid": "", **changes}
    times = {"event_starttime": start, "event_endtime": end, "frm_name": "Emerging flux region module"}
    return record(polygon_text(box(left, 0, left + 80, 80)), **times, **changes)


def test_events_with_times_of_their_own_are_drawn_while_they_last():
    lasting = [emerging(-300, (-9, 3)), emerging(0, (-1, 1))]
    over = [emerging(200, (-20, -0.5)), emerging(-100, (0.25, 8))]
    mask = hek_to_mask([*lasting, *over], sun())
    np.testing.assert_array_equal(mask.data, hek_to_mask(lasting, sun()).data)
    assert mask.meta["hekdrawn"] == 2
    assert "chosen: 2 in progress, Emerging flux region module" in mask.meta["history"]
    assert "left out: 2 not in progress at that time" in mask.meta["history"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"hpc_boundcc": "POLYGON((0 0,1"}, "1 with an unreadable polygon"),
        ({"hpc_boundcc": None}, "1 without a polygon"),
        ({"event_endtime": "yesterday"}, "1 with an unreadable time"),
    ],
)
def test_unreadable_events_are_counted_everywhere(changes, reason):
    events = [record(SQUARE), {**record(SQUARE, number=1), **changes}]
    with pytest.warns(HEKWarning, match=f"1 of 2 events of the HEK are left out: {reason}"):
        mask = hek_to_mask(events, sun())
    with pytest.warns(HEKWarning, match=reason):
        assert len(drawn_events(events, sun())) == 1
    with pytest.warns(HEKWarning, match=reason):
        assert len(events_to_regions(events, sun())) == 1
    assert (mask.meta["hekdrawn"], mask.meta["hekleft"]) == (1, 1)
    assert f"left out: {reason}" in mask.meta["history"]
    with pytest.warns(HEKWarning, match=reason):
        table = hek_table(events)
    assert table.meta["left_out"] == [reason.removeprefix("1 ")]
    # Told once, counted again.
    assert hek_to_mask(table, sun()).meta["hekleft"] == 1


@pytest.mark.parametrize(
    ("events", "options", "reason"),
    [
        (record("POLYGON EMPTY", event_type="CH"), {}, "1 with an unreadable polygon"),
        (record(SQUARE, event_type="CH", active="false"), {}, "1 inactive"),
        (record(SQUARE, event_type="CH"), {"frm_name": "SPOCA"}, "1 of other methods"),
    ],
    ids=["unreadable", "inactive", "method"],
)
def test_empty_mask_says_why(events, options, reason):
    with pytest.warns(HEKWarning) as caught:
        mask = hek_to_mask(events, sun(), **options)
    messages = "\n".join(str(one.message) for one in caught)
    assert f"Nothing is drawn: of 1 events of the HEK {reason}." in messages
    assert not mask.data.any()
    assert mask.meta["scssfeat"] == "CH"
    assert mask.meta["scssmod"] == f"HEK {options.get('frm_name', 'SPoCA')}"
    assert (mask.meta["hekdrawn"], mask.meta["hekleft"]) == (0, 1)
    if options:
        assert "No event is by the method SPOCA: these are by SPoCA." in messages


def test_whole_answer_of_the_hek():
    answer = {"result": [record(SQUARE)], "overmax": False}
    np.testing.assert_array_equal(hek_to_mask(answer, sun()).data, hek_to_mask(record(SQUARE), sun()).data)
    with pytest.warns(HEKWarning, match="one page of several"):
        hek_to_mask({**answer, "overmax": True}, sun())


def test_one_type_at_a_time():
    with pytest.raises(ValueError, match=r"one type at a time \(got AR, CH\)"):
        hek_to_mask(synthetic_records(), sun())


@pytest.mark.parametrize("known", [["AR", "CH"], ["CH", "AR", "FI"]])
def test_an_empty_selection_of_several_types(known):
    """As the error for several types advises it."""
    events = hek_table(synthetic_records())
    events.meta["event_types"] = known
    mask = hek_to_mask(events[events["event_type"] == "SS"], sun())
    assert not mask.data.any()


def test_no_events():
    for smap in (sun(), heliographic()):
        mask = hek_to_mask([], smap)
        assert mask.data.dtype == np.int16
        assert not mask.data.any()
        assert mask.meta["scssmod"] == "HEK"
        assert len(drawn_events([], smap)) == 0
        assert events_to_regions([], smap) == {}


def test_empty_search_keeps_what_was_asked_for():
    with hek_server([]) as server:
        empty = search_hek(("2018-03-17", "2018-03-18"), "CH", client=HEKServer(url=server.url))
    mask = hek_to_mask(empty, sun(), frm_name="SPoCA")
    assert (mask.meta["scssfeat"], mask.meta["scssmod"]) == ("CH", "HEK SPoCA")


def test_input_is_left_as_it_was():
    table = hek_table([record(SQUARE), record(SQUARE, end=DATE + 4 * u.hour)])
    before = table.copy()
    hek_to_mask(table, sun(), time_from="event_starttime")
    assert table.colnames == before.colnames
    assert (table["obstime"] == before["obstime"]).all()
    assert table.meta == before.meta


@pytest.fixture(scope="module")
def answers():
    """The active regions of the fixture through sunpy's own client and through ours."""
    with hek_server(synthetic_records(), page_size=4) as server:
        of_sunpy = HEKClient(url=server.url).search(a.Time("2018-03-17", "2018-03-18"), a.hek.AR)
        ours = search_hek(("2018-03-17", "2018-03-18"), "AR", client=HEKServer(url=server.url))
    return of_sunpy, ours


@pytest.mark.parametrize(
    "form",
    [
        lambda table: table,
        lambda table: table[:],
        lambda table: table[[0, 1, 2, 3, 4, 5]],
        lambda table: list(table),
        lambda table: UnifiedResponse(table),
        lambda table: [dict(zip(table.raw.colnames, row, strict=True)) for row in table.raw],
    ],
    ids=["table", "slice", "selection", "rows", "Fido", "records"],
)
def test_forms_of_events(answers, form):
    of_sunpy, ours = answers
    table = hek_table(form(of_sunpy))
    assert list(table["kb_archivid"]) == list(ours["kb_archivid"])
    assert (abs(table["obstime"] - ours["obstime"]) < 1 * u.ms).all()
    np.testing.assert_allclose(table["area_raw"].value, ours["area_raw"].value)
    np.testing.assert_array_equal(hek_to_mask(form(of_sunpy), sun()).data, hek_to_mask(ours, sun()).data)


def test_rows(answers):
    of_sunpy, ours = answers
    expected = hek_to_mask(ours[1:2], sun()).data
    assert expected.any()
    for row in (of_sunpy[1], of_sunpy[1:2], of_sunpy[1:3][0], ours[1]):
        np.testing.assert_array_equal(hek_to_mask(row, sun()).data, expected)


def test_what_is_no_event():
    with pytest.raises(TypeError, match="Events of the HEK come from"):
        hek_to_mask("SPoCA", sun())
