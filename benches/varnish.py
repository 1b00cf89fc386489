"""Varnish, as Debian has it, before the same origin."""

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from benches.children import child
from benches.failure import BenchFailed
from cuemark.edge.origin import KEY_HEADER
from cuemark.edge.settings import OriginSettings

_READY_S = 30.0


@contextlib.contextmanager
def running(folder: Path, port: int, origin: OriginSettings) -> Iterator[int]:
    """Varnish with its own ways (it streams, and joins equal misses), for an hour and an hour of
    grace, in memory; its process id."""
    folder.mkdir(mode=0o700)
    script = folder / "cache.vcl"
    script.write_text(
        f"""\
vcl 4.1;
backend default {{ .host = "127.0.0.1"; .port = "{origin.port}"; }}
sub vcl_backend_fetch {{ set bereq.http.{KEY_HEADER} = "{origin.key}"; }}
sub vcl_backend_response {{
    set beresp.ttl = 1h;
    set beresp.grace = 1h;
    set beresp.do_stream = true;
}}
"""
    )
    argv = ["varnishd", "-F", "-j", "none", "-n", str(folder / "work"), "-f", str(script)]
    argv += ["-a", f"127.0.0.1:{port}", "-T", "none", "-s", "malloc,1G"]
    with child(argv, folder / "out") as process:
        deadline_s = time.monotonic() + _READY_S
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline_s:
                raise BenchFailed(f"varnish did not start: {(folder / 'out').read_text()[-400:]}")
            time.sleep(0.05)
        yield process.pid


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
