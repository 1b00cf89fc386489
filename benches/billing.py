"""Billing under 10,000 schedules of faults, and what those schedules find of bugs put in by hand.

``python -m benches.billing FIRST COUNT`` runs schedules of the code that it finds, and prints as
JSON how many there were and the first that violated something.
"""

import sys
import time

from benches import seeded
from benches.failure import BenchFailed
from benches.figures import Figure, figure
from benches.stand import Stand
from cuemark.lab.billing import schedules

ABOUT = """
A schedule is 60 acts from a seed: members subscribe, change plans and cards, cancel, pause and come
back; operators refund; days and months pass; webhooks are lost, doubled and late; the sandbox
answers nothing though it has done what was asked, or declines; banks charge back; clocks jump; the
process dies between any two turns of its tasks. It runs the service itself and the sandbox's bank
itself, with a store in memory that passes the contract suite of PostgreSQL's, and no socket. At
every step what must hold is told from the bank and the invoices: at most one capture for an
invoice, paid stays paid, debits equal credits, what members owe is what is open, what is open to a
member is what was paid. At the end the ledger equals the bank.

A bug is a patch (`benches/bugs/billing/`), applied to a copy of the source; *schedules until found*
is how many ran until one violated something. A bug that none of 500 finds fails the bench.
"""

NAME = "benches.billing"
SCHEDULES, QUICK = 10_000, 200
MOST_FOR_A_BUG = 500


def measure(stand: Stand) -> list[Figure]:
    count = QUICK if stand.quick else SCHEDULES
    stand.tell(f"{count} schedules")
    begun_s = time.monotonic()
    each = count // seeded.PROCESSES
    ran = [seeded.begin(NAME, number * each, each) for number in range(seeded.PROCESSES)]
    told = seeded.none_violated(ran)
    took_s = time.monotonic() - begun_s
    rows = [
        figure("billing: schedules, none violated", sum(found.schedules for found in told), ""),
        figure("billing: steps looked at", sum(found.steps for found in told), ""),
        figure("billing: schedules a second", count / took_s, "/s"),
    ]
    patches = seeded.bugs("billing")
    for patch in patches:
        stand.tell(f"bugs: {patch.stem}")
        found = seeded.try_bug(NAME, patch, stand.scratch("billing"), MOST_FOR_A_BUG)
        if not found.violation:
            raise BenchFailed(f"no schedule of {found.schedules} finds {patch.stem}")
        name = f"billing: bug: {patch.stem.replace('-', ' ')}"
        rows.append(figure(name, found.schedules, "schedules until found"))
    return [*rows, figure("billing: bugs found of those put in", len(patches), f"/{len(patches)}")]


def main(first: int, count: int) -> None:
    def run(seed: int) -> tuple[int, str]:
        found = schedules.run(seed)
        return found.steps, found.violation

    seeded.until_violated(first, count, run)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
