"""
A Fido client for pictures of the Sun and of coronal holes that no client of sunpy knows.

Importing this module, and nothing else, makes it known to Fido.
"""

import re

import numpy as np

import astropy.units as u
from astropy.time import Time
from sunpy.net import Scraper
from sunpy.net import attrs as a
from sunpy.net.attr import Attr, SimpleAttr
from sunpy.net.dataretriever import GenericClient
from sunpy.net.dataretriever.client import QueryResponse
from sunpy.time import TimeRange

from sunpy_scss.images._archives import check_folders

__all__ = ["PictureClient", "Product"]

_DAY = "{{year:4d}}/{{month:2d}}/{{day:2d}}"
_DATE = "{{year:4d}}{{month:2d}}{{day:2d}}"
_TIME = f"{_DATE}_{{{{hour:2d}}}}{{{{minute:2d}}}}{{{{second:2d}}}}"
_PATTERNS = {
    "browse": f"https://sdo.gsfc.nasa.gov/assets/img/browse/{_DAY}/{_TIME}_1024_{{{{Wavelength:04d}}}}.jpg",
    "chimera": f"https://solarmonitor.org/data/{_DAY}/pngs/saia/saia_chimr_ch_{_TIME}.png",
    "chimera_table": f"https://solarmonitor.org/data/{_DAY}/meta/arm_ch_summary_{_DATE}.txt",
}
# One picture a day, always of the same name, in folders that cannot be listed.
_SUNTODAY = "https://suntoday.lmsal.com/sdomedia/SunInTime/%Y/%m/%d/f{wavelength:04d}.jpg"
_PRODUCTS = {
    "browse": "AIA images of 1024 x 1024 pixels at sdo.gsfc.nasa.gov",
    "suntoday": "One AIA image a day of 4096 x 4096 pixels at suntoday.lmsal.com",
    "chimera": "Pictures of the coronal holes that CHIMERA finds, at solarmonitor.org",
    "chimera_table": "Daily tables of the coronal holes that CHIMERA finds, at solarmonitor.org",
}


class Product(SimpleAttr):
    """
    The product of a web site to search for.

    Parameters
    ----------
    value : str
        ``"browse"``: AIA images of 1024 x 1024 pixels at sdo.gsfc.nasa.gov. ``"suntoday"``: one AIA image a day of
        4096 x 4096 pixels at suntoday.lmsal.com. ``"chimera"``: pictures of the coronal holes that CHIMERA finds,
        ``"chimera_table"``: daily tables of their properties, both at solarmonitor.org.

    Examples
    --------
    >>> from sunpy_scss.images.fido import Product
    >>> Product("map")
    Traceback (most recent call last):
    ...
    ValueError: Product must be one of browse, suntoday, chimera, chimera_table (got 'map').
    """

    def __init__(self, value: str) -> None:
        if value not in _PRODUCTS:
            msg = f"Product must be one of {', '.join(_PRODUCTS)} (got {value!r})."
            raise ValueError(msg)
        super().__init__(value)


class PictureClient(GenericClient):
    """
    Pictures of the Sun at sdo.gsfc.nasa.gov and suntoday.lmsal.com, and coronal holes of CHIMERA at solarmonitor.org.

    Takes `sunpy.net.attrs.Time`, `Product` and, for the pictures of the Sun, `sunpy.net.attrs.Wavelength`.
    `sunpy_scss.images.from_browse` makes Maps of these.

    Notes
    -----
    The addresses come from public programs that use them. suntoday.lmsal.com is not asked what it has: each day of
    the range is answered with one file for each wavelength, 171 and 193 Å unless asked otherwise, which may turn out
    to be missing when it is fetched.

    References
    ----------
    * Garton, Gallagher and Murray 2018, J. Space Weather Space Clim. 8, A02, https://doi.org/10.1051/swsc/2017039

    Examples
    --------
    >>> import astropy.units as u
    >>> from sunpy.net import Fido, attrs as a
    >>> from sunpy_scss.images.fido import Product
    >>> days = a.Time("2017-01-03", "2017-01-04")
    >>> found = Fido.search(days, Product("suntoday"), a.Wavelength(193 * u.AA))
    >>> found[0]["file"].tolist()
    ['suntoday_20170103_0193.jpg', 'suntoday_20170104_0193.jpg']
    >>> found = Fido.search(days, Product("browse"), a.Wavelength(193 * u.AA))  # doctest: +REMOTE_DATA
    """

    @classmethod
    def register_values(cls) -> dict:
        """The products, for completion and the help of Fido."""
        return {Product: list(_PRODUCTS.items())}

    @classmethod
    def _attrs_module(cls):
        return "scss", "sunpy_scss.images.fido"

    @classmethod
    def _can_handle_query(cls, *query):
        return cls.check_attr_types_in_query(query, {a.Time, Product}, {a.Wavelength})

    def search(self, *query: Attr) -> QueryResponse:
        """
        Find the files of a `Product` in a range of time.

        Parameters
        ----------
        *query : sunpy.net.attr.Attr
            `sunpy.net.attrs.Time`, `Product` and perhaps `sunpy.net.attrs.Wavelength`.

        Returns
        -------
        sunpy.net.dataretriever.client.QueryResponse
            With the columns ``Start Time``, ``End Time``, ``Product``, ``Wavelength`` in Å (0 for CHIMERA, which uses
            several), ``file`` and ``url``.
        """
        by_type = {type(attr): attr for attr in query}
        product, time, wavelength = (by_type.get(kind) for kind in (Product, a.Time, a.Wavelength))
        span = TimeRange(time.start, time.end)
        if product.value == "suntoday":
            rows = _daily(span, (171, 193) if wavelength is None else (round(wavelength.min.to_value(u.AA)),))
        else:
            rows = _listed(_PATTERNS[product.value], span)
        wanted = [row for row in rows if wavelength is None or row["Wavelength"] * u.AA in wavelength]
        return QueryResponse([{"Product": product.value, **row} for row in wanted], client=self)

    def _get_full_filenames(self, qres, filenames, path):
        # Those of suntoday.lmsal.com have the same name every day.
        return super()._get_full_filenames(qres, list(qres["file"]), path)


def _daily(span, wavelengths):
    days = Time(np.arange(np.floor(span.start.mjd), span.end.mjd + 1e-9), format="mjd")
    return [_row_of_day(day, wavelength) for day in days for wavelength in wavelengths]


def _row_of_day(day, wavelength):
    name = f"suntoday_{day.strftime('%Y%m%d')}_{wavelength:04d}.jpg"
    return _row(day, day + 1 * u.day, wavelength, name, day.strftime(_SUNTODAY).format(wavelength=wavelength))


def _listed(pattern, span):
    urls = Scraper(format=pattern).filelist(span)
    if not urls:
        check_folders(pattern, span)
    return [_row_of_url(url) for url in sorted(urls)]


def _row_of_url(url):
    name = url.rpartition("/")[2]
    day, clock = re.search(r"(\d{8})(?:_(\d{6}))?", name).groups()
    start = Time.strptime(day + (clock or "000000"), "%Y%m%d%H%M%S")
    length = 1 * u.s if clock else 1 * u.day
    wavelength = re.search(r"_(\d{4})\.jpg$", name)
    return _row(start, start + length, int(wavelength[1]) if wavelength else 0, name, url)


def _row(start, end, wavelength, name, url):
    times = {"Start Time": Time(start, format="iso"), "End Time": Time(end, format="iso")}
    return {**times, "Wavelength": wavelength, "file": name, "url": url}
