"""Settings from the file and the environment."""

from pathlib import Path

import pytest

from cuemark.app.settings import Settings, SettingsInvalid, load


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load(tmp_path, {}) == Settings()


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "cuemark.toml").write_text('workers = 3\nservice_name = "Kino"\n')
    found = load(tmp_path, {"CUEMARK_WORKERS": "5", "CUEMARK_DATA": "/elsewhere"})
    assert (found.workers, found.service_name) == (5, "Kino")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("wrokers = 3", "unknown field `wrokers`"),
        ('workers = "many"', "Expected `int`"),
        ("workers = ", "is not TOML"),
        ("workers = -1", ">= 0"),
        ("port = 0", ">= 1"),
        ("port = 65536", "<= 65535"),
        (f"port = {'1' * 5000}", "is not TOML"),
        (f"port = {'[' * 5000}", "is not TOML"),
        ('bind = "::1"', "`bind` is '::1': write an IPv4 address"),
        ('bind = "a..b"', "`bind` is"),
        ('effort = "slow"', "Invalid enum value 'slow' .*: write one of fast, balanced, best"),
        ("[energy]\ncore_w = -1", ">= 0.0 - at `\\$.energy.core_w"),
        ("[energy]\npue = 0.9", ">= 1.0 - at `\\$.energy.pue"),
        ("[energy]\npue = nan", "energy.pue"),
        ("[energy]\nstored_tb_w = inf", "energy.stored_tb_w"),
        ("[energy]\ncore_watts = 5", "unknown field `core_watts`"),
        ('nginx = "/usr/sbin/nginx\\u0000"', "`nginx` holds a character"),
    ],
)
def test_a_wrong_file_is_one_sentence_that_names_it(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "cuemark.toml").write_text(text)
    with pytest.raises(SettingsInvalid, match=says) as caught:
        load(tmp_path, {})
    assert "cuemark.toml" in str(caught.value)


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "cuemark.toml").mkdir()
    with pytest.raises(SettingsInvalid, match="cannot be read: Is a directory"):
        load(tmp_path, {})


def test_an_environment_that_is_no_text_is_one_sentence(tmp_path: Path) -> None:
    for name in ("CUEMARK_SERVICE_NAME", "CUEMARK_WORKERS"):
        with pytest.raises(SettingsInvalid, match=f"{name} holds a character"):
            load(tmp_path, {name: "2\udcff"})


def test_a_table_is_set_in_the_file_alone(tmp_path: Path) -> None:
    said = rf"^CUEMARK_VALIDATION is a table: write \[validation\] in {tmp_path}/cuemark\.toml"
    with pytest.raises(SettingsInvalid, match=said):
        load(tmp_path, {"CUEMARK_VALIDATION": "block"})


def test_the_effort_and_the_model_of_energy_are_settings(tmp_path: Path) -> None:
    (tmp_path / "cuemark.toml").write_text("[energy]\ncore_w = 7.5\n")
    found = load(tmp_path, {"CUEMARK_EFFORT": "best"})
    assert (found.effort, found.energy.core_w, found.energy.pue) == ("best", 7.5, 1.135)
