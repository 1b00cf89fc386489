"""A meter counts the CPU of its thread and of the children that were waited for, and no other."""

import subprocess
import sys
import threading
import time

from cuemark.kit.cost import Cost, Meter

SPUN_S = 0.1
SPIN = f"import time\nwhile time.process_time() < {SPUN_S}: pass"


def spin() -> None:
    until_s = time.thread_time() + SPUN_S
    while time.thread_time() < until_s:
        pass


def test_this_threads_work_counts_and_sleep_costs_wall_time_only() -> None:
    meter = Meter()
    time.sleep(SPUN_S)
    before = meter.cost
    spin()
    cost = meter.cost
    assert before.wall_s >= SPUN_S
    assert cost.cpu_s - before.cpu_s >= SPUN_S
    assert cost.wall_s >= 2 * SPUN_S


def test_a_child_counts_where_children_are_metered() -> None:
    with_children, alone = Meter(), Meter(children=False)
    subprocess.run([sys.executable, "-c", SPIN], check=True)
    assert with_children.cost.cpu_s - alone.cost.cpu_s >= SPUN_S


def test_another_thread_does_not_count() -> None:
    meter = Meter()
    other = threading.Thread(target=spin)
    other.start()
    other.join()
    assert meter.cost.cpu_s < SPUN_S


def test_a_cost_is_told_in_milliseconds() -> None:
    assert Cost(1.23456, 0.0004).fields() == {"wall_s": 1.235, "cpu_s": 0.0}
