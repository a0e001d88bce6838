#!/usr/bin/env python3
"""HTTP/1.1 with a thread for each connection: `GET /` answers "OK", `/?ms=250` does so after 250 ms; `GET /bytes?n=1000`
answers that many bytes, and `POST /count` the size of its body. Listens at HELLO_ADDRESS or :8080. `--tls FILE`: HTTPS,
with the key and the certificate in the file."""
import os
import pathlib
import socket
import ssl
import sys
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
import holdfast  # noqa: E402

MAX_BODY_BYTES = 64 << 20
BLOCK = b"x" * 65536

worker = holdfast.Worker()
listener = worker.listen("http", os.environ.get("HELLO_ADDRESS", ":8080"))
worker_id = f"{os.environ.get('HOLDFAST_WORKER', '0.0')}.{os.getpid()}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet
    disable_nagle_algorithm = listener.family != socket.AF_UNIX

    def handle(self):
        self.close_connection = False
        while not self.close_connection and self.connection.wait_for_request(self.rfile):
            self.handle_one_request()

    def do_GET(self):
        with worker.request(f"{self.command} {self.path}"):
            length = int(self.headers.get("Content-Length", 0))
            if length > MAX_BODY_BYTES:
                return self.send_error(413)  # which closes the connection
            self.read_body(length)
            target = urllib.parse.urlsplit(self.path)
            query = {name: int(values[0]) for name, values in urllib.parse.parse_qs(target.query).items()}
            time.sleep(query.get("ms", 0) / 1000)
            if target.path == "/bytes":
                self.send_head(query["n"])
                for start in range(0, query["n"], len(BLOCK)):
                    self.wfile.write(BLOCK[:query["n"] - start])
            else:
                body = str(length).encode() if target.path == "/count" else b"OK\n"
                self.send_head(len(body))
                self.wfile.write(body)
            self.wfile.flush()

    do_POST = do_GET

    def read_body(self, size):
        while size > 0:
            part = self.rfile.read(min(size, len(BLOCK)))
            if not part:
                raise ConnectionError("the client has gone away")
            size -= len(part)

    def send_head(self, size):
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.send_header("X-Worker", worker_id)
        if worker.says_close:
            self.send_header("Connection", "close")  # makes the base class close the connection
        self.end_headers()

    def log_message(self, *_):
        """Suppresses the access log on stderr, which the supervisor would log."""


def tls_context():
    if "--tls" not in sys.argv:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(sys.argv[sys.argv.index("--tls") + 1])
    return context


worker.serve_threads(listener, lambda connection: Handler(connection, None, None), ssl=tls_context())
worker.ready()
sys.exit(worker.wait())
