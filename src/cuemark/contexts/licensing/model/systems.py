"""How each DRM system wants a content key to be named: ``pssh`` boxes, PlayReady Objects, URIs.

Sources: ISO/IEC 23001-7:2023 section 8.1 (``pssh``); Widevine's ``widevine_pssh_data.proto``,
which Shaka Packager publishes; Microsoft, *PlayReady Header Specification* (PlayReady Object,
header 4.3); Apple, *FairPlay Streaming Programming Guide* (``skd``); rfc8216bis section 4.4.4.4.
"""

import base64
import struct
from collections.abc import Sequence
from uuid import UUID

from cuemark.contracts.protection import SYSTEM_IDS, KeySignal, Scheme, System

KID_BYTES = 16
MAX_PSSH_BYTES = 16 << 10

_KEY_IDS, _CONTENT_ID, _PROTECTION_SCHEME = 2, 4, 9
"""Fields of the message WidevinePsshData."""

_PLAYREADY_HEADER = 1
_ALGORITHMS: dict[Scheme, str] = {"cenc": "AESCTR", "cbcs": "AESCBC"}
_KEYFORMATS: dict[System, str] = {
    "widevine": f"urn:uuid:{SYSTEM_IDS['widevine']}",
    "playready": "com.microsoft.playready",
    "fairplay": "com.apple.streamingkeydelivery",
}


class PsshInvalid(ValueError):
    """The bytes are no ``pssh`` box."""


def signals_of(
    kid: str, scheme: Scheme, systems: Sequence[System], content_id: str
) -> list[KeySignal]:
    """How a key (32 hex digits) that is used by ``scheme`` is named to each of ``systems``.

    FairPlay takes no cenc, and is left out where that is the scheme.
    """
    found = []
    for system in systems:
        match system:
            case "common":
                found.append(KeySignal(system=system, pssh=_base64(pssh_box(system, b"", [kid]))))
            case "widevine":
                data = widevine_data([kid], content_id, scheme)
                found.append(of_pssh(system, kid, pssh_box(system, data)))
            case "playready":
                data = playready_object([kid], scheme)
                found.append(of_pssh(system, kid, pssh_box(system, data)))
            case "fairplay":
                if scheme == "cbcs":
                    found.append(of_skd(f"skd://{kid}"))
    return found


def of_pssh(system: System, kid: str, box: bytes) -> KeySignal:
    """The signal of a system that has a ``pssh`` box; raises ``PsshInvalid``."""
    data = data_of(system, box)
    form = _KEYFORMATS.get(system)
    if system == "playready":
        uri = f"data:text/plain;charset=UTF-16;base64,{_base64(data)}"
    else:
        uri = f"data:text/plain;base64,{_base64(box)}"
    named = f"KEYID=0x{kid}," if system == "widevine" else ""
    attributes = f'URI="{uri}",{named}KEYFORMAT="{form}",KEYFORMATVERSIONS="1"' if form else ""
    return KeySignal(
        system=system,
        pssh=_base64(box),
        pro=_base64(data) if system == "playready" else "",
        hls_attributes=attributes,
    )


def of_skd(uri: str) -> KeySignal:
    """The signal of FairPlay, whose licence server knows the key by ``uri``."""
    form = _KEYFORMATS["fairplay"]
    attributes = f'URI="{uri}",KEYFORMAT="{form}",KEYFORMATVERSIONS="1"'
    return KeySignal(system="fairplay", hls_attributes=attributes)


def pssh_box(system: System, data: bytes, kids: Sequence[str] = ()) -> bytes:
    """A ``pssh`` box: of version 1 with ``kids``, which it lists, else of version 0."""
    version = 1 if kids else 0
    body = struct.pack(">I", version << 24) + UUID(SYSTEM_IDS[system]).bytes
    if kids:
        body += struct.pack(">I", len(kids)) + b"".join(bytes.fromhex(kid) for kid in kids)
    body += struct.pack(">I", len(data)) + data
    return struct.pack(">I4s", 8 + len(body), b"pssh") + body


def data_of(system: System, box: bytes) -> bytes:
    """The data of a whole ``pssh`` box of ``system``; raises ``PsshInvalid``."""
    if not 32 <= len(box) <= MAX_PSSH_BYTES:
        raise PsshInvalid(f"a pssh box has 32 to {MAX_PSSH_BYTES} bytes, and this has {len(box)}")
    size, kind, version_flags = struct.unpack_from(">I4sI", box)
    if (size, kind) != (len(box), b"pssh") or version_flags >> 24 > 1:
        raise PsshInvalid("this is no whole pssh box of version 0 or 1")
    if box[12:28] != UUID(SYSTEM_IDS[system]).bytes:
        raise PsshInvalid(f"this pssh box is not {system}'s")
    at = 28
    if version_flags >> 24 == 1:
        (count,) = struct.unpack_from(">I", box, at)
        at += 4 + KID_BYTES * count
    if at + 4 > len(box) or at + 4 + struct.unpack_from(">I", box, at)[0] != len(box):
        raise PsshInvalid("the parts of this pssh box do not fill it")
    return box[at + 4 :]


def widevine_data(kids: Sequence[str], content_id: str, scheme: Scheme) -> bytes:
    """The message WidevinePsshData in Protocol Buffers' encoding."""
    fields = [_bytes_field(_KEY_IDS, bytes.fromhex(kid)) for kid in kids]
    fields.append(_bytes_field(_CONTENT_ID, content_id.encode()))
    four = int.from_bytes(scheme.encode(), "big")
    fields.append(_varint(_PROTECTION_SCHEME << 3) + _varint(four))
    return b"".join(fields)


def playready_object(kids: Sequence[str], scheme: Scheme) -> bytes:
    """A PlayReady Object with one record, a header 4.3 in UTF-16LE.

    A key id is there a GUID, whose first three parts are little-endian.
    """
    rows = "".join(
        f'<KID ALGID="{_ALGORITHMS[scheme]}" VALUE="{_base64(UUID(kid).bytes_le)}"></KID>'
        for kid in kids
    )
    header = (
        '<WRMHEADER xmlns="http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader" '
        f'version="4.3.0.0"><DATA><PROTECTINFO><KIDS>{rows}</KIDS></PROTECTINFO></DATA></WRMHEADER>'
    ).encode("utf-16-le")
    record = struct.pack("<HH", _PLAYREADY_HEADER, len(header)) + header
    return struct.pack("<IH", 6 + len(record), 1) + record


def _bytes_field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
