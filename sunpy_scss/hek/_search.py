"""Searching the HEK."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests
from requests.adapters import Retry
from tqdm import tqdm

import astropy.units as u
from sunpy import log
from sunpy.net import attrs as a
from sunpy.net.hek.hek import DEFAULT_URL
from sunpy.time import TimeRange

from sunpy_scss.exceptions import HEKError
from sunpy_scss.hek._records import FULL_NAMES, hek_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astropy.table import QTable
    from astropy.time import Time
    from sunpy.net.hek import HEKClient

__all__ = ["HEKServer", "search_hek"]

# The HEK breaks off a search that takes it a minute.
_CHUNK = 30 * u.day


def search_hek(
    time_range: tuple | TimeRange | a.Time,
    feature: str | a.hek.EventType,
    *,
    frm_name: str | Sequence[str] = "SPoCA",
    client: HEKServer | HEKClient | None = None,
) -> QTable:
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
        Names of feature recognition methods, as the HEK spells them; ``"CACTus"`` may be short for its full name.
    client : HEKServer or sunpy.net.hek.HEKClient, optional
        Another server or more patience. Of sunpy's client the URL is taken.

    Returns
    -------
    astropy.table.QTable
        The table of `~sunpy_scss.hek.hek_table`: one row for each event, no row if there is no event.

    Raises
    ------
    sunpy_scss.exceptions.HEKError
        The HEK did not answer. Never mistaken for an absence of events.
    ValueError
        The HEK has no such type of events.

    Warns
    -----
    `~sunpy_scss.exceptions.HEKWarning`
        Records without a readable polygon were left out, with the reasons.

    Examples
    --------
    >>> from sunpy_scss.hek import search_hek
    >>> search_hek(("2018-03-30", "2018-03-31"), "AR")  # doctest: +REMOTE_DATA +SKIP
    """
    server = client if isinstance(client, HEKServer) else HEKServer(*[client.url] if client is not None else [])
    kind = _event_type(feature) if isinstance(feature, str) else feature
    names = [FULL_NAMES.get(name, name) for name in ([frm_name] if isinstance(frm_name, str) else frm_name)]
    whole = TimeRange(*_ends(time_range))
    parts = whole.window(_CHUNK, _CHUNK) if whole.seconds > _CHUNK else [whole]
    records = []
    for part in tqdm(parts, desc="HEK", unit="month", disable=len(parts) == 1, leave=False):
        for name in names:
            records += server.records(part.start, min(part.end, whole.end), kind.item, name)
    # Events over the border of two parts come with both.
    unique = {(record.get("kb_archivid"), str(record.get("revision"))): record for record in records}
    table = hek_table(list(unique.values()))
    table.meta |= {"event_types": [kind.item.upper()], "frm_names": names}
    return table


def _event_type(name):
    known = {key: attr for key, attr in vars(a.hek).items() if isinstance(attr, a.hek.EventType)}
    if name not in known:
        msg = f"The HEK has events of the types {', '.join(sorted(known))} (got {name!r})."
        raise ValueError(msg)
    return known[name]


def _ends(time_range):
    return time_range if isinstance(time_range, list | tuple) else (time_range.start, time_range.end)


# Also what the server itself has to say when it is overloaded; any other 4xx stays as it is however often one asks.
_PASSING = {408, 425, 429}
_PAGE_SIZE = 500
# Several times what a page of that many records has.
_MAX_BYTES = 100_000_000
# The whole sky, as the HEK counts it.
_SETTINGS = {
    "cmd": "search",
    "type": "column",
    "cosec": 2,
    "result_limit": _PAGE_SIZE,
    "event_coordsys": "helioprojective",
    "x1": -5000,
    "x2": 5000,
    "y1": -5000,
    "y2": 5000,
}


@dataclass(frozen=True)
class HEKServer:
    """
    The address of the HEK, and how long to wait for it.

    Attributes
    ----------
    url : str
        Base URL, to which the query is appended.
    timeout : float
        Seconds without a byte after which a request has failed. The HEK itself gives up after 60.
    attempts : int
        How often to ask before giving up.
    pause : float
        Seconds that the pauses between the attempts grow from: the second attempt follows at once, the next after
        twice this, then four times and so on, or when the server says (Retry-After).

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

    def records(self, start: Time, end: Time, event_type: str, frm_name: str) -> list[dict]:
        """
        All records of one type and method, from all pages of the answer.

        Parameters
        ----------
        start, end : astropy.time.Time
        event_type : str
            The abbreviation of the HEK, ``"CH"``.
        frm_name : str
            The method, as the HEK spells it.

        Returns
        -------
        list of dict
            The records as the HEK sends them.

        Raises
        ------
        sunpy_scss.exceptions.HEKError
            No usable answer after all attempts.
        """
        query = {
            **_SETTINGS,
            "event_type": event_type,
            "event_starttime": start.strftime("%Y-%m-%dT%H:%M:%S"),
            "event_endtime": end.strftime("%Y-%m-%dT%H:%M:%S"),
            "param0": "FRM_Name",
            "op0": "=",
            "value0": frm_name,
        }
        with requests.Session() as session:
            return list(self._pages(session, query))

    def _pages(self, session, query):
        previous, number, more = None, 1, True
        while more:
            page, more = self._page(session, {**query, "page": number})
            if more and page in (previous, []):
                msg = f"{self.url} promises more events but page {number} brings none that are new. Ask it later."
                raise HEKError(msg)
            yield from page
            previous, number = page, number + 1

    def _page(self, session, query):
        """The records of one page, and whether there are more."""
        # A web page or half an answer under status 200 is repeated too, which only this loop can know.
        patience = Retry(total=self.attempts - 1, backoff_factor=self.pause)
        while True:
            try:
                return _read_page(session, self.url, query, self.timeout)
            except (requests.RequestException, _AnswerError) as error:
                log.info(f"HEK: an attempt failed ({_cause(error)}).")
                if _is_final(error) or patience.total <= 0:
                    msg = (
                        f"No events from {self.url}: {_cause(error)}. This is an outage, not an absence of events; "
                        "ask again later or, if it goes on, look at https://www.lmsal.com/hek/."
                    )
                    raise HEKError(msg) from error
                patience = patience.increment("GET", self.url)
                patience.sleep(getattr(getattr(error, "response", None), "raw", None))


class _AnswerError(Exception):
    """The answer is not what the HEK sends."""


def _read_page(session, url, query, timeout):
    with session.get(url, params=query, timeout=timeout, stream=True) as response:
        response.raise_for_status()
        body = bytearray()
        for part in response.iter_content(1 << 20):
            body += part
            if len(body) > _MAX_BYTES:
                msg = f"a page is longer than {_MAX_BYTES / 1e6:g} MB"
                raise _AnswerError(msg)
    try:
        # Some servers put a byte order mark before their text.
        answer = json.loads(body.decode("utf-8-sig", errors="replace"))
        page, more = answer["result"], answer["overmax"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _AnswerError(str(error)) from error
    if not (isinstance(page, list) and all(isinstance(record, dict) for record in page)):
        msg = "its result is not a list of records"
        raise _AnswerError(msg)
    return page, more


def _is_final(error):
    if isinstance(error, requests.HTTPError):
        return error.response.status_code < 500 and error.response.status_code not in _PASSING
    return isinstance(error, ValueError)  # no URL at all


def _cause(error):
    """Return the reason of a failure in words."""
    if isinstance(error, requests.HTTPError):
        return f"HTTP status {error.response.status_code}"
    if isinstance(error, _AnswerError):
        return f"the answer is not what the HEK sends ({error})"
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return f"the answer breaks off ({error})"
    # The text of the outer errors repeats the whole query.
    reason = getattr(next(iter(error.args), None), "reason", error)
    return f"no connection ({reason.__cause__ or reason})"
