"""What a reader of the documentation has and a test has not: images of his own, and the web."""

import re
import zipfile
from contextlib import ExitStack, contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from file_server import file_server
from hek_records import box, polygon_text, record, synthetic_records
from hek_server import hek_server
from PIL import Image

import astropy.units as u
import sunpy.map
from astropy.io import fits
from astropy.time import Time
from sunpy.net.dataretriever.sources.aia_synopsis import AIASynopsisClient
from sunpy.net.hek import HEKClient
from sunpy.visualization.colormaps import cmlist

from sunpy_scss.hek import HEKServer
from sunpy_scss.images import example_map
from sunpy_scss.synthetic import synthetic_sun

DAY = "2017-01-03"


def make_file(name):
    """Make a small file of that name in the current folder: what it is, its name says."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    for pattern, make in _MAKERS.items():
        if found := re.fullmatch(pattern, path.name):
            make(path, *found.groups())
            return
    msg = f"No maker of {name}; there are {', '.join(_MAKERS)}."
    raise ValueError(msg)


def _image(path, wavelength, hour):
    date = f"{DAY}T{hour or '00'}:00"
    synthetic_sun(date, wavelength=int(wavelength) * u.AA, size=256).image.save(path)


def _magnetogram(path, date):
    smap = synthetic_sun(DAY, size=256).image if date else example_map(193)
    field = np.random.default_rng(0).normal(3, 10, smap.data.shape)
    sunpy.map.Map(field, {**smap.meta, "bunit": "G", "instrume": "HMI"}).save(path)


def _mask(path):
    synthetic_sun(DAY, size=256).coronal_holes.save(path)


def _picture(path, date, size, wavelength):
    """The example image in the colours of the web site."""
    colours = cmlist[f"sdoaia{int(wavelength)}"](np.arange(256))[:, :3]
    index = np.asarray(example_map(193).data)[::-1]
    picture = Image.fromarray((255 * colours[index]).round().astype(np.uint8))
    picture.resize((int(size), int(size)), Image.Resampling.BICUBIC).save(path, quality=95)


def _painted(path, size):
    painted = np.zeros((int(size), int(size)), dtype=np.uint8)
    painted[int(size) // 2 :, int(size) // 3 : int(size) // 2] = 255
    Image.fromarray(painted).save(path)


def _polygons(path):
    """Two files as the volunteers of SCSS-Net left them, one of them with a polygon of two vertices."""
    square, line = ["1900 1500", "2300 1500", "2300 1900", "1900 1900"], ["1000 1000", "1010 1010"]
    with zipfile.ZipFile(path, "w") as archive:
        for day, polygons in (("03", [square]), ("04", [square, line])):
            lines = [f"DATE:  2017-01-{day} 00:00:12.340000", "RADIUS:  1625.8715275062357"]
            for number, vertices in enumerate(polygons):
                lines += [f"CH:    {number}", *(f"   {vertex.replace(' ', '  ')}" for vertex in vertices)]
            archive.writestr(f"2017_01_{day}__00_00_12_34__SDO_AIA_AIA_193.txt", "\r\n".join(lines) + "\r\n")


def _region_growth(path):
    """One coronal hole of 40 x 40 pixels, each written as x, y and 2 for the inside."""
    pixels = " ".join(f"{x} {y} 2" for x in range(480, 520) for y in range(400, 440))
    header = "512 511 410 0.0 -3.5 100.0 0"
    path.write_text(f"{header}\n0 0\n1\n1 1600 0 0 0 0 0\n{pixels}\n")


def _configuration(path):
    """A network that learns in a moment, and little."""
    path.write_text(
        f"""
[card]
name = "{path.stem}"
feature = "CH"
wavelength = 193
wavelengths = [193]
grid_size = 32
half_width = 1.25
[card.stretch]
floor = 21
limits = [0.2, 2.2]
exponent = 0.5
reference_median = 70
[card.network]
filters = 4
layers = 1
[training]
epochs = 1
batch_size = 4
learning_rate = 1e-2
"""
    )


_MAKERS = {
    r"hmi(?:_(\d{8}))?\.fits": _magnetogram,
    r"hek\.fits": _mask,
    r".*?(171|193)(?:_(\d\d))?\.fits": _image,
    r"(\d{8}_\d{6})_(\d+)_(0\d{3})\.jpg": _picture,
    r"\d{8}_\d{6}_(\d+)_0\d{3}_mask\.png": _painted,
    r"ch_custom\.zip": _polygons,
    r".*\.abp": _region_growth,
    r"\w+\.toml": _configuration,
}


@contextmanager
def web(monkeypatch):
    """The servers that pages speak to, on this machine: the HEK, and the archive of synoptic images."""
    with ExitStack() as servers:
        hek = servers.enter_context(hek_server(list(_events())))
        monkeypatch.setattr(HEKClient.__init__, "__defaults__", (hek.url,))
        monkeypatch.setattr(HEKServer.__init__, "__defaults__", (hek.url, *HEKServer.__init__.__defaults__[1:]))
        archive = servers.enter_context(file_server())
        pattern = AIASynopsisClient.pattern.replace("https://jsoc1.stanford.edu/data/aia", archive.url)
        monkeypatch.setattr(AIASynopsisClient, "pattern", pattern)
        for day in ("03", "04"):
            for wavelength in (171, 193):
                path = f"/synoptic/2017/01/{day}/H0000/AIA201701{day}_0000_{wavelength:04d}.fits"
                archive.files[path] = _synoptic(f"2017-01-{day}", wavelength)
        yield


@cache
def _synoptic(date, wavelength):
    image, buffer = synthetic_sun(date, wavelength=wavelength * u.AA, size=128).image, BytesIO()
    fits.PrimaryHDU(image.data, image.fits_header).writeto(buffer)
    return buffer.getvalue()


def _events():
    """SPoCA's events within hours of the images of the pages, with all fields that sunpy wants."""
    whole = synthetic_records()[0]
    for end in (Time("2013-06-24T16:00"), Time(DAY) - 1 * u.hour, Time(DAY) + 23 * u.hour):
        for kind in ("AR", "CH"):
            for number, corner in enumerate(((-500, -300), (100, 200))):
                polygon = polygon_text(box(*corner, corner[0] + 250, corner[1] + 200))
                yield whole | record(polygon, end=end, number=number, event_type=kind)
