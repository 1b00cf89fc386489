"""The origin: an nginx on loopback that serves published versions to appliances with its key.

``GET /<version_id>/<path>`` is ``<objects>/versions/<version_id>/<path>``. The request line is
matched as it came, undecoded, so that no spelling of a path leads out of the version.
"""

from pathlib import Path

from cuemark.edge.nginx import (
    CONFIG,
    PATH_FORM,
    VERSION_FORM,
    http_basics,
    main_block,
    make_folders,
)
from cuemark.edge.settings import OriginSettings
from cuemark.kit.objects import write_private

KEY_HEADER = "X-Origin-Key"
_LEAST_CHUNK_BYTES = 4096


def write_config(settings: OriginSettings) -> None:
    """Make the origin's folder and write the config there."""
    folder = Path(settings.folder)
    make_folders(folder)
    write_private(folder / CONFIG, config(settings).encode())


def config(settings: OriginSettings) -> str:
    """The whole config of the origin's nginx.

    nginx paces itself after each piece that it has handed to the kernel, so a bound on the rate
    needs small pieces to be one from the start, and a kernel that does not hold them back.
    """
    folder = Path(settings.folder)
    fields = {
        "version": "$origin_version",
        "path": "$origin_path",
        "range": "$http_range",
        "appliance": "$http_user_agent",
    }
    rate_bytes_s = settings.limit_rate_kbps * 1000 // 8
    chunk_bytes = max(_LEAST_CHUNK_BYTES, rate_bytes_s // 32) if rate_bytes_s else 2 << 20
    nopush = "off" if rate_bytes_s else "on"
    root = f"{settings.objects}/versions"
    return f"""\
{main_block(folder, connections=1024)}
http {{
{http_basics(folder, fields)}
    map $http_x_origin_key $appliance_known {{
        default 0;
        {settings.key} 1;
    }}
    map $request_uri $origin_version {{
        default "";
        "~^/(?<v>{VERSION_FORM})/{PATH_FORM}$" $v;
    }}
    map $request_uri $origin_path {{
        default "";
        "~^/{VERSION_FORM}/(?<p>{PATH_FORM})$" $p;
    }}
    server {{
        listen 127.0.0.1:{settings.port} backlog=1024;
        limit_rate {rate_bytes_s};
        sendfile_max_chunk {chunk_bytes};
        tcp_nopush {nopush};
        root "{root}";
        disable_symlinks on from="{root}";
        location / {{
            if ($appliance_known = 0) {{ return 403; }}
            if ($request_method !~ "^(GET|HEAD)$") {{ return 405; }}
            if ($origin_path = "") {{ return 404; }}
            try_files $uri =404;
        }}
    }}
}}
"""
