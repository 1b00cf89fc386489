"""The certificate of an appliance: checked before nginx gets it, and exchanged while it serves.

nginx reads one file below the appliance's folder, key and chain together, which is only ever
replaced as a whole by a pair that belongs together. A file that somebody writes wrongly is
therefore told in the log, and nothing else happens.
"""

import asyncio
import contextlib
import os
import signal
from datetime import datetime
from pathlib import Path

import structlog
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from cuemark.edge.nginx import PID
from cuemark.edge.settings import ApplianceSettings
from cuemark.kit.clock import Clock
from cuemark.kit.objects import write_private

SERVED = "run/tls.pem"
LOOK_EVERY_S = 1.0
LAST_ANSWERS = "1h"


class CertificateUnusable(Exception):
    """The certificate or its key cannot be served; the sentence says which and why."""


def directives(settings: ApplianceSettings) -> str:
    """What a server of nginx needs for TLS; nothing where the settings name no certificate."""
    if not settings.certificate:
        return ""
    served = Path(settings.folder) / SERVED
    return f"""\
        http2 on;
        ssl_certificate "{served}";
        ssl_certificate_key "{served}";
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_cache shared:tls:16m;
        ssl_session_timeout 1h;
        ssl_buffer_size 16k;
"""


def read(settings: ApplianceSettings, now: datetime) -> bytes:
    """The key and the chain, as nginx is given them; raises ``CertificateUnusable``."""
    chain_pem, key_pem = (_bytes(name) for name in (settings.certificate, settings.key))
    try:
        chain = x509.load_pem_x509_certificates(chain_pem)
    except ValueError as error:
        raise CertificateUnusable(f"{settings.certificate} is no certificate in PEM") from error
    try:
        key = serialization.load_pem_private_key(key_pem, None)
    except (ValueError, TypeError) as error:
        raise CertificateUnusable(f"{settings.key} is no open private key in PEM") from error
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    if chain[0].public_key().public_bytes(*form) != key.public_key().public_bytes(*form):
        raise CertificateUnusable(f"{settings.key} is not the key of {settings.certificate}")
    ends_at = chain[0].not_valid_after_utc
    if ends_at <= now:
        raise CertificateUnusable(f"{settings.certificate} was valid until {ends_at:%Y-%m-%d}")
    return key_pem.rstrip() + b"\n" + chain_pem


def keep(settings: ApplianceSettings, pair: bytes) -> None:
    """Put a pair that ``read`` gave where nginx reads it."""
    write_private(Path(settings.folder) / SERVED, pair)


def provide(settings: ApplianceSettings, now: datetime) -> None:
    """Let nginx have the certificate at its start, or the one that it had, where that is broken."""
    if not settings.certificate:
        return
    try:
        keep(settings, read(settings, now))
    except CertificateUnusable:
        if not (Path(settings.folder) / SERVED).exists():
            raise


async def follow(settings: ApplianceSettings, clock: Clock) -> None:
    """For ever: give nginx a new certificate when the files change. Connections go on."""
    if not settings.certificate:
        return
    log = structlog.get_logger()
    seen = None
    while True:
        now = [_stamp(name) for name in (settings.certificate, settings.key)]
        if now != seen:
            seen = now
            try:
                pair = read(settings, clock.now())
                if pair != (Path(settings.folder) / SERVED).read_bytes():
                    keep(settings, pair)
                    reload_nginx(Path(settings.folder))
                    log.info("certificate_exchanged", certificate=settings.certificate)
            except (CertificateUnusable, OSError) as error:
                log.warning("certificate_refused", reason=str(error))
        await asyncio.sleep(LOOK_EVERY_S)


def reload_nginx(folder: Path) -> None:
    """Let the nginx of a folder read its files anew, without a break; nothing where none runs."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
        os.kill(int((folder / PID).read_text()), signal.SIGHUP)


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CertificateUnusable(f"{path} cannot be read: {error.strerror}") from error


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
