"""An appliance alone, by its command: what it checks, what it serves, how it ends."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from cuemark.app import appliance, certificate
from cuemark.app.appliance import ApplianceFile
from cuemark.app.cli.main import commands
from cuemark.app.folder import DataFolder
from cuemark.app.sites import Site
from cuemark.contracts.steering.routes import Place
from cuemark.kit.clock import SystemClock
from tests.integration.edge.farm import SEGMENT, Farm, assert_no_token_in_logs, noise, until

BODY = noise(300_000)
SITED = """
appliances_elsewhere = ["edge-oslo"]

[sites.edge-oslo]
country = "NO"
asn = 64501
capacity_kbps = 900000

[sites.edge-oslo.bgp]
asn = 64500
router_id = "192.0.2.7"

[[sites.edge-oslo.bgp.peers]]
address = "192.0.2.1"
port = 1790
asn = 64501
local_address = "192.0.2.7"
allow = ["198.51.100.0/24"]
"""


def file_of(built: Farm) -> ApplianceFile:
    told = built.appliance
    return ApplianceFile(
        name=told.appliance_id,
        url=f"http://127.0.0.1:{told.port}",
        bind="127.0.0.1",
        port=told.port,
        agent_port=told.agent_port,
        control_url=told.control_url,
        passport_key=told.passport_key,
        origin_url=told.origin_url,
        origin_key=told.origin_key,
    )


@pytest.fixture
def built(tmp_path: Path) -> Iterator[Farm]:
    """Control and an origin; the appliance is the test's."""
    built = Farm(tmp_path)
    try:
        built.publish({SEGMENT: BODY})
        built.start("control")
        built.start("origin")
        yield built
    finally:
        built.stop_all()


def start(folder: Path, file: Path) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "cuemark.app.cli", "appliance", "--config", str(file)]
    return subprocess.Popen(
        [*argv, "--data", str(folder)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_it_serves_alone_with_control_and_origin_gone_and_ends_on_sigterm(
    built: Farm, tmp_path: Path
) -> None:
    file, folder = tmp_path / "edge.toml", tmp_path / "host"
    appliance.write(file_of(built), file)
    process = start(folder, file)
    try:
        until(lambda: any(report.healthy for report in built.reports()), 30)
        until(built.knows_all)
        target = built.target(built.versions[0].version_id)
        assert built.get(target).body == BODY
        until(lambda: built.get(target).headers["cache-status"].endswith("hit"))
        again = start(folder, file)
        assert "runs on" in again.communicate(timeout=30)[0]
        assert again.returncode == 1
        for name in ("control", "origin"):
            built.children[name].kill()
        time.sleep(1)
        assert built.get(target).body == BODY
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=20)
        assert process.returncode == 0, said
        assert f"appliance-1 serves http://127.0.0.1:{built.appliance.port}" in said
        assert not built.answers()
        process = start(folder, file)
        until(lambda: built.answers() and built.get(target).status == 200, 30)
        assert built.get(target).body == BODY, "it began without control, from what it holds"
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert_no_token_in_logs(folder / "appliances")


def checked(tmp_path: Path, file: ApplianceFile | str) -> tuple[int, str]:
    path = tmp_path / "edge.toml"
    if isinstance(file, str):
        path.write_text(file)
    else:
        appliance.write(file, path)
    argv = ["appliance", "--config", str(path), "--check", "--data", str(tmp_path / "host")]
    result = CliRunner().invoke(commands, argv)
    assert not (tmp_path / "host" / "run").exists(), "a check starts nothing"
    return result.exit_code, " ".join(result.output.split())


def test_each_fault_of_a_file_has_its_sentence(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    pair = certificate.ensured(tmp_path / "keys", "127.0.0.1")
    right = ApplianceFile(
        name="edge-oslo",
        url="http://192.0.2.7:8081",
        control_url="http://127.0.0.1:9000",
        passport_key="5a" * 32,
        origin_url="http://127.0.0.1:9001",
        origin_key="c3" * 32,
    )
    status, said = checked(tmp_path, right)
    assert (status, "is right" in said) == (0, True)
    secured = {"url": "https://a.test", "certificate": str(pair.path), "key": str(pair.key)}
    assert checked(tmp_path, msgspec.structs.replace(right, **secured))[0] == 0
    for changes, sentences in (
        ({"name": "Edge Oslo"}, ["`name` is"]),
        ({"bind": "here;"}, ["`bind` is"]),
        ({"agent_port": 8081}, ["`port` and `agent_port` are both 8081"]),
        ({"control_url": "127.0.0.1"}, ["`control_url` is"]),
        ({"passport_key": "secret"}, ["`passport_key` is no key"]),
        ({"certificate": "c.pem"}, ["belong together"]),
        ({**secured, "url": "http://a.test"}, ["begins with https:"]),
        ({**secured, "key": "none.pem"}, ["none.pem cannot be read"]),
        ({"nginx": "/no/nginx"}, ["which is not there"]),
        ({"site": Site(timezone="Oslo")}, ["timezone`: 'Oslo' is no time zone"]),
        ({"site": Site(fill_window="always")}, ["fill_window`: 'always' is no window"]),
        ({"url": "", "origin_url": "ftp://x", "port": 8082}, ["`url`", "`origin_url`", "both"]),
        ({"site": Site(latitude=59.9)}, ["needs both latitude and longitude"]),
    ):
        status, said = checked(tmp_path, msgspec.structs.replace(right, **changes))
        assert status == 1
        for sentence in sentences:
            assert sentence in said, changes
        assert "secret" not in said.replace("`passport_key`", "")
    for text, sentence in (
        ("name = ", "edge.toml: "),
        ('name = "a"\nurl = "http://a"\n', "missing required field"),
        ("prot = 1\n", "edge.toml: "),
    ):
        status, said = checked(tmp_path, text)
        assert (status, sentence in said) == (1, True), said


def test_an_appliance_that_is_not_enrolled_gets_no_file(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "edge.toml"
    data.mkdir()
    argv = ["host", "appliance", "edge-oslo", str(file), "--url", "http://192.0.2.7:8081"]
    argv += ["--data", str(data)]
    result = CliRunner().invoke(commands, argv)
    assert (result.exit_code, "is not enrolled" in " ".join(result.output.split())) == (1, True)
    (data / "cuemark.toml").write_text(SITED)
    for name in ("run", "secrets"):
        (data / name).mkdir(exist_ok=True)
    result = CliRunner().invoke(commands, argv)
    assert result.exit_code == 0, result.output
    assert file.stat().st_mode & 0o777 == 0o600
    argv = ["appliance", "--config", str(file), "--check", "--data", str(tmp_path / "host")]
    assert CliRunner().invoke(commands, argv).exit_code == 0
    told = appliance.read(file, DataFolder(tmp_path / "host"), SystemClock())
    assert (told.place, told.capacity_kbps) == (Place(country="NO", asn=64501), 900_000)
    assert told.bgp is not None
    assert [(peer.address, peer.port) for peer in told.bgp.peers] == [("192.0.2.1", 1790)]
