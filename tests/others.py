"""A server of others on this machine: what a licence server or a key server may do to who asks."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Asked:
    """A request as it came; the names of ``headers`` are in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answering:
    """What the server answers next: to each request, where ``answer`` is given, its result.

    ``endless`` goes on sending until the other side hangs up.
    """

    status: int = 200
    body: bytes = b""
    media_type: str = "application/octet-stream"
    delay_s: float = 0.0
    endless: bool = False
    location: str = ""
    answer: Callable[[Asked], bytes] | None = None
    asked: list[Asked] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving() -> Iterator[Answering]:
    """A server that answers as the ``Answering`` says at the time, until it is left."""
    says = Answering()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", "0"))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.path, headers, self.rfile.read(length))
            says.asked.append(asked)
            time.sleep(says.delay_s)
            body = says.answer(asked) if says.answer else says.body
            try:
                self._send(body)
            except OSError:
                self.close_connection = True

        def _send(self, body: bytes) -> None:
            self.send_response(says.status)
            self.send_header("content-type", says.media_type)
            if says.location:
                self.send_header("location", says.location)
            if says.endless:
                self.send_header("connection", "close")
                self.end_headers()
                while True:
                    self.wfile.write(b"x" * 65536)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    says.url = f"http://127.0.0.1:{server.server_port}/answer"
    try:
        yield says
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def listening() -> Iterator[tuple[int, list[bytes]]]:
    """A port of this machine, and what was sent to it."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        ended = threading.Event()

        def accept() -> None:
            while not ended.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                with connection:
                    connection.settimeout(1)
                    heard.append(b"connected " + connection.recv(200))

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield server.getsockname()[1], heard
        finally:
            ended.set()
            thread.join()
