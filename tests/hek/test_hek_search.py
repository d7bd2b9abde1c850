"""The client of the HEK against a server on this machine: pages, chunks, outages, broken records."""

import numpy as np
import pytest
from hek_records import DATE, record, sun, synthetic_records
from hek_server import Faults, hek_server

import astropy.units as u
from sunpy.net import attrs as a
from sunpy.net.hek import HEKClient
from sunpy.time import TimeRange

from sunpy_scss.exceptions import HEKError, HEKWarning
from sunpy_scss.hek import HEKServer, hek_table, hek_to_mask, search_hek
from sunpy_scss.hek._records import parse_polygon

DAY = ("2018-03-17", "2018-03-18")
SQUARE = "POLYGON((0 0,100 0,100 100,0 100,0 0))"


def hasty(server, **changes):
    return HEKServer(**{"url": server.url, "timeout": 5, "attempts": 3, "pause": 0.01, **changes})


@pytest.fixture
def server():
    with hek_server(synthetic_records(), page_size=2) as running:
        yield running


def test_all_pages(server):
    table = search_hek(DAY, "AR", client=hasty(server))
    expected = [event["kb_archivid"] for event in synthetic_records() if event["event_type"] == "AR"]
    assert list(table["kb_archivid"]) == expected
    assert [query["page"] for query in server.requests] == ["1", "2", "3"]
    assert {query["value0"] for query in server.requests} == {"SPoCA"}


@pytest.mark.parametrize(
    "time_range", [DAY, list(DAY), TimeRange(*DAY), a.Time(*DAY)], ids=["tuple", "list", "TimeRange", "attr"]
)
def test_forms_of_time_and_feature(server, time_range):
    assert len(search_hek(time_range, a.hek.CH, client=hasty(server))) == 2


def test_unknown_type_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"of the types AR, .*CH, .*\(got 'ch'\)"):
        search_hek(DAY, "ch")


def test_client_of_sunpy_gives_its_url(server):
    assert len(search_hek(DAY, "CH", client=HEKClient(url=server.url))) == 2


def test_url_without_question_mark(server):
    assert len(search_hek(DAY, "CH", client=hasty(server, url=server.url.rstrip("?")))) == 2


def test_several_methods():
    ours = record(SQUARE)
    other = record(SQUARE, frm_name="Another method", kb_archivid="ivo://helio-informatics.org/AR_Another_1")
    third = record(SQUARE, frm_name="Not asked for", kb_archivid="ivo://helio-informatics.org/AR_Third_1")
    with hek_server([ours, other, third]) as server:
        table = search_hek(DAY, "AR", frm_name=["SPoCA", "Another method"], client=hasty(server))
    assert list(table["frm_name"]) == ["SPoCA", "Another method"]


def test_long_range_in_chunks(capsys):
    dates = ["2018-01-05", "2018-01-31T02:00", "2018-03-17", "2018-06-01"]
    with hek_server([record(SQUARE, end=date) for date in dates]) as server:
        table = search_hek(("2018-01-01", "2018-05-01"), "AR", client=hasty(server))
    assert [time.isot[:10] for time in table["obstime"]] == ["2018-01-05", "2018-01-31", "2018-03-17"]
    starts = [query["event_starttime"][:10] for query in server.requests]
    assert starts == ["2018-01-01", "2018-01-31", "2018-03-02", "2018-04-01"]
    assert server.requests[-1]["event_endtime"].startswith("2018-05-01")
    assert "0/4" in capsys.readouterr().err


def test_no_events_are_an_empty_table_of_the_usual_columns(server):
    empty = search_hek(("2019-01-01", "2019-01-02"), "CH", client=hasty(server))
    full = search_hek(DAY, "CH", client=hasty(server))
    assert len(empty) == 0
    assert empty.colnames == full.colnames
    for name in full.colnames:
        assert type(empty[name]) is type(full[name])
        assert getattr(empty[name], "unit", None) == getattr(full[name], "unit", None)


@pytest.mark.parametrize(
    "fault",
    [Faults.status(500), Faults.status(429), Faults.html, Faults.other_json, Faults.cut_off, Faults.cut_off_unseen],
    ids=["500", "429", "html", "other json", "cut off", "cut off unseen"],
)
def test_passing_faults_are_survived(fault):
    with hek_server(synthetic_records(), page_size=2, faults=[fault, fault]) as server:
        assert len(search_hek(DAY, "AR", client=hasty(server))) == 6
    assert [query["page"] for query in server.requests] == ["1", "1", "1", "2", "3"]


@pytest.mark.parametrize(
    ("fault", "message", "requests"),
    [
        (Faults.status(500), "HTTP status 500", 3),
        (Faults.status(404), "HTTP status 404", 1),
        (Faults.html, "not what the HEK sends", 3),
        (Faults.other_json, "not what the HEK sends", 3),
        (Faults.cut_off, "breaks off", 3),
        (Faults.nested, "not what the HEK sends", 3),
    ],
    ids=["500", "404", "html", "other json", "cut off", "nested"],
)
def test_outage_is_a_typed_error(fault, message, requests):
    with hek_server(synthetic_records(), always=fault) as server, pytest.raises(HEKError, match=message):
        search_hek(DAY, "AR", client=hasty(server))
    assert len(server.requests) == requests


def test_server_that_never_answers():
    always = Faults.silence
    with hek_server(synthetic_records(), always=always) as server, pytest.raises(HEKError, match="no answer in time"):
        search_hek(DAY, "AR", client=hasty(server, timeout=0.1, attempts=2))


def test_no_server():
    with hek_server([]) as server:
        pass
    with pytest.raises(HEKError, match="no connection") as caught:
        search_hek(DAY, "AR", client=hasty(server))
    assert "cmd=search" not in str(caught.value), "the message repeats the query"


def test_url_that_is_none():
    with pytest.raises(HEKError, match="No events from nowhere: "):
        search_hek(DAY, "AR", client=HEKServer("nowhere"))


@pytest.mark.parametrize("records", [[], synthetic_records()[:1]], ids=["nothing", "the same"])
def test_server_that_promises_more_for_ever(records):
    with hek_server(records, endless=True) as server, pytest.raises(HEKError, match="promises more"):
        search_hek(DAY, "AR", client=hasty(server))


def test_broken_records_lose_only_themselves():
    good = record("POLYGON((0 0,300 0,300 300,0 300,0 0),(100 100,200 100,200 200,100 200,100 100))")
    several = record("MULTIPOLYGON(((0 0,9 0,9 9,0 0)),((50 50,90 50,90 90,50 50)))", number=1)
    broken = ["", None, "POLYGON((0 0,1", "POLYGON((0 0,1 x,2 2))", "POLYGON((0 0,1 1))", "POINT(1 2)", "POLYGON EMPTY"]
    records = [good, several, *(record(text, number=n) for n, text in enumerate(broken, start=2))]
    records.append(record(SQUARE, number=50, event_endtime="yesterday"))
    reasons = "2 without a polygon, 5 with an unreadable polygon, 1 with an unreadable time"
    with hek_server(records) as server, pytest.warns(HEKWarning, match=f"8 of 10 events .* left out: {reasons}"):
        table = search_hek(DAY, "AR", client=hasty(server))
    assert list(table["kb_archivid"]) == [good["kb_archivid"], several["kb_archivid"]]


# Two regions of an event each, in the same places.
TWO = "MULTIPOLYGON(((0 0,300 0,300 300,0 300),(100 100,200 100,200 200,100 200)),((400 0,500 0,500 100)))"


@pytest.mark.parametrize(
    "text",
    [
        "SRID=4326;" + TWO,
        "srid = 0; " + TWO.lower(),
        TWO.replace("((", "  ( (").replace(",", " ,\n "),
        TWO.replace("0,", "0 7,").replace("0)", "0 7)").replace("MULTIPOLYGON", "MULTIPOLYGON Z "),
    ],
    ids=["SRID", "small letters", "spaces", "heights"],
)
def test_spellings_of_a_polygon(text):
    for one, two in zip(parse_polygon(text), parse_polygon(TWO), strict=True):
        for ring, expected in zip(one, two, strict=True):
            np.testing.assert_array_equal(ring, expected)


@pytest.mark.parametrize(
    "changes",
    [
        {"area_raw": [1], "area_atdiskcenter": "n/a", "area_unit": "furlong"},
        {"revision": "2.0"},
        {"revision": None, "hpc_x": {}, "hpc_y": np.inf},
        {"active": None, "event_testflag": None},
        {"active": "", "event_testflag": ""},
        {"frm_daterun": "soon", "frm_specificid": None},
        {"event_starttime": "2018-03-17T00:00:00Z", "event_endtime": "2018-03-17T05:00:00+01:00"},
        {"kb_archivid": "AR_SPoCA_20180317_042500_20189917T040000_0"},
        {"kb_archivid": None},
    ],
)
def test_odd_facts_lose_no_event(changes):
    table = hek_table([record(SQUARE, number=1), {**record(SQUARE), **changes}])
    assert len(table) == 2
    assert list(table["active"]) == [True, True]
    assert not table["event_testflag"].any()
    assert [time.isot for time in table["obstime"]] == [DATE.isot, DATE.isot]
    assert table.meta["left_out"] == []


def test_odd_facts_are_unknown_or_as_by_default():
    [row] = hek_table(record(SQUARE, area_raw=[1], area_atdiskcenter=2e9, revision="2.0"))
    assert np.isnan(row["area_raw"])
    assert row["area_atdiskcenter"] == 2e9 * u.km**2
    assert row["revision"] == 2


def test_short_name_of_cactus(server):
    name = "CACTus (Computer Aided CME Tracking)"
    event = record(SQUARE, event_type="CE", frm_name=name, kb_archivid="CE_CACTus(ComputerAidedCMETracking)_20180317_1")
    with hek_server([event]) as server:
        table = search_hek(DAY, "CE", frm_name="CACTus", client=hasty(server))
    assert list(table["frm_name"]) == [name]
    assert (table["obstime"] == table["event_starttime"]).all()
    assert hek_to_mask(event, sun(), frm_name="CACTus").meta["scssmod"] == f"HEK {name}"


def test_packed_answer_with_a_byte_order_mark_is_no_outage():
    with hek_server(synthetic_records(), always=Faults.packed) as server:
        assert len(search_hek(DAY, "AR", client=hasty(server, attempts=1))) == 6


def test_failed_search_of_fido_is_no_empty_answer(server):
    table = HEKClient(url=server.url).search(a.Time(*DAY), a.hek.AR)
    table.errors = OSError("the web is down")
    with pytest.raises(HEKError, match="the web is down"):
        hek_table(table)


@pytest.mark.remote_data
def test_live():
    table = search_hek(("2018-03-30", "2018-03-31"), "AR")
    assert len(table) >= 9
    assert (abs(table["obstime"] - table["event_endtime"]) < 1 * u.min).all()


@pytest.mark.remote_data
def test_live_coronal_holes_follow_the_time_rule():
    table = search_hek(("2018-03-30", "2018-03-31"), "CH")
    assert len(table)
    assert np.all(abs(table["obstime"] - table["event_endtime"]) < 1 * u.min)
