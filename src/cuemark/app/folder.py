"""The data folder: ``postgres/ objects/ appliances/<id>/ secrets/ logs/ run/``.

Secrets are made on the first start, one file each, mode 0600. Ports are chosen once and reused,
so that links and appliances stay where they were.
"""

import contextlib
import os
import secrets
import socket
from pathlib import Path

import msgspec

from cuemark.kit.cat import TokenKey
from cuemark.kit.errors import UNREADABLE, OperatorError
from cuemark.kit.objects import Objects, fsync, make_folder, new_draft, sweep_drafts, write_private

_SECRET_BYTES = 32
_PORTS = 1 << 16
FARM_FROM = 8490
SANDBOX_FROM = 8470


class FolderUnusable(OperatorError):
    """The data folder cannot be read or written by this user."""


class Ports(msgspec.Struct, frozen=True):
    """The TCP ports of an install; ``agents`` and ``appliances`` go by the appliance's number.

    ``farm`` is the one at which other hosts reach control, and ``sandbox`` that of the payment
    sandbox, 0 where there is none.
    """

    public: int
    internal: int
    origin: int
    appliances: list[int]
    agents: list[int]
    farm: int = 0
    sandbox: int = 0


class DataFolder:
    """Paths, secrets and ports of one install."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def objects(self) -> Path:
        return self.root / "objects"

    @property
    def results(self) -> Path:
        """What functions left, by function and run."""
        return self.root / "results"

    @property
    def telemetry(self) -> Path:
        """The lines of requests, by hour and appliance."""
        return self.root / "telemetry" / "edge"

    @property
    def mail(self) -> Path:
        """Letters that were sent, where the settings name no mail server."""
        return self.root / "mail"

    @property
    def sandbox(self) -> Path:
        """The memory of the payment sandbox."""
        return self.root / "sandbox" / "bank.sqlite"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def log_file(self) -> Path:
        """The structured log that every process appends to."""
        return self.logs / "cuemark.jsonl"

    def appliance(self, appliance_id: str) -> Path:
        return self.root / "appliances" / appliance_id

    def prepare(self) -> None:
        """Make what is missing; raises ``FolderUnusable``."""
        try:
            for path in (self.root, self.objects, self.logs, self.run, self.root / "secrets"):
                make_folder(path, 0o700)
        except OSError as error:
            raise FolderUnusable(
                f"the data folder {self.root} cannot be written ({error.strerror}): "
                "choose another with --data"
            ) from error

    def sweep(self) -> None:
        """Remove what writers that died have left. Call when none runs."""
        Objects(self.objects).sweep()
        appliances = [path for path in (self.root / "appliances").glob("*") if path.is_dir()]
        servers = [self.root / "origin", *appliances]
        sweep_drafts(
            *[self.run, self.root / "secrets", self.mail, *servers],
            *[path / part for path in servers for part in ("run", "indexes")],
        )

    def secret(self, name: str) -> bytes:
        """The 32 bytes of a secret, made when asked for first."""
        path = self.root / "secrets" / name
        with contextlib.suppress(FileNotFoundError):
            return bytes.fromhex(path.read_text())
        draft = new_draft(path, secrets.token_hex(_SECRET_BYTES).encode())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
        fsync(path.parent)
        return bytes.fromhex(path.read_text())

    def operator_token(self) -> str:
        """The operator's bearer token; raises ``FolderUnusable`` where it cannot be read."""
        try:
            return (self.root / "secrets" / "operator_token").read_text()
        except OSError as error:
            raise FolderUnusable(
                f"the operator's token in {self.root / 'secrets'} cannot be read "
                f"({error.strerror}): run `cuemark up` there first, or give --data"
            ) from error

    def token_keys(self) -> tuple[TokenKey, ...]:
        """The master keys of media tokens, the one in use first; ``secrets/cat_*`` all count."""
        names = sorted(path.name for path in (self.root / "secrets").glob("cat_*"))
        return tuple(
            TokenKey(name.removeprefix("cat_"), self.secret(name))
            for name in reversed(names or ["cat_1"])
        )

    def ports(
        self, bind: str, first: int, appliances: int, farm: str = "", *, sandbox: bool = False
    ) -> Ports:
        """The ports of this install, chosen now where none are kept.

        ``farm`` is the address at which other hosts reach it, if they do, and ``sandbox`` says
        whether it has a payment sandbox.
        """
        path = self.run / "ports.json"
        with contextlib.suppress(OSError, *UNREADABLE):
            kept = msgspec.json.decode(path.read_bytes(), type=Ports)
            if len(kept.appliances) == appliances:
                if (bool(farm), sandbox) == (bool(kept.farm), bool(kept.sandbox)):
                    return kept
                kept = msgspec.structs.replace(
                    kept,
                    farm=kept.farm if farm and kept.farm else _farm_port(farm),
                    sandbox=_sandbox_port(bind, kept.sandbox) if sandbox else 0,
                )
                write_private(path, msgspec.json.encode(kept))
                return kept
        taken: set[int] = set()
        ports = Ports(
            public=_free_port(bind, first, taken),
            internal=_free_port("127.0.0.1", 0, taken),
            origin=_free_port("127.0.0.1", 0, taken),
            appliances=[_free_port(bind, first + 1, taken) for _ in range(appliances)],
            agents=[_free_port("127.0.0.1", 0, taken) for _ in range(appliances)],
            farm=_farm_port(farm),
            sandbox=_free_port(bind, SANDBOX_FROM, taken) if sandbox else 0,
        )
        write_private(path, msgspec.json.encode(ports))
        return ports

    def kept_ports(self) -> Ports | None:
        """The ports chosen earlier, or None before the first start."""
        with contextlib.suppress(OSError, *UNREADABLE):
            return msgspec.json.decode((self.run / "ports.json").read_bytes(), type=Ports)
        return None


def port_is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _sandbox_port(bind: str, kept: int) -> int:
    return kept or _free_port(bind, SANDBOX_FROM, set())


def _farm_port(host: str) -> int:
    if host and not port_is_free(host, 0):
        raise FolderUnusable(
            f"nothing can listen on {host}: set `listen` under [farm] in cuemark.toml to an "
            "address of this machine"
        )
    return _free_port(host, FARM_FROM, set()) if host else 0


def _free_port(host: str, first: int, taken: set[int]) -> int:
    """The next free port from ``first``; from the upper range at random where ``first`` is 0."""
    candidates = (
        range(first, min(first + 1000, _PORTS))
        if first
        else (20000 + secrets.randbelow(12000) for _ in range(1000))
    )
    for port in candidates:
        if port not in taken and port_is_free(host, port):
            taken.add(port)
            return port
    raise FolderUnusable(f"no port is free on {host}: set `port` in cuemark.toml")
