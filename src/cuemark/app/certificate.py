"""The certificate by which other hosts know this install: its own, trusted for itself alone."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cuemark.kit.objects import write_private

CERTIFICATE, KEY = "farm_certificate.pem", "farm_key.pem"
VALID = timedelta(days=3650)


@dataclass(frozen=True)
class Certificate:
    """A certificate and its private key, as PEM files."""

    path: Path
    key: Path


def ensured(folder: Path, host: str) -> Certificate:
    """The certificate for ``host``, an IPv4 address or a name; made where there is none for it."""
    certificate = Certificate(folder / CERTIFICATE, folder / KEY)
    if not (_is_for(certificate.path, host) and certificate.key.exists()):
        _make(certificate, host)
    return certificate


def _is_for(path: Path, host: str) -> bool:
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    return list(names) == [_name(host)] and found.not_valid_after_utc > datetime.now(UTC)


def _make(certificate: Certificate, host: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Cuemark")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName([_name(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoded = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_private(certificate.key, encoded)
    write_private(certificate.path, made.public_bytes(serialization.Encoding.PEM))


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.IPv4Address(host))
    except ValueError:
        return x509.DNSName(host)
