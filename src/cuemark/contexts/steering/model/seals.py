"""What steering hands out to be shown again: signed, and read by nobody else.

Form: base64url(what it says) ``.`` base64url(HMAC-SHA256 over the first part).
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from cuemark.kit.cat import TokenKey, derive_key

MAX_SEALED_CHARS = 2048


class Seal:
    """Seals under a key of its own for each ``subject``, so that what is sealed for one opens
    nothing of another. ``masters`` are the token keys of the install, the current one first."""

    def __init__(self, masters: Sequence[TokenKey], subject: str) -> None:
        self._keys = [derive_key(master, subject).key for master in masters]

    def sealed(self, said: bytes) -> str:
        body = _encode(said)
        return f"{body}.{_encode(_sign(self._keys[0], body))}"

    def opened(self, shown: str) -> bytes | None:
        """What was sealed; None where it was not sealed here."""
        body, _, signature = shown.partition(".")
        if len(shown) > MAX_SEALED_CHARS or not shown.isascii():
            return None
        try:
            tag = _decode(signature)
        except (ValueError, binascii.Error):
            return None
        if not any(hmac.compare_digest(tag, _sign(key, body)) for key in self._keys):
            return None
        return _decode(body)


def _sign(key: bytes, body: str) -> bytes:
    return hmac.new(key, body.encode(), hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
