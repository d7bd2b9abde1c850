"""The Fido client of pictures, against a server on this machine."""

import asyncio
import subprocess
import sys
from pathlib import Path

import parfive
import pytest
from file_server import Faults, file_server

import astropy.units as u
from sunpy.net import Fido
from sunpy.net import attrs as a

from sunpy_scss.images import fido
from sunpy_scss.images.fido import PictureClient, Product

DAY = a.Time("2017-01-03", "2017-01-03T23:59")


@pytest.fixture
def server(monkeypatch):
    with file_server() as server:
        for product, pattern in fido._PATTERNS.items():
            monkeypatch.setitem(fido._PATTERNS, product, f"{server.url}/{pattern.split('/', 3)[3]}")
        monkeypatch.setattr(fido, "_SUNTODAY", f"{server.url}/{fido._SUNTODAY.split('/', 3)[3]}")
        browse = "/assets/img/browse/2017/01/03/20170103_{}.jpg"
        for name in (
            "001441_1024_0193",
            "120010_1024_0193",
            "120010_1024_0171",
            "120010_2048_0193",
            "120010_1024_HMIB",
        ):
            server.files[browse.format(name)] = name.encode()
        server.files["/data/2017/01/03/pngs/saia/saia_chimr_ch_20170103_103016.png"] = b"picture"
        server.files["/data/2017/01/03/pngs/saia/saia_00193_fd_20170103_103016.png"] = b"other picture"
        server.files["/data/2017/01/03/meta/arm_ch_summary_20170103.txt"] = b"table"
        for day in ("03", "04"):
            server.files[f"/sdomedia/SunInTime/2017/01/{day}/f0193.jpg"] = day.encode()
        yield server


def search(*query):
    return Fido.search(*query)[0]


def fetch(found, folder):
    # Not by Fido.fetch, which leaves the event loop of parfive open.
    downloader = parfive.Downloader(progress=False)
    found.client.fetch(found, path=folder, downloader=downloader, wait=False)
    return asyncio.run(downloader.run_download())


def test_browse_images(server):
    found = search(DAY, Product("browse"), a.Wavelength(193 * u.AA))
    assert isinstance(found.client, PictureClient)
    assert list(found["file"]) == ["20170103_001441_1024_0193.jpg", "20170103_120010_1024_0193.jpg"]
    assert found["Start Time"][1].isot == "2017-01-03T12:00:10.000"
    assert list(found["Wavelength"]) == [193, 193]


def test_browse_images_of_all_wavelengths_in_part_of_a_day(server):
    found = search(a.Time("2017-01-03T12:00", "2017-01-03T13:00"), Product("browse"))
    assert list(found["Wavelength"]) == [171, 193]


def test_chimera(server, tmp_path):
    for product, name, content in (
        ("chimera", "saia_chimr_ch_20170103_103016.png", "picture"),
        ("chimera_table", "arm_ch_summary_20170103.txt", "table"),
    ):
        found = search(DAY, Product(product))
        assert list(found["file"]) == [name]
        (path,) = fetch(found, tmp_path)
        assert Path(path).read_text() == content


def test_suntoday_files_have_a_name_for_each_day(server, tmp_path):
    found = search(a.Time("2017-01-03", "2017-01-04"), Product("suntoday"), a.Wavelength(193 * u.AA))
    paths = fetch(found, tmp_path)
    assert sorted(path.read_text() for path in tmp_path.iterdir()) == ["03", "04"]
    assert sorted(paths) == [str(tmp_path / f"suntoday_2017010{day}_0193.jpg") for day in (3, 4)]


def test_no_pictures(server):
    assert len(search(a.Time("2018-01-03", "2018-01-04"), Product("chimera"))) == 0


def test_outage_is_not_an_absence(server):
    server.faults["/data/2017/01/03/pngs/saia/"] = [Faults.broken] * 9
    with pytest.raises(OSError, match="500"):
        PictureClient().search(DAY, Product("chimera"))


def test_attr_is_found_by_name():
    assert a.scss.Product.chimera_table == Product("chimera_table")


def test_unknown_product():
    with pytest.raises(ValueError, match=r"one of browse, suntoday, chimera, chimera_table \(got 'aia'\)"):
        Product("aia")


def test_images_do_not_register_the_client():
    code = "import sunpy_scss.images._archives; from sunpy.net import attrs; print(hasattr(attrs, 'scss'))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


@pytest.mark.remote_data
@pytest.mark.parametrize("product", ["browse", "suntoday", "chimera", "chimera_table"])
def test_live(product, tmp_path):
    found = search(DAY, Product(product))
    assert not fetch(found[:1], tmp_path).errors
