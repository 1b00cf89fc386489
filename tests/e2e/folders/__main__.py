"""Make the data folder of a release: ``python -m tests.e2e.folders REVISION NAME``.

It checks the revision out, runs its code on a folder of its own with the engines of this
environment, ingests two tiny films, pulls the plug on everything while the second is being
encoded, and packs what is left: the database as a dump with the transaction id that its cluster
had reached, the objects, the secrets of this throw-away install. Logs and caches are left out.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import psycopg

from cuemark.app.engines import postgres
from cuemark.kit.process import group_alive, kill_group, launch_argv
from tests.e2e.folders.packed import FRAME_RATE, LEFT_OUT, MEMBER, film
from tests.e2e.installation import CommandFailed, Installation, wait_until

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent


def main() -> None:
    revision, name = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="cuemark-folder-") as scratch:
        checkout = Path(scratch) / "checkout"
        git("worktree", "add", "--detach", str(checkout), revision)
        try:
            folder = Path(scratch) / "data"
            expected = lived_in(Installation(folder, {"PYTHONPATH": str(checkout / "src")}))
            pack(folder, expected, HERE / f"{name}.tar.xz")
        finally:
            git("worktree", "remove", "--force", str(checkout))


def git(*arguments: str) -> None:
    subprocess.run(["git", "-C", str(ROOT), *arguments], check=True)


def lived_in(installation: Installation) -> dict[str, Any]:
    """Use an install for a while and pull the plug on it; what a test may expect of it."""
    installation.up()
    films = [film(installation.folder.parent / f"{n}.mp4", n) for n in range(2)]
    installation.ingest(films[0], "Whole")
    wait_until(lambda: watched(installation), 30, "the first film plays")
    installation.ingest(films[1], "Interrupted", wait=False)
    wait_until(lambda: probing(installation), 120, "the second film is being probed")
    pids = installation.status()["pids"]
    for pid in [pids.pop("supervisor"), *pids.values()]:
        kill_group(pid) if pid in pids.values() else os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not any(map(group_alive, pids.values())), 20, "everything is dead")
    return {"titles": ["Whole", "Interrupted"], "played_s": 1.0}


def watched(installation: Installation) -> bool:
    """Whether the member could watch the first second: an appliance needs a moment to have it."""
    with contextlib.suppress(CommandFailed):
        flags = [f"--as={MEMBER}", "--from=0", "--seconds=1"]
        return bool(installation.json("play", "Whole", *flags)["frames"] == FRAME_RATE)
    return False


def probing(installation: Installation) -> bool:
    """Whether some probes of the job in hand are done, and not all."""
    (job,) = (job for job in installation.status()["jobs"] if job["state"] != "done")
    return any(
        stage["stage"] == "probes" and 0 < stage["done"] < stage["total"] for stage in job["stages"]
    )


def pack(folder: Path, expected: dict[str, Any], target: Path) -> None:
    """Dump the database of a folder whose processes are dead, and pack it with the rest."""
    with tempfile.TemporaryDirectory(prefix="cuemark-pg-") as socket_folder:
        argv = postgres.server_argv(folder / "postgres", Path(socket_folder))
        launched = launch_argv(argv, drop_root=True, on_parent_death=signal.SIGINT)
        (folder / "postgres" / "postmaster.pid").unlink(missing_ok=True)
        with subprocess.Popen(launched, stderr=subprocess.DEVNULL) as server:
            wait_until(lambda: postgres.answers(Path(socket_folder)), 30, "PostgreSQL answers")
            with psycopg.connect(host=socket_folder, user="cuemark", dbname="cuemark") as asked:
                (xid,) = asked.execute("select pg_current_xact_id()::text::bigint").fetchone() or ()
            dump = [str(postgres.binaries() / "pg_dump"), "-h", socket_folder, "-U", "cuemark"]
            with (folder / "database.sql").open("w") as file:
                subprocess.run([*dump, "--no-owner", "cuemark"], stdout=file, check=True)
            kill_group(server.pid, signal.SIGINT)
    (folder / "packed.json").write_text(json.dumps({**expected, "xid": xid}))
    for name in LEFT_OUT:
        shutil.rmtree(folder / name, ignore_errors=True)
    shutil.rmtree(folder / "objects" / "tmp", ignore_errors=True)
    with tarfile.open(target, "w:xz", preset=9) as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, path.name)
    print(f"{target}: {target.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
