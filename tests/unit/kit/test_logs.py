"""The log of many processes: whole lines, and none that can fail its writer."""

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import resource, signal, sys
from pathlib import Path
import structlog
from cuemark.kit.logs import configure_logs
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
configure_logs("test", Path(sys.argv[1]))
for number in range(100):
    structlog.get_logger().info("told", number=number)
print("went on")
"""


def test_a_line_for_which_there_is_no_room_is_lost_and_nothing_else(tmp_path: Path) -> None:
    log = tmp_path / "cuemark.jsonl"
    argv = [sys.executable, "-c", PROGRAM, str(log)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout == "went on\n"
    lines = log.read_text().splitlines()
    assert json.loads(lines[0])["number"] == 0
    assert len(lines) < 100
