"""TLS at an appliance: both versions of HTTP, and certificates that change while it serves."""

import socket
import ssl
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from pyreqwest.client import SyncClientBuilder

from cuemark.app import certificate
from cuemark.edge import tls
from cuemark.edge.settings import ApplianceSettings
from cuemark.kit.clock import SystemClock
from tests.integration.edge.farm import SEGMENT, Farm, assert_no_token_in_logs, noise, until

BODY = noise(6_000_000)
HOST = "127.0.0.1"


def write_pair(folder: Path, name: str) -> certificate.Certificate:
    """A certificate of a name's own, and its key."""
    (folder / name).mkdir()
    return certificate.ensured(folder / name, HOST)


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[Farm]:
    built = Farm(tmp_path)
    try:
        built.secure()
        built.publish({SEGMENT: BODY})
        built.start_all()
        yield built
        time.sleep(1.3)
        assert_no_token_in_logs(tmp_path)
    finally:
        built.stop_all()


def connected(built: Farm) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection((HOST, built.appliance.port), timeout=10))


def shown(built: Farm) -> bytes:
    """The certificate that a new connection is shown."""
    with connected(built) as connection:
        return connection.getpeercert(binary_form=True) or b""


def der(pair: certificate.Certificate) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pair.path.read_text())


def exchange(built: Farm, pair: certificate.Certificate) -> None:
    """Put another pair where the settings say."""
    Path(built.appliance.key).write_bytes(pair.key.read_bytes())
    Path(built.appliance.certificate).write_bytes(pair.path.read_bytes())


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/2.0"])
def test_parts_of_a_file_come_by_both_versions_of_http(secured: Farm, version: str) -> None:
    builder = SyncClientBuilder().add_root_certificate_pem(
        Path(secured.appliance.certificate).read_bytes()
    )
    builder = builder.http1_only() if version == "HTTP/1.1" else builder.http2(True)
    target = secured.target(secured.versions[0].version_id)
    url = f"https://{HOST}:{secured.appliance.port}{target}"
    with builder.build() as client:
        for _ in range(3):
            whole = client.get(url).build().send()
            assert (whole.status, whole.version) == (200, version)
            assert whole.bytes().to_bytes() == BODY
            part = client.get(url).header("Range", "bytes=100-299").build().send()
            assert (part.status, part.bytes().to_bytes()) == (206, BODY[100:300])
        refused = client.get(url.replace("/t/", "/t/A")).build().send()
        assert (refused.status, refused.version) == (401, version)


def test_what_comes_in_goes_on_while_the_certificate_is_exchanged(
    secured: Farm, tmp_path: Path
) -> None:
    target = secured.target(secured.versions[0].version_id)
    second = write_pair(tmp_path, "second")
    before = shown(secured)
    with connected(secured) as connection:
        connection.sendall(
            f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
        )
        received = bytearray(connection.recv(1000))
        exchange(secured, second)
        until(lambda: shown(secured) == der(second) != before)
        while piece := connection.recv(1 << 16):
            received += piece
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    assert b" 200 " in head.splitlines()[0]
    assert body == BODY
    with connected(secured) as connection:
        request = f"GET {target} HTTP/1.1\r\nHost: x\r\nRange: bytes=0-9\r\n"
        connection.sendall(f"{request}Connection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    assert answer.endswith(BODY[:10])
    assert len(secured.logged("certificate_exchanged")) == 1


def test_a_broken_certificate_is_told_and_the_old_one_serves_on(
    secured: Farm, tmp_path: Path
) -> None:
    first = shown(secured)
    other = write_pair(tmp_path, "other")
    Path(secured.appliance.certificate).write_bytes(other.path.read_bytes())
    until(lambda: len(secured.logged("certificate_refused")) == 1)
    (said,) = secured.logged("certificate_refused")
    assert "is not the key of" in said["reason"]
    Path(secured.appliance.certificate).write_text("no certificate")
    until(lambda: len(secured.logged("certificate_refused")) == 2)
    assert "no certificate in PEM" in secured.logged("certificate_refused")[1]["reason"]
    assert shown(secured) == first
    secured.children["nginx"].kill()
    secured.start("nginx")
    until(secured.answers)
    assert shown(secured) == first
    exchange(secured, other)
    until(lambda: shown(secured) == der(other))


def test_a_pair_is_read_as_one_or_refused_in_a_sentence(tmp_path: Path) -> None:
    pair, other = write_pair(tmp_path, "pair"), write_pair(tmp_path, "another")
    now = SystemClock().now()
    settings = ApplianceSettings(
        appliance_id="appliance-1",
        folder=str(tmp_path),
        url="https://127.0.0.1:1",
        bind=HOST,
        port=1,
        agent_port=2,
        control_url="",
        passport_key="",
        origin_url="",
        origin_key="",
        certificate=str(pair.path),
        key=str(pair.key),
    )
    served = tls.read(settings, now)
    assert served == pair.key.read_bytes() + pair.path.read_bytes()
    for changes, at, sentence in (
        ({"key": str(other.key)}, now, "is not the key of"),
        ({"key": str(pair.path)}, now, "no open private key"),
        ({"certificate": str(pair.key)}, now, "no certificate in PEM"),
        ({"certificate": str(tmp_path / "none")}, now, "cannot be read"),
        ({}, now + timedelta(days=4000), "was valid until"),
    ):
        with pytest.raises(tls.CertificateUnusable, match=sentence):
            tls.read(msgspec.structs.replace(settings, **changes), at)
