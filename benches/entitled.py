"""Plays under thousands of schedules of faults: none without a right, none above the plan.

``python -m benches.entitled FIRST COUNT URL`` runs schedules of the code that it finds in the empty
database at URL, and prints as JSON how many there were and the first that violated something.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count as counting
from pathlib import Path

import psycopg

from benches import seeded
from benches.database import served
from benches.failure import BenchFailed
from benches.figures import Figure, figure
from benches.stand import Stand
from cuemark.lab.plays import schedules
from cuemark.lab.plays.turns import plain
from tests.unit.rights import oracle

ABOUT = f"""
A schedule is {schedules.ACTS} acts from a seed: devices of two accounts begin plays, also instead
of others, report, ask for manifests, licences and media, end, crash and are logged out, and what
they tell is lost, doubled and late; windows of rights are set, taken back, begin and end; plans
grow, shrink and run out; hours pass; the clocks of the two processes jump apart; neighbours are
away, late, or do what is asked and do not answer; a commit's answer is lost; a process dies between
any two statements. It runs playback, rights, licensing, steering and billing's entitlement
themselves on PostgreSQL, in two processes' worth of services, whose statements take turns as the
seed says.

After each commit what must hold is told from the rows of sessions, the windows as they were set and
what was bought. *The plan*: of an account's plays that go on each began as one of no more than its
plan allowed, a device plays one thing, and nobody is refused whose plays let their leases run out.
*The right*: no play begins, and none gets a manifest or a licence, without a right by the tests'
oracle of rights, which decides slowly, or for longer than its end and the grace. At the end what
has no right or whose login has ended has ended, what has ended gets nothing, and a new device has
its place within a lease.

A bug is a patch (`benches/bugs/plays/`), applied to a copy of the source; *schedules until found*
is how many ran until one violated something. A bug that none of 300 finds fails the bench.
"""

NAME = "benches.entitled"
SCHEDULES, QUICK = 10_000, 20
SERVERS = 4
"""Twice as many as cores: a schedule waits for half its time."""
MOST_FOR_A_BUG = 300

_numbers = counting()


def measure(stand: Stand) -> list[Figure]:
    count = QUICK if stand.quick else SCHEDULES
    # A server each: the log is read up to the oldest transaction of its server, whose other
    # databases would make readers late by the clocks of a schedule.
    with ExitStack() as stack:
        folders = [stand.folder / f"entitled-{number}" for number in range(SERVERS)]
        urls = [stack.enter_context(served(each, durable=False)) for each in folders]
        stand.tell(f"{count} schedules")
        begun_s = time.monotonic()
        each = count // SERVERS
        with ExitStack() as databases:
            ran = [
                seeded.begin(NAME, number * each, each, databases.enter_context(fresh(url)))
                for number, url in enumerate(urls)
            ]
            told = seeded.none_violated(ran)
        took_s = time.monotonic() - begun_s
        rows = [
            figure("entitled: schedules, none violated", sum(each.schedules for each in told), ""),
            figure("entitled: commits looked at", sum(each.steps for each in told), ""),
            figure("entitled: schedules a second", count / took_s, "/s"),
        ]
        patches = seeded.bugs("plays")
        for patch in patches:
            stand.tell(f"bugs: {patch.stem}")
            found = try_bug(patch, stand.scratch("entitled"), urls[0])
            if not found.violation:
                raise BenchFailed(f"no schedule of {found.schedules} finds {patch.stem}")
            name = f"entitled: bug: {patch.stem.replace('-', ' ')}"
            rows.append(figure(name, found.schedules, "schedules until found"))
    return [*rows, figure("entitled: bugs found of those put in", len(patches), f"/{len(patches)}")]


def try_bug(patch: Path, folder: Path, url: str, most: int = MOST_FOR_A_BUG) -> seeded.Told:
    """On a database of its own beside that at ``url``."""
    with fresh(url) as database:
        return seeded.try_bug(NAME, patch, folder, most, database)


@contextmanager
def fresh(url: str) -> Iterator[str]:
    """The address of an empty database beside the one at ``url``, as long as the block."""
    name = f"entitled_{next(_numbers)}"
    before, _, query = url.partition("?")
    with psycopg.connect(plain(url), autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
        yield f"{before.rpartition('/')[0]}/{name}?{query}"
        connection.execute(f"drop database {name} with (force)".encode())


def main(first: int, count: int, url: str) -> None:
    with schedules.runner(url, oracle) as run:

        def judged(seed: int) -> tuple[int, str]:
            found = run(seed)
            return found.steps, found.violation

        seeded.until_violated(first, count, judged)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
