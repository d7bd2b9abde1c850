"""What the servers of the tests share: they run on this machine, and fail as servers do."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Faults:
    """What can go wrong with an answer; each takes the request handler and the right answer."""

    @staticmethod
    def cut_off(handler, body):
        handler.answer(body[: len(body) // 2], length=len(body))

    @staticmethod
    def cut_off_unseen(handler, body):
        handler.answer(body[: len(body) // 2])

    @staticmethod
    def silence(handler, body):
        handler.server.closing.wait(10)


class Handler(BaseHTTPRequestHandler):
    def answer(self, body, length=None, **headers):
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    """``requests`` lists what it was asked, and ``closing`` ends a silence."""

    daemon_threads = True

    def __init__(self, handler):
        super().__init__(("127.0.0.1", 0), handler)
        self.requests, self.closing = [], threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def running(server):
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:  # after a test that failed, too: or the thread asks the closed socket for ever
            server.closing.set()
            server.shutdown()
            thread.join()
