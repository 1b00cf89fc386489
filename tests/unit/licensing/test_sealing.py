"""Keys that are sealed for a recipient open for that one alone, and not once they were changed."""

import re
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import CertificateBuilder, Name, random_serial_number

from cuemark.contexts.licensing.model import cpix
from cuemark.contexts.licensing.model.cpix import CpixInvalid, Document, DocumentKey
from cuemark.contexts.licensing.model.sealing import Recipient, Sealing, recipient_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = b"a content key---"
DOCUMENT = Document("ver_1", (DocumentKey("ab" * 16, SECRET), DocumentKey("cd" * 16, SECRET[::-1])))


@pytest.fixture(scope="module")
def recipient() -> Recipient:
    return Recipient(NOW)


def sealed_for(recipient: Recipient) -> bytes:
    asked = cpix.write(Document("ver_1", (DocumentKey("ab" * 16),)), recipient)
    certificate = recipient_of(cpix.tree_of(asked))
    assert certificate is not None
    return cpix.write(DOCUMENT, Sealing(certificate))


def test_sealed_keys_open_for_whom_they_are_sealed(recipient: Recipient) -> None:
    sealed = sealed_for(recipient)
    assert cpix.read(sealed, recipient) == DOCUMENT
    assert b"PlainValue" not in sealed
    assert sealed != sealed_for(recipient), "each document has keys of its own"
    with pytest.raises(CpixInvalid, match="for somebody else"):
        cpix.read(sealed, Recipient(NOW))
    with pytest.raises(CpixInvalid, match="to nobody here"):
        cpix.read(sealed)


def test_keys_in_the_clear_are_refused_where_they_were_to_be_sealed(recipient: Recipient) -> None:
    with pytest.raises(CpixInvalid, match="in the clear"):
        cpix.read(cpix.write(DOCUMENT), recipient)


@pytest.mark.parametrize(
    ("pattern", "replacement", "says"),
    [
        (r"(?<=CipherValue>)[^<]{8}(?=[^<]{20,60}<)", "AAAAAAAA", "its MAC is wrong"),
        (r"<pskc:ValueMAC>[^<]*", "<pskc:ValueMAC>AAAA", "its MAC is wrong"),
        (r"<pskc:ValueMAC>[^<]*</pskc:ValueMAC>", "", "its MAC is wrong"),
        (r"(?<=CipherValue>)[^<]{8}(?=[^<]{300})", "AAAAAAAA", "does not open"),
        ("rsa-oaep-mgf1p", "rsa-1_5", "not encrypted by rsa-oaep"),
        ("aes256-cbc", "tripledes-cbc", "not encrypted by aes256-cbc"),
        ("hmac-sha512", "hmac-md5", "HMAC-SHA512"),
        (r"(?<=CipherValue>)[^<]*", "A" * 2000, "longer than any key"),
    ],
)
def test_what_was_changed_on_the_way_is_refused(
    recipient: Recipient, pattern: str, replacement: str, says: str
) -> None:
    sealed = sealed_for(recipient).decode()
    changed = re.sub(pattern, replacement, sealed)
    assert changed != sealed
    with pytest.raises(CpixInvalid, match=says):
        cpix.read(changed.encode(), recipient)


def certificate_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    built = CertificateBuilder().subject_name(Name([])).issuer_name(Name([]))
    built = built.public_key(key.public_key()).serial_number(random_serial_number())
    built = built.not_valid_before(NOW).not_valid_after(NOW)
    return built.sign(key, SHA256()).public_bytes(Encoding.DER)


def test_a_certificate_without_a_fit_key_is_refused() -> None:
    with pytest.raises(CpixInvalid, match="cannot be read"):
        Sealing(b"x")
    for key in (rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP256R1())):
        with pytest.raises(CpixInvalid, match="no RSA key of 2048 to 8192 bits"):
            Sealing(certificate_of(key))
