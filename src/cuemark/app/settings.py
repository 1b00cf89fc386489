"""Settings: read once, from ``cuemark.toml`` in the data folder and the environment.

The environment wins: ``CUEMARK_WORKERS=4`` overrides ``workers = 4``. Everything else in the
program gets its settings passed in.
"""

import os
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from cuemark.kit.errors import OperatorError

FILE_NAME = "cuemark.toml"
_PREFIX = "CUEMARK_"


class SettingsInvalid(OperatorError):
    """A setting has a name or a value that this release does not take."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an install may set.

    ``postgres_url`` and ``nginx`` replace the bundled engines by the URL of a PostgreSQL 16 or
    newer and the path of an nginx with njs. ``origin_limit_kbps`` bounds each connection to the
    origin, 0 for no bound. ``bind`` is the interface of the page and of the appliances.
    """

    service_name: str = "Cuemark"
    bind: str = "127.0.0.1"
    port: int = 8080
    workers: int = 2
    appliances: int = 2
    postgres_url: str = ""
    nginx: str = ""
    origin_limit_kbps: int = 0
    control_url: str = ""


def load(folder: Path, environment: dict[str, str] | None = None) -> Settings:
    """The settings of a data folder; raises ``SettingsInvalid`` with one sentence."""
    path = folder / FILE_NAME
    values: dict[str, Any] = {}
    if path.exists():
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsInvalid(f"{path} is not TOML: {error}") from error
    for name, value in (dict(os.environ) if environment is None else environment).items():
        field = name.removeprefix(_PREFIX).lower()
        if name.startswith(_PREFIX) and field in Settings.__struct_fields__:
            values[field] = value
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsInvalid(f"{path}: {error}") from error
