"""Recorded answers of the HEK, where they are at hand: what is predicted of HEK polygons in general."""

import json
import time

import hek_by_hand as by_hand
import numpy as np
import pytest
from hek_records import heliographic, iou, sun

import astropy.units as u
from astropy.table import Table
from astropy.time import Time
from sunpy.coordinates.sun import L0
from sunpy.net.hek import HEKTable
from sunpy.util import dict_keys_same

from sunpy_scss.exceptions import HEKWarning
from sunpy_scss.hek import drawn_events, hek_table, hek_to_mask
from sunpy_scss.hek._records import parse_polygon


@pytest.fixture(scope="module")
def records(shared_data):
    text = (shared_data / "hek" / "hek_spoca_ar_20180316_20180402.json").read_text(encoding="utf-8")
    return json.loads(text)["result"]


@pytest.fixture(scope="module")
def table(records):
    return hek_table(records)


def test_time_rule_holds_on_all(records, table):
    in_identifier = [record["kb_archivid"].split("_")[-2] for record in records]
    assert len(table) == len(records) == 200
    assert list(table["event_endtime"].strftime("%Y%m%dT%H%M%S")) == in_identifier
    assert (table["obstime"] == table["event_endtime"]).all()
    assert (table["obstime"] - table["event_starttime"] >= 3 * u.hour).all()


def test_time_rule_holds_on_a_coronal_hole(shared_data):
    """A polar hole across the limb; the heliographic columns of the HEK are those of another time."""
    answer = json.loads((shared_data / "hek" / "hek_ch_spoca_2024-05-10.json").read_text(encoding="utf-8"))
    [row] = hek_table(answer)
    assert row["obstime"] == row["event_endtime"] == Time("2024-05-10T00:42:41")
    [drawn] = drawn_events(answer, heliographic(row["obstime"], (1800, 3600)))
    assert float(drawn["area_drawn"] / drawn["area_atdiskcenter"]) == pytest.approx(0.89, abs=0.05)
    [record] = answer["result"]
    meridian = (float(record["hgc_coord"].split()[0].removeprefix("POINT(")) - record["hgs_x"]) % 360
    assert meridian == pytest.approx(L0(row["event_starttime"]).deg, abs=0.1)
    assert meridian != pytest.approx(L0(row["obstime"]).deg, abs=2)


def test_ten_times_faster_than_sunpy(records):
    some = records[::10]
    start = time.perf_counter()
    HEKTable._from_search(Table(dict_keys_same([dict(record) for record in some])), client=None)
    theirs, start = time.perf_counter() - start, time.perf_counter()
    hek_table(some)
    assert theirs > 10 * (time.perf_counter() - start)


@pytest.mark.parametrize("row", range(0, 200, 18))
def test_masks_equal_the_drawing_by_hand(table, row):
    # The nearest hour is another time than that of the polygon.
    date = Time(np.round(table["obstime"][row].jd * 24) / 24, format="jd")
    smap = sun(date, 512)
    expected = by_hand.draw(parse_polygon(table["hpc_boundcc"][row])[0], table["obstime"][row], smap)
    assert iou(hek_to_mask(table[row : row + 1], smap).data, expected) >= 0.95


def test_areas(table):
    ratios = []
    for row in range(0, 200, 11):
        smap = sun(table["obstime"][row], 1024)
        drawn = drawn_events(table[row : row + 1], smap)
        ratios += list((drawn["area_drawn"] / drawn["area_atdiskcenter"]).to_value(u.dimensionless_unscaled))
    # The polygons have few corners and cut those of the region: a little smaller, with much scatter.
    assert 0.75 < np.median(ratios) < 1.05


def test_start_time_draws_beside_the_region(table):
    overlap = []
    for row in range(0, 200, 11):
        smap, event = sun(table["obstime"][row], 512), table[row : row + 1]
        wrong = hek_to_mask(event, smap, time_from="event_starttime")
        overlap.append(iou(hek_to_mask(event, smap).data, wrong.data))
    assert np.median(overlap) < 0.4


def test_other_events_are_left_out_with_a_count(shared_data):
    text = (shared_data / "hek" / "hek_20230329_mixed_AR_CE_FL.json").read_text(encoding="utf-8")
    with pytest.warns(HEKWarning, match="23 of 23 events"):
        assert len(hek_table(json.loads(text)["result"])) == 0
