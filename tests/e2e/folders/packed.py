"""A packed data folder, unpacked so that it is as the release that wrote it left it."""

import json
import signal
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import psycopg

from cuemark.app.engines import postgres
from cuemark.kit.process import kill_group, launch_argv
from tests.e2e.installation import ffmpeg, wait_until

HERE = Path(__file__).parent
MEMBER = "keeper@cuemark.example"
SECONDS = 2
FRAME_RATE = 25
LEFT_OUT = ("postgres", "logs", "appliances", "origin", "run")


def film(path: Path, number: int, seconds: int = SECONDS) -> Path:
    """A moving picture that no other film has, with sound, ``seconds`` long."""
    source = f"testsrc2=size=192x108:rate={FRAME_RATE}:duration={seconds},hue=h={90 * number}"
    tone = f"sine=frequency={440 * (1 + number)}:duration={seconds}"
    inputs = ["-f", "lavfi", "-i", source, "-f", "lavfi", "-i", tone]
    ffmpeg(
        inputs, ["-c:v", "libx264", "-crf", "30", "-pix_fmt", "yuv420p", "-c:a", "aac"], str(path)
    )
    return path


def unpack(name: str, folder: Path) -> Any:
    """Make ``folder`` the data folder ``name``; what its maker says of it.

    The cluster is a new one that has used up as many transaction ids as the old one had, so that
    the log, whose rows hold such ids, stands as it stood.
    """
    folder.mkdir(parents=True)
    with tarfile.open(HERE / f"{name}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    packed = json.loads((folder / "packed.json").read_text())
    (folder / "packed.json").unlink()
    postgres.initialise(folder / "postgres")
    with tempfile.TemporaryDirectory(prefix="cuemark-pg-") as socket_folder:
        where = Path(socket_folder)
        argv = postgres.server_argv(folder / "postgres", where)
        launched = launch_argv(argv, drop_root=True, on_parent_death=signal.SIGINT)
        with subprocess.Popen(launched, stderr=subprocess.DEVNULL) as server:
            wait_until(lambda: postgres.answers(where), 30, "PostgreSQL answers")
            postgres.create_database(where)
            psql = [str(postgres.binaries() / "psql"), "-h", socket_folder, "-U", "cuemark"]
            psql += ["-q", "-v", "ON_ERROR_STOP=1", "-f", str(folder / "database.sql"), "cuemark"]
            subprocess.run(psql, check=True, stdout=subprocess.DEVNULL)
            with psycopg.connect(
                host=socket_folder, user="cuemark", dbname="cuemark", autocommit=True
            ) as connection:
                connection.execute(
                    "do $$ begin while pg_current_xact_id()::text::bigint < "
                    f"{int(packed['xid'])} loop commit; end loop; end $$"
                )
            kill_group(server.pid, signal.SIGINT)
            server.wait(30)
    (folder / "database.sql").unlink()
    return packed
