"""Memory and idle CPU of each process."""

import threading
import time

from benches.failure import BenchFailed
from benches.figures import Figure, figure
from benches.processes import cpu_of_each, pss_of_each
from benches.riders import riders, spread_out
from benches.stand import Stand

ABOUT = """
The proportional set size (PSS: shared pages count by share) of each process of the install with
all that it started, so a worker counts with its tools and PostgreSQL with its connections. *At
rest* and *idle CPU* are of an install with a published film that nobody plays; *in use* is the
greatest of the samples (one a second) while another film is encoded and ten members play.
"""

SETTLE_S, IDLE_S = 10.0, 30.0
QUICK_IDLE_S = 5.0
PLAYS, SECONDS, QUICK_SECONDS = 10, 30.0, 6.0
EVERY_S = 1.0


def measure(stand: Stand) -> list[Figure]:
    stand.made(stand.trailer())
    install = stand.install()
    stand.tell("at rest")
    time.sleep(SETTLE_S)
    idle_s = QUICK_IDLE_S if stand.quick else IDLE_S
    before = cpu_of_each(install.pids)
    time.sleep(idle_s)
    after = cpu_of_each(install.pids)
    rest = pss_of_each(install.pids)
    used = in_use(stand)
    rows = []
    for name, size in sorted(rest.items()):
        rows.append(figure(f"memory: {name}, at rest", size / 1e6, "MB"))
        rows.append(figure(f"memory: {name}, in use", used[name] / 1e6, "MB"))
    rows.append(figure("memory: all, at rest", sum(rest.values()) / 1e6, "MB"))
    rows.append(figure("memory: all, in use", used["all"] / 1e6, "MB"))
    for name in sorted(rest):
        percent = 100 * (after[name] - before[name]) / idle_s
        rows.append(figure(f"memory: {name}, idle CPU", percent, "% of a core"))
    idle = 100 * (sum(after.values()) - sum(before.values())) / idle_s
    rows.append(figure("memory: all, idle CPU", idle, "% of a core"))
    return rows


def in_use(stand: Stand) -> dict[str, int]:
    """The greatest PSS by process, and of ``all`` together, during an encode and ten plays."""
    install = stand.install()
    made = stand.made(stand.trailer())
    clip = stand.clip(made.film, 0)
    greatest: dict[str, int] = {}
    ended = threading.Event()

    def sample() -> None:
        while not ended.wait(EVERY_S):
            now = pss_of_each(install.pids)
            for name, size in {**now, "all": sum(now.values())}.items():
                greatest[name] = max(greatest.get(name, 0), size)

    watch = threading.Thread(target=sample, daemon=True)
    watch.start()
    try:
        stand.tell("encoding, and ten plays")
        job = install.begin(clip, "beside the plays")
        with riders(1, stand.scratch("memory")) as players:
            rides = spread_out(
                install.members(PLAYS),
                film_s=made.version.duration_s,
                seconds=QUICK_SECONDS if stand.quick else SECONDS,
                within_s=2.0,
                seed=1,
            )
            done = players.ask(install.api_url, made.job.title_id, rides)
        if failed := [each.error for each in done.outcomes if each.error]:
            raise BenchFailed(f"a play failed beside an encode: {failed[0]}")
        install.finish(job, lambda doing: stand.tell(f"encoding: {doing}"))
    finally:
        ended.set()
        watch.join()
    return greatest
