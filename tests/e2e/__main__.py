"""``python -m tests.e2e [FLAG...]``: all tests of whole installations, the kills beside the rest.

The rest shares an installation and watches the clock. The kills do neither, and run their
installations at the lowest priority.
"""

import os
import signal
import subprocess
import sys
import tempfile

FOLDER, KILLS = "tests/e2e", "tests/e2e/kills"


def main(flags: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    command = [sys.executable, "-m", "pytest", "--durations=15", *flags]
    with tempfile.TemporaryFile() as output:
        # From elsewhere, as two installations that start at once can find the same port free.
        environment = os.environ | {"CUEMARK_PORT": "18080"}
        kills = subprocess.Popen([*command, KILLS], stdout=output, stderr=output, env=environment)
        try:
            rest = subprocess.run([*command, f"--ignore={KILLS}", FOLDER], check=False).returncode
            killed = kills.wait()
        finally:
            if kills.poll() is None:
                # As Ctrl-C would, so that it takes its installations with it.
                kills.send_signal(signal.SIGINT)
                kills.wait()
        output.seek(0)
        sys.stdout.buffer.write(output.read())
    return rest or killed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
