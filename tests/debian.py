"""Install Debian packages for tests and benches: ``python tests/debian.py PACKAGE...``.

As root it installs what is missing; as anyone else it says in one sentence what to install.
The tests that need it then fail with their own sentence.
"""

import os
import shutil
import subprocess
import sys

PROGRAMS = {
    "bird2": ("bird",),
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "e2fsprogs": ("mkfs.ext4",),
    "gcc": ("cc", "gcc"),
    "iproute2": ("ip",),
    "nghttp2-client": ("h2load",),
    "softhsm2": ("softhsm2-util",),
    "varnish": ("varnishd",),
}
WITH = {"gcc": ["libc6-dev"]}
"""What a package is of no use without here, though it only recommends it."""


def missing(packages: list[str]) -> list[str]:
    """Those of ``packages`` none of whose programs is on the path."""
    return [
        package
        for package in packages
        if not any(shutil.which(program) for program in PROGRAMS.get(package, (package,)))
    ]


def main() -> None:
    wanted = missing(sys.argv[1:])
    if not wanted:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print(
            f"Install {', '.join(wanted)} for the tests and benches that need it.", file=sys.stderr
        )
        return
    print(f"Installing {', '.join(wanted)}", file=sys.stderr)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], env=quiet, check=False)
    argv = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"]
    argv += [each for package in wanted for each in (package, *WITH.get(package, ()))]
    done = subprocess.run(argv, env=quiet, check=False, stdout=subprocess.DEVNULL)
    if done.returncode:
        print(f"{', '.join(wanted)} could not be installed: see above.", file=sys.stderr)


if __name__ == "__main__":
    main()
