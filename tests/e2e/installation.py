"""A whole installation for the tests: started, filled and stopped as a user would."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import imageio_ffmpeg

COMMAND_S = 120.0


class CommandFailed(AssertionError):
    """A command of the CLI ended with another exit code than was expected."""


def wait_until(true: Callable[[], bool], limit_s: float, what: str) -> None:
    deadline_s = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < deadline_s, f"{what}: not so within {limit_s} s"
        time.sleep(0.05)


class Installation:
    """Cuemark on a folder of its own, reached through the command line only."""

    def __init__(self, folder: Path, environment: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.masters: dict[str, Path] = {}
        self.ingested: dict[str, Any] = {}
        self._environment = {**os.environ, **(environment or {})}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "cuemark.app.cli", *arguments, "--data", str(self.folder)]

    def cli(
        self, *arguments: str, expect: int | None = 0, limit_s: float = COMMAND_S
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; raises ``CommandFailed`` with all that it said.

        ``expect`` is the exit code; None takes any.
        """
        done = subprocess.run(
            self.command(*arguments),
            capture_output=True,
            text=True,
            timeout=limit_s,
            env=self._environment,
            check=False,
        )
        if expect is not None and done.returncode != expect:
            raise CommandFailed(
                f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
            )
        return done

    def json(self, *arguments: str, limit_s: float = COMMAND_S) -> Any:
        """The object on the last line of a command's stdout."""
        return self.last_line(self.cli(*arguments, "--json", limit_s=limit_s))

    @staticmethod
    def last_line(done: subprocess.CompletedProcess[str]) -> Any:
        """The object on the last line of what a command wrote to stdout."""
        return json.loads(done.stdout.strip().splitlines()[-1])

    def up(self) -> Any:
        return self.json("up", "--detach")

    def down(self) -> None:
        self.cli("down")

    def status(self) -> Any:
        return self.json("status")

    @property
    def member_url(self) -> str:
        return str(self.status()["member_url"])

    @property
    def api_url(self) -> str:
        return str(self.status()["api_url"])

    @property
    def appliances(self) -> list[dict[str, Any]]:
        return list(self.status()["appliances"])

    def ingest(
        self,
        film: Path,
        name: str,
        captions: dict[str, Path] | None = None,
        wait: bool = True,
        limit_s: float = 600,
        effort: str = "",
        codecs: Sequence[str] = (),
    ) -> Any:
        self.masters[name] = film
        flags = [f"--captions={language}={path}" for language, path in (captions or {}).items()]
        flags += ["--wait"] if wait else []
        flags += ["--effort", effort] if effort else []
        flags += [f"--codec={codec}" for codec in codecs]
        self.ingested[name] = self.json(
            "ingest", str(film), "--title", name, *flags, limit_s=limit_s
        )
        return self.ingested[name]

    def title_id(self, name: str) -> str:
        titles = self.json("titles")["titles"]
        return next(str(title["title_id"]) for title in titles if title["name"] == name)

    def login_link(self) -> str:
        """A one-time login URL for a member that nobody else uses."""
        email = f"member-{time.monotonic_ns()}@cuemark.example"
        return str(self.json("account", "login-link", email, "--create")["url"])

    def login_code(self) -> str:
        return self.login_link().partition("code=")[2]

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> int:
        """Signal the child of this name; its process id."""
        pid = int(self.status()["pids"][name])
        os.kill(pid, how)
        return pid

    def kill_appliance(self, appliance_id: str) -> None:
        """Kill an appliance whole, nginx and agent, and keep it away by stopping its children.

        The supervisor would restart it: what is killed is found again until ``appliance_back``.
        """
        for name in (appliance_id, f"{appliance_id}-agent"):
            os.killpg(int(self.status()["pids"][name]), signal.SIGKILL)

    def film_frame(self, name: str, seconds: float, width: int = 640) -> Path:
        """A PNG of the master at a time, scaled to ``width``."""
        master = self.masters[name]
        picture = self.folder / f"{re.sub('[^a-z]', '-', name.lower())}-{seconds:.2f}.png"
        argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-ss", str(seconds)]
        argv += ["-i", str(master), "-frames:v", "1", "-vf", f"scale={width}:-2", str(picture)]
        subprocess.run(argv, check=True)
        return picture

    def events(self, event: str) -> list[dict[str, Any]]:
        """The lines of the structured log with this event name."""
        return [found for found in self.log(event) if found.get("event") == event]

    def log(self, text: str) -> list[dict[str, Any]]:
        """The lines of the structured log that hold ``text``."""
        lines = (self.folder / "logs" / "cuemark.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines if text in line]


def ffmpeg(*arguments: str | Sequence[str]) -> None:
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
    for argument in arguments:
        argv += [argument] if isinstance(argument, str) else list(argument)
    subprocess.run(argv, check=True, timeout=120)
