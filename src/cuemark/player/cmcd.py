"""CMCD (CTA-5004): what this player tells with each request to an appliance, as headers. Pure.

A device that is no browser sends headers, which no cache has in its key and no log of addresses.
"""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Literal
from urllib.parse import quote

import msgspec

_HEADERS: Mapping[str, tuple[str, ...]] = {
    "CMCD-Object": ("br", "d", "ot", "tb"),
    "CMCD-Request": ("bl", "mtp", "nor", "su"),
    "CMCD-Session": ("cid", "sf", "sid", "st"),
    "CMCD-Status": ("bs",),
}
_HUNDREDS = ("bl", "mtp")
"""Told in whole hundreds, as the standard has it."""
_TEXTS = ("cid", "nor", "sid")


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of one request by their names in the standard: rates in kbit/s, times in ms."""

    bl: int | None = None
    br: int | None = None
    bs: bool = False
    cid: str = ""
    d: int | None = None
    mtp: int | None = None
    nor: str = ""
    ot: Literal["", "v", "a", "i", "c", "o"] = ""
    sf: Literal["", "d", "h"] = ""
    sid: str = ""
    st: Literal["", "v"] = ""
    su: bool = False
    tb: int | None = None


def headers(told: Told) -> dict[str, str]:
    """The headers that tell it; none that would be empty."""
    found = {
        header: ",".join(pair for name in names if (pair := _pair(name, getattr(told, name))))
        for header, names in _HEADERS.items()
    }
    return {header: text for header, text in found.items() if text}


def next_object(path: str, following: str) -> str:
    """The path of the next request relative to this one; empty where that is in another folder."""
    here, there = PurePosixPath(path), PurePosixPath(following)
    return there.name if here.parent == there.parent else ""


def _pair(name: str, value: int | str | bool | None) -> str:
    if value is None or value is False or value == "":
        return ""
    if value is True:
        return name
    if name in _HUNDREDS:
        return f"{name}={round(float(value) / 100) * 100}"
    if name == "nor":
        return f'nor="{quote(str(value), safe="")}"'
    if name in _TEXTS:
        escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
        return f'{name}="{escaped}"'
    return f"{name}={value}"
