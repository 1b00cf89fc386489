"""An appliance alone: its nginx and its agent under a supervisor, with no install around them.

What it needs to know is in one private file, in TOML, which ``cuemark host appliance`` writes.
"""

import asyncio
import os
import re
import signal
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
import structlog
import tomli_w
from msgspec import Meta

from cuemark.app import state, system
from cuemark.app.folder import DataFolder
from cuemark.app.settings import Port
from cuemark.app.sites import Site, at_site, complaint_about_sites
from cuemark.app.state import Phase
from cuemark.app.supervising import supervised
from cuemark.edge import nginx, tls
from cuemark.edge.settings import ApplianceSettings
from cuemark.kit.clock import Clock
from cuemark.kit.errors import OperatorError
from cuemark.kit.objects import write_private

NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_BIND = re.compile(r"[A-Za-z0-9.:-]{1,255}")
FINISH_S = 20.0
_KEY = re.compile(r"[0-9a-f]{64}")


class ApplianceFileInvalid(OperatorError):
    """The file of an appliance is missing, or says what cannot be; one sentence for each fault."""


class ApplianceFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an appliance is told. ``url`` is where viewers reach it, ``bind`` and ``port`` where it
    listens; the agent's port is on loopback. ``certificate`` and ``key`` are PEM files, relative
    to the file, and ``nginx`` is the path of another program than the bundled one. ``site`` is the
    table ``sites.NAME`` of the install's settings: where it stands, who tells it routes, and when
    it is filled. ``releases`` is a folder of releases, relative to the file, out of which a rollout
    may have it replaced.
    """

    name: str
    url: str
    bind: str = "0.0.0.0"
    port: Port = 8081
    agent_port: Port = 8082
    control_url: str
    passport_key: str
    origin_url: str
    origin_key: str
    certificate: str = ""
    key: str = ""
    nginx: str = ""
    releases: str = ""
    store_gb: Annotated[float, Meta(gt=0, le=1_000_000)] = 50.0
    background_kbps: Annotated[int, Meta(ge=0, le=100_000_000)] = 40_000
    site: Site = Site()

    def __repr__(self) -> str:
        return f"ApplianceFile(name={self.name!r})"


def read(path: Path, folder: DataFolder, clock: Clock) -> ApplianceSettings:
    """The settings of the appliance of a file, on a data folder of its own.

    Raises ``ApplianceFileInvalid`` with a sentence for each fault, each in a line.
    """
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
        file = msgspec.convert(said, ApplianceFile)
    except OSError as error:
        raise ApplianceFileInvalid(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ApplianceFileInvalid(f"{path}: {error}") from error
    settings = _settings(file, path.parent, folder)
    if faults := [*_faults(file), *_faults_here(settings, clock)]:
        raise ApplianceFileInvalid("\n".join(f"{path}: {fault}" for fault in faults))
    return settings


def write(file: ApplianceFile, path: Path) -> None:
    """Keep what an appliance needs in a private file (mode 0600), in TOML."""
    fields = msgspec.to_builtins(file)
    fields["site"] = _written(file.site)
    write_private(path, tomli_w.dumps(fields).encode())


def _written(site: Site) -> dict[str, Any]:
    """What is not as it is anyway: TOML has no word for nothing."""
    fields: dict[str, Any] = msgspec.to_builtins(site)
    return {name: value for name, value in fields.items() if value is not None}


async def run(folder: DataFolder, settings: ApplianceSettings, serving: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT, whether control and the origin are there or not.

    SIGQUIT ends it as well, once viewers have what they are just being sent, or after
    ``FINISH_S``. ``serving`` is called once nginx and the agent both do.
    """
    finish = False

    def asked_to_finish() -> None:
        nonlocal finish
        finish = True
        stop.set()

    async with supervised(folder) as (supervisor, stop):
        asyncio.get_running_loop().add_signal_handler(signal.SIGQUIT, asked_to_finish)
        state.write(folder, Phase(supervisor_pid=os.getpid(), doing="serving as an appliance"))
        for spec in system.specs_of_appliance(settings):
            await supervisor.add(spec)
        structlog.get_logger().info("appliance_alone", appliance_id=settings.appliance_id)
        serving()
        await stop.wait()
        if finish:
            # nginx takes nobody new, and needs the agent for those that it has.
            await supervisor.retire(settings.appliance_id, signal.SIGQUIT, FINISH_S)


def _settings(file: ApplianceFile, beside: Path, folder: DataFolder) -> ApplianceSettings:
    def at(name: str) -> str:
        return str((beside / name).resolve()) if name else ""

    settings = ApplianceSettings(
        appliance_id=file.name,
        folder=str(folder.appliance(file.name)),
        url=file.url,
        bind=file.bind,
        port=file.port,
        agent_port=file.agent_port,
        control_url=file.control_url.rstrip("/"),
        passport_key=file.passport_key,
        origin_url=file.origin_url.rstrip("/"),
        origin_key=file.origin_key,
        log=str(folder.log_file),
        certificate=at(file.certificate),
        key=at(file.key),
        nginx=file.nginx,
        releases=at(file.releases),
        store_limit_bytes=int(file.store_gb * 1e9),
        background_kbps=file.background_kbps,
    )
    return at_site(settings, file.site)


def _faults(file: ApplianceFile) -> list[str]:
    """What is wrong with the file by itself, in sentences."""
    faults = []
    if not NAME.fullmatch(file.name):
        faults.append(f"`name` is {file.name!r}: write small letters, digits and hyphens")
    if not _BIND.fullmatch(file.bind):
        faults.append(f"`bind` is {file.bind!r}: write an address of this machine, or 0.0.0.0")
    if file.port == file.agent_port:
        faults.append(f"`port` and `agent_port` are both {file.port}: each needs its own")
    for name in ("url", "control_url", "origin_url"):
        if not _is_url(getattr(file, name)):
            faults.append(f"`{name}` is {getattr(file, name)!r}: write http://HOST:PORT")
    for name in ("passport_key", "origin_key"):
        if not _KEY.fullmatch(getattr(file, name)):
            faults.append(f"`{name}` is no key: copy the file that `cuemark host appliance` wrote")
    if bool(file.certificate) != bool(file.key):
        faults.append("`certificate` and `key` belong together: write both, or none")
    elif file.certificate and not file.url.startswith("https:"):
        faults.append(f"`url` is {file.url!r}: with a certificate it begins with https:")
    if complaint := complaint_about_sites({file.name: file.site}):
        faults.append(complaint)
    return faults


def _faults_here(settings: ApplianceSettings, clock: Clock) -> list[str]:
    """What this machine lacks, in sentences."""
    faults = []
    if settings.certificate and settings.key:
        try:
            tls.read(settings, clock.now())
        except tls.CertificateUnusable as error:
            faults.append(str(error))
    if settings.releases and not Path(settings.releases).is_dir():
        faults.append(f"`releases` is {settings.releases!r}, which is no folder")
    try:
        if not Path(nginx.program(settings.nginx)).exists():
            faults.append(f"`nginx` is {settings.nginx!r}, which is not there")
    except nginx.NginxMissing as error:
        faults.append(str(error))
    return faults


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
