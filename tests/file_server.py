"""A server on this machine that lists and serves files, and fails as servers do."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Faults:
    """What can go wrong with an answer; each takes the request handler and the right answer."""

    @staticmethod
    def broken(handler, body):
        handler.send_error(500)

    @staticmethod
    def web_page(handler, body):
        handler.answer(b"<html><body>Down for maintenance</body></html>")

    @staticmethod
    def cut_off(handler, body):
        handler.answer(body[: len(body) // 2], length=len(body))

    @staticmethod
    def cut_off_unseen(handler, body):
        handler.answer(body[: len(body) // 2])

    @staticmethod
    def silence(handler, body):
        handler.server.closing.wait(10)


class _Handler(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.send_error(405)

    def do_GET(self):
        path = self.path.split("?")[0]
        self.server.requests.append(self.path)
        body = self.server.files.get(path)
        if path.endswith("/") and body is None:
            body = self.server.listing(path)
        faults = self.server.faults.get(path, [])
        if faults:
            faults.pop(0)(self, body)
        elif body is None:
            self.send_error(404)
        else:
            self.answer(body)

    def answer(self, body, length=None):
        self.send_response(200)
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def listing(self, folder):
        names = [path[len(folder) :] for path in self.files if path.startswith(folder) and path != folder]
        if not names:
            return None
        return "".join(f'<a href="{name}">{name}</a>' for name in names).encode()


@contextmanager
def file_server():
    """
    A server with ``files`` (path to content), ``faults`` (path to those of the next answers) and ``requests``.
    """
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.files, server.faults, server.requests = {}, {}, []
        server.closing = threading.Event()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:  # after a test that failed, too: or the thread asks the closed socket for ever
            server.closing.set()
            server.shutdown()
            thread.join()
