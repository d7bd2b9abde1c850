"""A server on this machine that answers as the HEK does, page by page, and fails as servers do."""

import gzip
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


class Faults:
    """What can go wrong with an answer; each takes the request handler and the right answer."""

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
    def cut_off(handler, body):
        handler.answer(body[: len(body) // 2], length=len(body))

    @staticmethod
    def cut_off_unseen(handler, body):
        handler.answer(body[: len(body) // 2])

    @staticmethod
    def nested(handler, body):
        handler.answer(b'{"result": ' + b"[" * 100_000)

    @staticmethod
    def packed(handler, body):
        """No fault, though unlike the HEK today."""
        handler.answer(gzip.compress(b"\xef\xbb\xbf" + body), packed=True)

    @staticmethod
    def silence(handler, body):
        handler.server.closing.wait(10)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        query = dict(parse_qsl(urlsplit(self.path).query))
        self.server.requests.append(query)
        body = json.dumps(self.server.page(query)).encode()
        fault = self.server.faults.pop(0) if self.server.faults else self.server.always
        if fault is None:
            self.answer(body)
        else:
            fault(self, body)

    def answer(self, body, length=None, *, packed=False):
        self.send_response(200)
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

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


@contextmanager
def hek_server(records, *, page_size=100, faults=(), always=None, endless=False):
    """
    Serve records; ``faults`` happen one after the other to the first requests, ``always`` to all others.

    Gives the server, with its ``url`` and the queries of all ``requests``.
    """
    server = _Server(("127.0.0.1", 0), _Handler)
    server.records, server.page_size, server.endless = records, page_size, endless
    server.faults, server.always, server.requests = list(faults), always, []
    server.url = f"http://127.0.0.1:{server.server_port}/hek/her?"
    server.closing = threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
