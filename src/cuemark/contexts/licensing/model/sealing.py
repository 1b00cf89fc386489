"""Keys of CPIX documents encrypted for one recipient (CPIX 2.3 section 5.4, RFC 6030 section 6).

The recipient is a certificate. A fresh document key encrypts the content keys by AES-256-CBC, a
fresh MAC key authenticates what was encrypted by HMAC-SHA512, and both are wrapped for the
certificate's RSA key by RSA-OAEP with MGF1 and SHA-1, which is what CPIX has.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from xml.etree.ElementTree import Element, SubElement

from cryptography import x509
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.x509.oid import NameOID

from cuemark.contexts.licensing.model.cpix import CPIX, PSKC, CpixInvalid, bytes_of

DS, ENC = "{http://www.w3.org/2000/09/xmldsig#}", "{http://www.w3.org/2001/04/xmlenc#}"
AES256_CBC = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
RSA_OAEP = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
HMAC_SHA512 = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512"
RSA_BITS = range(2048, 8193)
DOCUMENT_KEY_BYTES, MAC_KEY_BYTES, BLOCK_BYTES = 32, 64, 16
MAX_SEALED_BYTES = 1024
_CERTIFICATE = f"{CPIX}DeliveryKey/{DS}X509Data/{DS}X509Certificate"
_DOCUMENT_KEY = f"{CPIX}DocumentKey/{CPIX}Data/{PSKC}Secret/{PSKC}EncryptedValue"
_DELIVERY = f"{CPIX}DeliveryDataList/{CPIX}DeliveryData"
_VALID = timedelta(days=1)
# SHA-1 is no signature here: OAEP's security does not rest on its collisions.
_OAEP = OAEP(mgf=MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)


def recipient_of(root: Element) -> bytes | None:
    """The certificate (DER) for which a document wants its keys; None where in the clear.

    Raises ``CpixInvalid``.
    """
    found = root.findall(f"{_DELIVERY}/{_CERTIFICATE}")
    if root.find(f"{CPIX}DeliveryDataList") is None:
        return None
    if len(found) != 1:
        raise CpixInvalid(f"it names {len(found)} certificates, and can be sealed for one")
    return bytes_of(found[0].text, "certificate")


class Sealing:
    """Seals keys for a certificate; raises ``CpixInvalid`` for one that has no RSA key to use."""

    def __init__(self, certificate: bytes) -> None:
        try:
            key = x509.load_der_x509_certificate(certificate).public_key()
        except ValueError as error:
            raise CpixInvalid("its certificate cannot be read") from error
        if not isinstance(key, rsa.RSAPublicKey) or key.key_size not in RSA_BITS:
            raise CpixInvalid("its certificate has no RSA key of 2048 to 8192 bits")
        self._certificate = certificate
        self._recipient = key
        self._document_key = secrets.token_bytes(DOCUMENT_KEY_BYTES)
        self._mac_key = secrets.token_bytes(MAC_KEY_BYTES)

    def describe(self, root: Element) -> None:
        delivery = _delivery(root, self._certificate)
        document = SubElement(delivery, f"{CPIX}DocumentKey", {"Algorithm": AES256_CBC})
        secret = SubElement(SubElement(document, f"{CPIX}Data"), f"{PSKC}Secret")
        wrapped = self._recipient.encrypt(self._document_key, _OAEP)
        _encrypted(SubElement(secret, f"{PSKC}EncryptedValue"), RSA_OAEP, wrapped)
        mac = SubElement(delivery, f"{CPIX}MACMethod", {"Algorithm": HMAC_SHA512})
        wrapped = self._recipient.encrypt(self._mac_key, _OAEP)
        _encrypted(SubElement(mac, f"{PSKC}MACKey"), RSA_OAEP, wrapped)

    def seal(self, secret: Element, key: bytes) -> None:
        iv = secrets.token_bytes(BLOCK_BYTES)
        padder = padding.PKCS7(8 * BLOCK_BYTES).padder()
        cipher = Cipher(algorithms.AES(self._document_key), modes.CBC(iv)).encryptor()
        padded = padder.update(key) + padder.finalize()
        value = iv + cipher.update(padded) + cipher.finalize()
        _encrypted(SubElement(secret, f"{PSKC}EncryptedValue"), AES256_CBC, value)
        mac = hmac.digest(self._mac_key, value, hashlib.sha512)
        SubElement(secret, f"{PSKC}ValueMAC").text = base64.b64encode(mac).decode()


class Recipient:
    """One who asks for keys to be sealed, with an RSA key made for that one question."""

    def __init__(self, now: datetime) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS.start)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cuemark")])
        self._certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _VALID)
            .not_valid_after(now + _VALID)
            .sign(self._key, hashes.SHA256())
            .public_bytes(serialization.Encoding.DER)
        )

    def describe(self, root: Element) -> None:
        _delivery(root, self._certificate)

    def seal(self, secret: Element, key: bytes) -> None:
        raise ValueError("who asks for keys has none to give")

    def open(self, root: Element, secret: Element) -> bytes:
        """The key in a ``Secret`` of a document; raises ``CpixInvalid``."""
        value = _value_of(secret.find(f"{PSKC}EncryptedValue"), AES256_CBC)
        mac = bytes_of(secret.findtext(f"{PSKC}ValueMAC"), "MAC")
        document_key, mac_key = self._keys_of(root)
        if not hmac.compare_digest(hmac.digest(mac_key, value, hashlib.sha512), mac):
            raise CpixInvalid("a key of it was changed on the way: its MAC is wrong")
        iv, sealed = value[:BLOCK_BYTES], value[BLOCK_BYTES:]
        if not sealed or len(sealed) % BLOCK_BYTES:
            raise CpixInvalid("a key of it is encrypted to no whole blocks")
        cipher = Cipher(algorithms.AES(document_key), modes.CBC(iv)).decryptor()
        unpadder = padding.PKCS7(8 * BLOCK_BYTES).unpadder()
        try:
            return unpadder.update(cipher.update(sealed) + cipher.finalize()) + unpadder.finalize()
        except ValueError as error:
            raise CpixInvalid("a key of it has a wrong padding") from error

    def _keys_of(self, root: Element) -> tuple[bytes, bytes]:
        for delivery in root.findall(_DELIVERY):
            if bytes_of(delivery.findtext(_CERTIFICATE), "certificate") != self._certificate:
                continue
            document = delivery.find(
                f"{CPIX}DocumentKey/{CPIX}Data/{PSKC}Secret/{PSKC}EncryptedValue"
            )
            method = delivery.find(f"{CPIX}MACMethod")
            if method is None or method.get("Algorithm") != HMAC_SHA512:
                raise CpixInvalid("it does not authenticate its keys by HMAC-SHA512")
            # RFC 6030 calls the element MACKey, and some who write CPIX call it Key.
            mac = method.find(f"{PSKC}MACKey")
            mac = method.find(f"{CPIX}Key") if mac is None else mac
            keys = self._unwrapped(document), self._unwrapped(mac)
            if len(keys[0]) != DOCUMENT_KEY_BYTES:
                raise CpixInvalid(f"its document key has {len(keys[0])} bytes, not 32")
            return keys
        raise CpixInvalid("its keys are encrypted for somebody else")

    def _unwrapped(self, element: Element | None) -> bytes:
        value = _value_of(element, RSA_OAEP)
        try:
            return self._key.decrypt(value, _OAEP)
        except ValueError as error:
            raise CpixInvalid("its document key does not open") from error


def _delivery(root: Element, certificate: bytes) -> Element:
    delivery = SubElement(SubElement(root, f"{CPIX}DeliveryDataList"), f"{CPIX}DeliveryData")
    data = SubElement(SubElement(delivery, f"{CPIX}DeliveryKey"), f"{DS}X509Data")
    SubElement(data, f"{DS}X509Certificate").text = base64.b64encode(certificate).decode()
    return delivery


def _encrypted(element: Element, algorithm: str, value: bytes) -> None:
    SubElement(element, f"{ENC}EncryptionMethod", {"Algorithm": algorithm})
    data = SubElement(element, f"{ENC}CipherData")
    SubElement(data, f"{ENC}CipherValue").text = base64.b64encode(value).decode()


def _value_of(element: Element | None, algorithm: str) -> bytes:
    method = None if element is None else element.find(f"{ENC}EncryptionMethod")
    if element is None or method is None or method.get("Algorithm") != algorithm:
        raise CpixInvalid(f"a key of it is not encrypted by {algorithm.rpartition('#')[2]}")
    value = bytes_of(element.findtext(f"{ENC}CipherData/{ENC}CipherValue"), "encrypted key")
    if len(value) > MAX_SEALED_BYTES:
        raise CpixInvalid("an encrypted key of it is longer than any key")
    return value
