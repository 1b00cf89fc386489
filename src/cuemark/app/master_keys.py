"""The master keys of an install: files in its secrets, ``master_key`` and then ``master_key_2``."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cuemark.app.folder import DataFolder
from cuemark.contexts.licensing.wiring import FIRST, MasterKey, Vault
from cuemark.kit.objects import fsync

_NAME = "master_key"


def vault_in(folder: DataFolder) -> Vault:
    """The vault in a data folder; the first master key is made where there is none."""
    secrets = folder.root / "secrets"

    def load() -> Sequence[MasterKey]:
        numbers = {_number(path.name) for path in secrets.glob(f"{_NAME}*")} - {0}
        if not numbers:
            folder.secret(_NAME)
            numbers = {FIRST}
        return [key for number in numbers if (key := _read(secrets / _name(number), number))]

    def make(number: int) -> None:
        folder.secret(_name(number))

    def destroy(number: int) -> None:
        (secrets / _name(number)).unlink(missing_ok=True)
        fsync(secrets)

    return Vault(load, make, destroy)


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
