"""What is said of masks of the HEK beside masks in files."""

import numpy as np
import pytest
from hek_records import synthetic_records
from hek_server import hek_server
from makers import disk_map

from sunpy_scss.cli._hek import agreement_with_hek
from sunpy_scss.exceptions import HEKWarning
from sunpy_scss.hek import HEKServer


@pytest.fixture
def path(tmp_path):
    date = max(record["event_endtime"] for record in synthetic_records())
    mask = disk_map(lambda x, y: np.where(np.hypot(x, y) < 0.3, 1.0, 0.0), size=64, radius=25, date=date)
    mask.meta["SCSSFEAT"] = "AR"
    mask.save(tmp_path / "mask.fits")
    return tmp_path / "mask.fits"


def test_no_event_and_none_that_can_be_drawn_are_two_things(path):
    with hek_server([]) as server:
        assert agreement_with_hek(path, HEKServer(server.url))[0].endswith("HEK: no event near it")
    inactive = [{**event, "active": "false"} for event in synthetic_records()]
    with hek_server(inactive) as server, pytest.warns(HEKWarning, match="Nothing is drawn: of 6 events .* 6 inactive"):
        said, target = agreement_with_hek(path, HEKServer(server.url))
    assert "of 6 events none can be drawn" in said
    assert target.exists()
