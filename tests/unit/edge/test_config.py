"""The generated configs and the settings they come from."""

import stat
from pathlib import Path

import msgspec
import pytest

from cuemark.edge import front, nginx, origin
from cuemark.edge.settings import ApplianceSettings, OriginSettings, SettingsInvalid, load


def appliance(folder: Path) -> ApplianceSettings:
    return ApplianceSettings(
        appliance_id="appliance-1",
        folder=str(folder),
        url="http://127.0.0.1:8081",
        bind="127.0.0.1",
        port=8081,
        agent_port=8082,
        control_url="http://127.0.0.1:8083",
        passport_key="5a" * 32,
        origin_url="http://127.0.0.1:8084",
        origin_key="c3" * 32,
    )


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_settings_are_kept_privately_and_read_back(tmp_path: Path) -> None:
    settings = appliance(tmp_path)
    settings.write(tmp_path / "agent.json")
    assert mode(tmp_path / "agent.json") == 0o600
    assert load(tmp_path / "agent.json") == settings


def test_settings_that_are_missing_or_misspelled_are_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"agent\.json cannot be read"):
        load(tmp_path / "agent.json")
    body = msgspec.to_builtins(appliance(tmp_path)) | {"prot": 1}
    (tmp_path / "agent.json").write_bytes(msgspec.json.encode(body))
    with pytest.raises(SettingsInvalid, match="prot"):
        load(tmp_path / "agent.json")


def test_configs_hold_secrets_and_are_private(tmp_path: Path) -> None:
    settings = appliance(tmp_path / "a")
    front.write_config(settings)
    config = tmp_path / "a" / nginx.CONFIG
    assert settings.agent_key in config.read_text()
    assert mode(config) == 0o600
    served = OriginSettings(
        folder=str(tmp_path / "o"), objects="/objects", port=8084, key="c3" * 32
    )
    origin.write_config(served)
    assert mode(tmp_path / "o" / nginx.CONFIG) == 0o600


def test_the_key_of_the_origin_is_not_told_to_nginx(tmp_path: Path) -> None:
    settings = appliance(tmp_path)
    assert settings.origin_key not in front.config(settings)


def test_no_variable_that_holds_the_request_line_is_in_any_log_format(tmp_path: Path) -> None:
    (form,) = (
        line for line in front.config(appliance(tmp_path)).splitlines() if "log_format" in line
    )
    for variable in ("$request ", "$request_uri", "$uri", "$args", "$http_referer", '"$request"'):
        assert variable not in form


def test_a_chosen_nginx_is_run_in_place_of_the_wheels(tmp_path: Path) -> None:
    assert nginx.argv(tmp_path, "/usr/sbin/nginx")[0] == "/usr/sbin/nginx"
    assert Path(nginx.argv(tmp_path)[0]).exists()
