"""The master keys of an install: files in its secrets, or keys of a hardware security module."""

import fcntl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cuemark.app.folder import DataFolder
from cuemark.app.master_key_settings import MasterKeysIn
from cuemark.contexts.licensing.wiring import FIRST, Master, MasterKey, Vault
from cuemark.kit.clock import Clock
from cuemark.kit.objects import fsync

_NAME = "master_key"
_LOCK = ".master_keys.lock"


def vault_in(folder: DataFolder, settings: MasterKeysIn, clock: Clock) -> Vault:
    """The vault of an install; the first master key is made where there is none.

    The processes of an install share its folder, and a lock in it: each number is made once.
    """
    secrets = folder.root / "secrets"
    files = _files_in(folder)
    if not settings.library:
        return files
    from cuemark.app.security_module import SecurityModule

    pin_file = folder.root / settings.pin_file
    module = SecurityModule(settings.library, settings.token, pin_file, clock)
    new: Callable[[int], None] = module.make if settings.kept == "module" else files.make

    def load() -> Sequence[Master]:
        if not (found := _all()):
            make(FIRST)
            found = _all()
        return found

    def make(number: int) -> None:
        with _alone(secrets / _LOCK):
            if number not in {key.number for key in _all()}:
                new(number)

    def destroy(number: int) -> None:
        module.destroy(number)
        files.destroy(number)

    def _all() -> list[Master]:
        return [*_read_all(secrets), *module.load()]

    return Vault(load, make, destroy)


def _files_in(folder: DataFolder) -> Vault:
    secrets = folder.root / "secrets"

    def load() -> Sequence[Master]:
        if not (found := _read_all(secrets)):
            folder.secret(_NAME)
            found = _read_all(secrets)
        return found

    def make(number: int) -> None:
        folder.secret(_name(number))

    def destroy(number: int) -> None:
        (secrets / _name(number)).unlink(missing_ok=True)
        fsync(secrets)

    return Vault(load, make, destroy)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """No other process is between the same two lines; a dead one is in nobody's way."""
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read_all(secrets: Path) -> list[Master]:
    numbers = {_number(path.name) for path in secrets.glob(f"{_NAME}*")} - {0}
    return [key for number in numbers if (key := _read(secrets / _name(number), number))]


def _read(path: Path, number: int) -> MasterKey | None:
    """None where it has just gone. Raises ``OSError``, and ``ValueError`` where it is none."""
    try:
        secret, made_s = bytes.fromhex(path.read_text()), path.stat().st_mtime
    except FileNotFoundError:
        return None
    return MasterKey(secret, number, datetime.fromtimestamp(made_s, UTC))


def _name(number: int) -> str:
    return _NAME if number == FIRST else f"{_NAME}_{number}"


def _number(name: str) -> int:
    """The number of the master key in a file of this name; 0 for no such file."""
    if name == _NAME:
        return FIRST
    tail = name.removeprefix(f"{_NAME}_")
    return int(tail) if tail.isdecimal() and len(tail) < 9 and not tail.startswith("0") else 0
