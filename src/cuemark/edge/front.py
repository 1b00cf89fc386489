"""The nginx of an appliance: its generated config.

A request for media is judged by nginx alone where it can (``judging.py``), else by njs; the file
behind a link under ``views/`` is sent, and what is not there is asked of the agent.

Of a marked segment the log has the name that all sessions ask for, and not which variant one got:
who reads a log learns no session's row.
"""

from pathlib import Path

from cuemark.edge import judging, tls
from cuemark.edge.lines import SOURCE_HEADER, TROUBLE_HEADER
from cuemark.edge.nginx import CONFIG, has_tables, http_basics, main_block, make_folders
from cuemark.edge.settings import ApplianceSettings
from cuemark.kit.clock import SystemClock
from cuemark.kit.objects import write_private


def write_config(settings: ApplianceSettings) -> None:
    """Make the folder of the appliance's nginx and write the config there.

    Raises ``CertificateUnusable`` where the settings name a certificate that cannot be served, and
    none was before.
    """
    folder = Path(settings.folder)
    make_folders(folder)
    for name in ("store", "views", "indexes"):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    tls.provide(settings, SystemClock().now())
    body = config(settings, nginx_judges=has_tables(settings.nginx))
    write_private(folder / CONFIG, body.encode())


def config(settings: ApplianceSettings, *, nginx_judges: bool = True) -> str:
    """The whole config; ``nginx_judges`` says that the program has what ``judging.MAPS`` needs."""
    folder = Path(settings.folder)
    fields = {
        "version": "$logged_version",
        "path": "$logged_path",
        "cache": "$sent_http_cache_status",
        "refused": "$refused",
        "appliance": "$asking_appliance",
        "source": "$upstream_http_x_fill_source",
        "trouble": "$upstream_http_x_fill_trouble",
        "waited_s": "$upstream_header_time",
        "cmsd": "$cmsd_rtt",
        "cmcd": "$cmcd_headers",
        "cmcd_query": "$cmcd_query",
    }
    return f"""\
{main_block(folder, connections=8192)}
http {{
{http_basics(folder, fields)}
{_judging(settings, nginx_judges)}
    upstream agent {{
        server 127.0.0.1:{settings.agent_port} max_fails=0;
        keepalive 256;
    }}
{_server(settings)}
}}
"""


def _judging(settings: ApplianceSettings, nginx_judges: bool) -> str:
    return f"""\
    js_path "{Path(__file__).parent}";
    js_import verify from verify.js;
    js_shared_dict_zone zone=standing:8m;
    js_shared_dict_zone zone=verdicts:16m timeout=300s evict;
    js_var $appliance_id "{settings.appliance_id}";
    js_var $appliance_folder "{settings.folder}";
    js_var $media_version "";
    js_var $media_path "";
    js_var $media_named "";
    js_var $nginx_judges "{1 if nginx_judges else ""}";
{judging.MAPS if nginx_judges else judging.NO_MAPS}
    map "$granted" $logged_version {{
        default $media_version;
        1 $asked_version;
    }}
    map "$granted" $logged_path {{
        default $media_named;
        1 $asked_path;
    }}
    js_set $verdict verify.verdict;
    js_set $etag verify.etag;
    js_set $not_modified verify.notModified;
    map $status $refused {{
        default "";
        401 $verdict;
        403 $verdict;
    }}
    map $status $caching {{
        default "no-store";
        200 "{_FOR_EVER}";
        206 "{_FOR_EVER}";
        304 "{_FOR_EVER}";
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
    map $http_user_agent $asking_appliance {{
        default "";
        "~^cuemark/(?<asking>[a-z0-9-]{{1,64}})$" $asking;
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
    }}
    map $tcpinfo_rtt $cmsd_rtt {{
        default "";
        "~^(?<rtt_ms>[0-9]{{1,6}})[0-9]{{3}}$" ";rtt=$rtt_ms";
        "~^[0-9]{{1,3}}$" ";rtt=0";
    }}
    map "{_CMCD_HEADERS}" $cmcd_headers {{
        default "";
        "\t\t\t" "";
        "~^(?<headers>{_CMCD})$" $headers;
    }}
    map $arg_cmcd $cmcd_query {{
        default "";
        "" "";
        "~^(?<query>{_CMCD})$" $query;
    }}"""


def _server(settings: ApplianceSettings) -> str:
    host = f"[{settings.bind}]" if ":" in settings.bind else settings.bind
    hit = f"""
            add_header ETag $etag;
            add_header Last-Modified "";
            add_header Cache-Status "cuemark-{settings.appliance_id}; hit";
            {_cmsd(settings)}"""
    return f"""\
    server {{
        listen {host}:{settings.port}{" ssl" if settings.certificate else ""} backlog=4096;
{_HOT}
{tls.directives(settings)}        location / {{{_HEADERS}
            return 404;
        }}
        location = /health {{
            access_log off;
            return 200 "ok\\n";
        }}
        location = /standing {{
            internal;
            js_periodic verify.refresh interval=250ms;
        }}
        location ~ ^/t/ {{
            if ($granted = "") {{ return 418; }}
            recursive_error_pages on;
            error_page 301 403 418 = @judge;
            error_page 404 = @fetch;
            alias "{settings.folder}/views/$asked_version/$asked_path";
            add_header Access-Control-Allow-Origin *;
            add_header Access-Control-Expose-Headers "{_EXPOSED}";
            add_header Timing-Allow-Origin *;
            add_header X-Content-Type-Options nosniff;
            add_header Cache-Control "{_FOR_EVER}";
            add_header ETag '"$asked_version"';
            add_header Last-Modified "";
            add_header Cache-Status "cuemark-{settings.appliance_id}; hit";
            {_cmsd(settings)}
        }}
        location @judge {{{_HEADERS}
            types {{ }}
            add_header Allow $allow always;
            add_header Access-Control-Allow-Methods $allow always;
            add_header Access-Control-Allow-Headers "{_ALLOWED}" always;
            add_header Access-Control-Max-Age 86400 always;
            if ($request_method = OPTIONS) {{ return 204; }}
            if ($request_method !~ "^(GET|HEAD)$") {{ return 405; }}
            if ($verdict = keys) {{ return 503 "this appliance has no token keys yet\\n"; }}
            if ($verdict = token) {{ return 401 "no token of this appliance that is in time\\n"; }}
            if ($verdict = revoked) {{ return 401 "the play of this token has ended\\n"; }}
            if ($verdict = network) {{ return 403 "the token is for another network\\n"; }}
            if ($verdict = scope) {{ return 403 "the token does not cover this path\\n"; }}
            if ($verdict != ok) {{ return 404 "no such file in this version\\n"; }}
            rewrite ^ /views/$media_version/$media_path? last;
        }}
        location /views/ {{{_HEADERS}{hit}
            internal;
            root "{settings.folder}";
            if ($held_already) {{ return 304; }}
            try_files $uri @miss;
        }}
        location @fetch {{{_asking(settings, "$asked_version/$asked_path")}
        }}
        location @miss {{{_asking(settings, "$media_version/$media_path")}
        }}
        location @away {{{_HEADERS}
            types {{ }}
            return 503 "this file cannot be fetched now\\n";
        }}
    }}"""


def _asking(settings: ApplianceSettings, file: str) -> str:
    """What asks the agent for a file that a request may have and that is not there."""
    return f"""{_HEADERS}
            {_cmsd(settings)}
            proxy_pass http://agent/{file};
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
            proxy_hide_header {SOURCE_HEADER};
            proxy_hide_header {TROUBLE_HEADER};
            proxy_buffering off;
            proxy_buffer_size 64k;
            proxy_buffers 2 64k;
            proxy_busy_buffers_size 64k;
            proxy_connect_timeout 2s;
            proxy_read_timeout 30s;
            error_page 502 504 =503 @away;"""


# A request of ours needs more than the 4 KB that nginx gives it at once: with the C library of the
# wheel's nginx (musl), the next 4 KB were a map and an unmap of memory for each request.
#
# Files that are asked for often stay open. What is behind a path of a version never has other
# bytes, so one that was dropped may be read on; of one that the disk has changed, scrub leaves no
# byte. A file keeps its room on the disk while it is open: so they are few, and let go soon.
_HOT = """\
        request_pool_size 8k;
        open_file_cache max=1024 inactive=5s;
        open_file_cache_valid 1s;
        open_file_cache_min_uses 2;"""


def _cmsd(settings: ApplianceSettings) -> str:
    """What is true of every answer with media (CTA-5006): it is no live stream, and the round trip
    to this client as the kernel measured it."""
    return f"""\
add_header CMSD-Static st=v;
            add_header CMSD-Dynamic '"cuemark-{settings.appliance_id}"$cmsd_rtt';"""


_CMCD_HEADERS = "$http_cmcd_object\t$http_cmcd_request\t$http_cmcd_session\t$http_cmcd_status"
_WORD = "[A-Za-z0-9_-]{0,64}"
_CMCD = rf"(?=.{{1,1024}}$)(?:{_WORD}+[ -,./:-@\[-^`{{-~\t])*+{_WORD}"
"""What is logged of CMCD: printable, bounded, and with no word in it as long as a token."""
_FOR_EVER = "public, max-age=31536000, immutable"
_ALLOWED = (
    "Range, If-None-Match, If-Range, traceparent, "
    "CMCD-Object, CMCD-Request, CMCD-Session, CMCD-Status"
)
_EXPOSED = (
    "Cache-Status, CMSD-Dynamic, CMSD-Static, Content-Length, Content-Range, Date, ETag, "
    "Retry-After"
)
_HEADERS = f"""
            add_header Access-Control-Allow-Origin * always;
            add_header Access-Control-Expose-Headers "{_EXPOSED}" always;
            add_header Timing-Allow-Origin * always;
            add_header X-Content-Type-Options nosniff always;
            add_header Cache-Control $caching always;
            add_header Retry-After $retry_after always;
            add_header WWW-Authenticate $authenticate always;"""
