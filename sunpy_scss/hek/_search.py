"""Searching the HEK."""

import http.client
import json
import time
import urllib.request
from dataclasses import dataclass

from tqdm import tqdm

import astropy.units as u
from sunpy import log
from sunpy.net import attrs as a
from sunpy.net.hek import attrs as hek_attrs
from sunpy.net.hek.hek import DEFAULT_URL
from sunpy.time import TimeRange

from sunpy_scss._warn import warn_caller
from sunpy_scss.exceptions import HEKError, HEKWarning
from sunpy_scss.hek._records import read_events

__all__ = ["HEKServer", "hek_table", "search_hek"]

# The HEK breaks off a search that takes it a minute.
_CHUNK = 30 * u.day


def search_hek(time_range, feature, *, frm_name="SPoCA", client=None):
    """
    Find events in the HEK.

    Parameters
    ----------
    time_range : tuple, sunpy.time.TimeRange or sunpy.net.attrs.Time
        Start and end. Events that overlap with it are found; SPoCA's last from one of its images to the next, some four
        hours. Long ranges are asked for month by month, with a progress bar.
    feature : str or sunpy.net.hek.attrs.EventType
        ``"CH"`` for coronal holes, ``"AR"`` for active regions, or any other type of the HEK (``a.hek.FI``).
    frm_name : str or sequence of str, optional
        Names of feature recognition methods.
    client : HEKServer or sunpy.net.hek.HEKClient, optional
        Another server or more patience. Of sunpy's client the URL is taken.

    Returns
    -------
    astropy.table.QTable
        As `~sunpy_scss.hek.hek_table` makes it, one row for each event; none where there is none.

    Raises
    ------
    sunpy_scss.exceptions.HEKError
        The HEK did not answer. Never mistaken for an absence of events.
    ValueError
        The HEK has no such type of events.

    Warns
    -----
    sunpy_scss.exceptions.HEKWarning
        Records without a readable polygon were left out.

    Examples
    --------
    >>> from sunpy_scss.hek import search_hek
    >>> search_hek(("2018-03-30", "2018-03-31"), "AR")  # doctest: +REMOTE_DATA +SKIP
    """
    server = client if isinstance(client, HEKServer) else HEKServer(*[client.url] if client is not None else [])
    kind = _event_type(feature) if isinstance(feature, str) else feature
    names = [frm_name] if isinstance(frm_name, str) else list(frm_name)
    whole = TimeRange(*_ends(time_range))
    parts = whole.window(_CHUNK, _CHUNK) if whole.seconds > _CHUNK else [whole]
    records = []
    for part in tqdm(parts, desc="HEK", unit="month", disable=len(parts) == 1, leave=False):
        for name in names:
            query = a.Time(part.start, min(part.end, whole.end)) & kind & (a.hek.FRM.Name == name)
            records += server.records(query)
    # Events over the border of two parts come with both.
    unique = {(record.get("kb_archivid"), str(record.get("revision"))): record for record in records}
    table = hek_table(list(unique.values()))
    table.meta["event_type"] = kind.item.upper()
    return table


def _event_type(name):
    known = {key: attr for key, attr in vars(a.hek).items() if isinstance(attr, a.hek.EventType)}
    if name not in known:
        msg = f"The HEK has events of the types {', '.join(sorted(known))} (got {name!r})."
        raise ValueError(msg)
    return known[name]


def _ends(time_range):
    return time_range if isinstance(time_range, list | tuple) else (time_range.start, time_range.end)


def hek_table(events):
    """
    Events of the HEK in whatever form they come, as a table of what is needed to draw them.

    Parameters
    ----------
    events : astropy.table.Table, astropy.table.Row, sunpy.net.fido_factory.UnifiedResponse, dict or list
        What `~sunpy_scss.hek.search_hek`, `sunpy.net.Fido` or `sunpy.net.hek.HEKClient` return, rows of it, raw
        records, or a list of these.

    Returns
    -------
    astropy.table.QTable
        With the columns of the HEK ``kb_archivid``, ``event_type``, ``frm_name``, ``frm_specificid`` (the track),
        ``hpc_boundcc`` (the polygon as text, in arcsec), ``event_starttime``, ``event_endtime``, ``frm_daterun``,
        ``hpc_x``, ``hpc_y``, ``area_raw``, ``area_atdiskcenter``, ``active``, ``event_testflag``, ``revision``;
        and ``obstime``, the time of the image that the polygon was drawn on.

    Raises
    ------
    sunpy_scss.exceptions.HEKError
        The search whose result this is had failed.

    Warns
    -----
    sunpy_scss.exceptions.HEKWarning
        Records without a readable polygon or time were left out, or two times of a record contradict each other.

    Examples
    --------
    >>> from sunpy_scss.hek import hek_table
    >>> record = {
    ...     "kb_archivid": "ivo://helio-informatics.org/AR_SPoCA_20180317_035624_20180317T033146_0",
    ...     "event_type": "AR", "frm_name": "SPoCA",
    ...     "event_starttime": "2018-03-16T23:31:46", "event_endtime": "2018-03-17T03:31:46",
    ...     "hpc_boundcc": "POLYGON((493 418,513 453,532 414,493 418))",
    ... }
    >>> hek_table(record)["obstime"][0].isot
    '2018-03-17T03:31:46.000'
    """
    table, lost = read_events(events)
    if lost:
        msg = f"{lost} of {lost + len(table)} events have no readable polygon or time and were left out."
        warn_caller(msg, HEKWarning)
    return table


# Also what the server itself has to say when it is overloaded; any other 4xx stays as it is however often one asks.
_PASSING = {408, 425, 429}
_PAGE_SIZE = 500


@dataclass(frozen=True)
class HEKServer:
    """
    Where the HEK is and how patiently to ask it.

    Attributes
    ----------
    url : str
        Base URL, to which the query is appended.
    timeout : float
        Seconds without a byte after which a request has failed. The HEK itself gives up after 60.
    attempts : int
        How often to ask before giving up.
    pause : float
        Seconds before the second attempt, doubled before each further one.

    Examples
    --------
    >>> from sunpy_scss.hek import HEKServer
    >>> HEKServer(attempts=1).timeout
    90
    """

    url: str = DEFAULT_URL
    timeout: float = 90
    attempts: int = 4
    pause: float = 2

    def records(self, query):
        """
        All records that match a query, from all its pages.

        Parameters
        ----------
        query : sunpy.net.attr.Attr
            Attrs of `sunpy.net.hek.attrs`, joined by ``&`` and ``|``.

        Returns
        -------
        list of dict
            As the HEK sends them. One may be there twice where alternatives overlap.

        Raises
        ------
        sunpy_scss.exceptions.HEKError
            No usable answer after all attempts.
        """
        alternatives = hek_attrs.walker.create(query, {})
        return [record for parameters in alternatives for record in self._pages(_url_parameters(parameters))]

    def _pages(self, parameters):
        previous, number, more = None, 1, True
        while more:
            page, more = self._page({**parameters, "page": number})
            if more and page in (previous, []):
                msg = f"{self.url} promises more events but page {number} brings none that are new. Ask it later."
                raise HEKError(msg)
            yield from page
            previous, number = page, number + 1

    def _page(self, parameters):
        """The records of one page, and whether there are more."""
        separator = "" if self.url.endswith(("?", "&")) else "?"
        url = f"{self.url}{separator}{urllib.parse.urlencode(parameters)}"
        for attempt in range(self.attempts):
            if attempt:
                time.sleep(self.pause * 2 ** (attempt - 1))
            try:
                return _read_page(url, self.timeout)
            except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
                failure = error
                log.info(f"HEK: attempt {attempt + 1} of {self.attempts} failed ({_cause(error)}).")
                if _is_final(error):
                    break
        msg = (
            f"No events from {self.url}: {_cause(failure)}. This is an outage, not an absence of events; "
            "ask again later or, if it goes on, look at https://www.lmsal.com/hek/."
        )
        raise HEKError(msg) from failure


def _url_parameters(parameters):
    """A query by sunpy's attrs as the HEK wants it."""
    whole_sky = {}
    hek_attrs.walker.apply(hek_attrs.SpatialRegion(), {}, whole_sky)
    # sunpy names operators by the attribute of its own class, the HEK by two letters.
    named = {name.replace("operator", "op"): value for name, value in parameters.items()}
    settings = {"cmd": "search", "type": "column", "cosec": 2, "result_limit": _PAGE_SIZE}
    return {**settings, **whole_sky, **named}


def _read_page(url, timeout):
    try:
        with urllib.request.urlopen(url, timeout=timeout) as response:
            body = response.read()
    except urllib.error.HTTPError as error:
        error.close()
        raise
    answer = json.loads(body.decode("utf-8", errors="replace"))
    page, more = answer["result"], answer["overmax"]
    if not (isinstance(page, list) and all(isinstance(record, dict) for record in page)):
        msg = "its result is not a list of records"
        raise TypeError(msg)
    return page, more


def _is_final(error):
    return isinstance(error, urllib.error.HTTPError) and error.code < 500 and error.code not in _PASSING


def _cause(error):
    """What went wrong, in words."""
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP status {error.code}"
    if isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError):
        return f"no connection ({error})"
    if isinstance(error, http.client.HTTPException):
        return f"the answer breaks off ({error!r})"
    return f"the answer is not what the HEK sends ({error})"
