"""
Five things that sunpy.net.hek does with polygons and times, without a network.

A server on this machine answers like the HEK, with records made up for the purpose. Needs sunpy[net] alone:

    python hek_polygons.py
"""

import json
import threading
import warnings
from http.server import BaseHTTPRequestHandler, HTTPServer

import sunpy
from sunpy.net import attrs as a
from sunpy.net.hek import HEKClient

warnings.simplefilter("ignore")

SQUARE = "POLYGON((-100 -100,100 -100,100 100,-100 100,-100 -100))"
RECORD = {
    "event_type": "AR",
    "frm_name": "SPoCA",
    "event_starttime": "2018-03-30T00:00:11",
    "event_endtime": "2018-03-30T04:00:10",
    # SPoCA names the image that it drew on: it is the one of the end.
    "kb_archivid": "ivo://helio-informatics.org/AR_SPoCA_20180330_040010_20180330T040010_1",
    "event_coordunit": "arcsec",
    "event_coordsys": "UTC-HPC-TOPO",
    "event_coord1": 0,
    "event_coord2": 0,
    "event_coord3": None,
    "hpc_boundcc": SQUARE,
}
TRIANGLE = "POLYGON((0 0,50 0,0 50,0 0))"


class Handler(BaseHTTPRequestHandler):
    """Answers every question with the records of the server."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"result": self.server.records, "overmax": False}).encode())

    def log_message(self, *args):
        """Say nothing."""


def search(*polygons, query=()):
    """Ask a server that has one record of each polygon."""
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.records = [RECORD | {"hpc_boundcc": polygon} for polygon in polygons]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        client = HEKClient(url=f"http://127.0.0.1:{server.server_port}/?")
        return client.search(a.Time("2018-03-30", "2018-03-31"), a.hek.AR, *query)
    finally:
        server.shutdown()
        server.server_close()


def tell(title, call):
    """Print what a call gives or raises."""
    try:
        print(f"{title}: {call()}")
    except Exception as error:
        print(f"{title}: {type(error).__name__}: {error}")


print("sunpy", sunpy.__version__)
tell("1. obstime of a polygon drawn at 04:00:10", lambda: search(SQUARE, SQUARE)["hpc_boundcc"][0].obstime[0])
tell("2. type of the column, one record", lambda: type(search(SQUARE)["hpc_boundcc"]).__name__)
tell("   two records with as many corners", lambda: type(search(SQUARE, SQUARE)["hpc_boundcc"]).__name__)
tell("   with unequal numbers of corners", lambda: type(search(SQUARE, TRIANGLE)["hpc_boundcc"]).__name__)
tell("   with one empty", lambda: type(search(SQUARE, "")["hpc_boundcc"]).__name__)
tell("3. a hole in the polygon", lambda: len(search("POLYGON((0 0,9 0,9 9,0 0),(1 1,2 1,2 2,1 1))")))
tell("   two polygons", lambda: len(search("MULTIPOLYGON(((0 0,9 0,9 9,0 0)),((1 1,2 1,2 2,1 1)))")))
tell("   a space before the bracket", lambda: len(search("POLYGON ((0 0,9 0,9 9,0 0))")))
tell("4. one method or another", lambda: len(search(SQUARE, query=[(a.hek.FRM.Name == "A") | (a.hek.FRM.Name == "B")])))
tell("5. columns of an empty answer", lambda: search().colnames)
