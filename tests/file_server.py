"""A server on this machine that lists and serves files."""

import loopback


class Faults(loopback.Faults):
    @staticmethod
    def broken(handler, body):
        handler.send_error(500)

    @staticmethod
    def web_page(handler, body):
        handler.answer(b"<html><body>Down for maintenance</body></html>")


class _Handler(loopback.Handler):
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


class _Server(loopback.Server):
    def __init__(self):
        super().__init__(_Handler)
        self.files, self.faults = {}, {}

    def listing(self, folder):
        names = [path[len(folder) :] for path in self.files if path.startswith(folder) and path != folder]
        if not names:
            return None
        return "".join(f'<a href="{name}">{name}</a>' for name in names).encode()


def file_server():
    """
    A server with ``files`` (path to content), ``faults`` (path to those of the next answers) and ``requests``.
    """
    return loopback.running(_Server())
