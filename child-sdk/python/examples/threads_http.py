#!/usr/bin/env python3
"""HTTP/1.1 with a thread for each connection: `GET /` and `POST /` answer "OK", `/?ms=250` does so after 250 ms."""
import os
import pathlib
import sys
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
import holdfast  # noqa: E402

worker = holdfast.Worker()
worker_id = f"{os.environ.get('HOLDFAST_WORKER', '0.0')}.{os.getpid()}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet
    disable_nagle_algorithm = True

    def handle(self):
        self.close_connection = False
        while not self.close_connection and self.connection.wait_for_request(self.rfile):
            self.handle_one_request()

    def do_GET(self):
        with worker.request(f"{self.command} {self.path}"):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
            time.sleep(int(query.get("ms", ["0"])[0]) / 1000)
            self.send_response(200)
            self.send_header("Content-Length", "3")
            self.send_header("X-Worker", worker_id)
            if worker.says_close:
                self.send_header("Connection", "close")  # makes the base class close the connection
            self.end_headers()
            self.wfile.write(b"OK\n")
            self.wfile.flush()

    do_POST = do_GET

    def log_message(self, *_):
        """Suppresses the access log on stderr, which the supervisor would log."""


worker.serve_threads(worker.listen("http", ":8080"), lambda connection: Handler(connection, None, None))
worker.ready()
sys.exit(worker.wait())
