"""A server on this machine that answers as the HEK does, page by page."""

import gzip
import json
from urllib.parse import parse_qsl, urlsplit

import loopback


class Faults(loopback.Faults):
    @staticmethod
    def status(code):
        def fail(handler, body):
            handler.send_error(code)

        return fail

    @staticmethod
    def html(handler, body):
        handler.answer(b"<html><body>Proxy error</body></html>")

    @staticmethod
    def other_json(handler, body):
        handler.answer(b'{"error": "too many connections"}')

    @staticmethod
    def nested(handler, body):
        handler.answer(b'{"result": ' + b"[" * 100_000)

    @staticmethod
    def packed(handler, body):
        """No fault, though unlike the HEK today."""
        handler.answer(gzip.compress(b"\xef\xbb\xbf" + body), **{"Content-Encoding": "gzip"})


class _Handler(loopback.Handler):
    def do_GET(self):
        query = dict(parse_qsl(urlsplit(self.path).query))
        self.server.requests.append(query)
        body = json.dumps(self.server.page(query)).encode()
        fault = self.server.faults.pop(0) if self.server.faults else self.server.always
        if fault is None:
            self.answer(body)
        else:
            fault(self, body)


class _Server(loopback.Server):
    def __init__(self, records, page_size, faults, always, endless):
        super().__init__(_Handler)
        self.records, self.page_size, self.endless = records, page_size, endless
        self.faults, self.always = list(faults), always

    @property
    def url(self):
        return f"{super().url}/hek/her?"

    def page(self, query):
        """The events that overlap with the range asked for, of the type and method asked for."""
        matching = [
            record
            for record in self.records
            if record["event_type"].lower() == query["event_type"].lower()
            and query.get("value0", record["frm_name"]) == record["frm_name"]
            and record["event_starttime"] <= query["event_endtime"]
            and record["event_endtime"] >= query["event_starttime"]
        ]
        first = (int(query["page"]) - 1) * self.page_size
        return {
            "result": matching[first : first + self.page_size],
            "overmax": self.endless or first + self.page_size < len(matching),
        }


def hek_server(records, *, page_size=100, faults=(), always=None, endless=False):
    """
    Serve records; ``faults`` happen one after the other to the first requests, ``always`` to all others.

    Gives the server, with its ``url`` and the queries of all ``requests``.
    """
    return loopback.running(_Server(records, page_size, faults, always, endless))
