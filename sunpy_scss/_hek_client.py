"""The way to the Heliophysics Events Knowledgebase: requests, retries, pages. Knows nothing of what a record means."""

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass

from sunpy import log
from sunpy.net.hek import attrs as hek_attrs
from sunpy.net.hek.hek import DEFAULT_URL

from sunpy_scss.exceptions import HEKError

__all__ = ["HEKServer"]

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
