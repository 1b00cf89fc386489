"""Plain nginx, the same program that Cuemark runs, as one would set it up by hand."""

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from benches.children import child
from benches.failure import BenchFailed
from cuemark.edge import nginx
from cuemark.edge.origin import KEY_HEADER
from cuemark.edge.settings import OriginSettings

_READY_S = 10.0


def cache_config(folder: Path, port: int, origin: OriginSettings) -> str:
    """A cache in front of the origin; equal misses wait for the first, to its end."""
    return _config(
        folder,
        f"""\
    proxy_cache_path "{folder}/cache" keys_zone=media:10m max_size=1g inactive=1h;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://127.0.0.1:{origin.port};
            proxy_set_header {KEY_HEADER} {origin.key};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_cache media;
            proxy_cache_valid 200 1h;
            proxy_cache_lock on;
            proxy_cache_lock_timeout 60s;
            proxy_cache_lock_age 60s;
        }}
    }}""",
    )


def static_config(folder: Path, port: int, files: Path, pem: Path | None = None) -> str:
    """Files from a folder, no token asked, no log written; with a key and chain by TLS."""
    tls = f'http2 on; ssl_certificate "{pem}"; ssl_certificate_key "{pem}";' if pem else ""
    return _config(
        folder,
        f"""\
    server {{
        listen 127.0.0.1:{port}{" ssl" if pem else ""} backlog=4096;
        {tls}
        root "{files}";
    }}""",
    )


def _config(folder: Path, servers: str) -> str:
    return f"""\
{nginx.main_block(folder, connections=8192)}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_timeout 65s;
    keepalive_requests 100000;
    proxy_temp_path "{folder}/run/proxy";
    client_body_temp_path "{folder}/run/client_body";
    fastcgi_temp_path "{folder}/run/fastcgi";
    uwsgi_temp_path "{folder}/run/uwsgi";
    scgi_temp_path "{folder}/run/scgi";
{servers}
}}
"""


@contextlib.contextmanager
def running(folder: Path, port: int, config: str) -> Iterator[int]:
    """nginx with a config, as long as the block; its process id."""
    nginx.make_folders(folder)
    (folder / nginx.CONFIG).write_text(config)
    with child(nginx.argv(folder), folder / "out", drop_root=True) as process:
        deadline_s = time.monotonic() + _READY_S
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline_s:
                said = (folder / "out").read_text() + (folder / "logs/error.log").read_text()
                raise BenchFailed(f"plain nginx did not start: {said[-400:]}")
            time.sleep(0.05)
        yield process.pid


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
