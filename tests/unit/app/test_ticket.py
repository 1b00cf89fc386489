"""Tickets: who may come with which, and what is said to the rest."""

from pathlib import Path

import msgspec
import pytest
from cryptography import x509

from cuemark.app import folder_format
from cuemark.app.certificate import ensured
from cuemark.app.farm import ticket as tickets
from cuemark.app.farm.host import NotAHost, check_folder, host_name
from cuemark.app.farm.keys import database_password, farm_key
from cuemark.app.farm.ticket import NoFarm, Ticket, TicketUnusable
from cuemark.app.folder import DataFolder
from cuemark.app.settings import Farm, Settings
from cuemark.app.storage import ObjectsIn
from cuemark.app.system import Install, install_on

SETTINGS = Settings(
    objects=ObjectsIn(store="s3://films", credentials_file="bucket.toml"),
    farm=Farm(listen="127.0.0.1"),
)


@pytest.fixture
def install(tmp_path: Path) -> Install:
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    text = 'access_key_id = "id"\nsecret_access_key = "hush"\n'
    (folder.root / "bucket.toml").write_text(text)
    folder_format.write(folder, "pipeline-1")
    return install_on(folder, SETTINGS)


def with_settings(install: Install, **changes: object) -> Install:
    return install_on(install.folder, msgspec.structs.replace(SETTINGS, **changes))


def test_a_ticket_is_private_and_read_as_it_was_written(install: Install, tmp_path: Path) -> None:
    made = tickets.made_for(install)
    tickets.write(made, tmp_path / "ticket")
    assert (tmp_path / "ticket").stat().st_mode & 0o777 == 0o600
    assert tickets.read(tmp_path / "ticket") == made
    assert "hush" not in repr(made)
    assert made.key not in repr(made)


def test_the_same_install_gives_the_same_ticket(install: Install) -> None:
    assert tickets.made_for(install) == tickets.made_for(with_settings(install))


@pytest.mark.parametrize(
    "changes",
    [{"thumbnails": False}, {"validation": {"black": "block"}}],
    ids=lambda each: next(iter(each)),
)
def test_what_changes_the_films_voids_the_ticket(
    install: Install, changes: dict[str, object]
) -> None:
    other = with_settings(install, **changes)
    assert farm_key(other) != farm_key(install)
    assert database_password(other) != database_password(install)


def test_an_upgrade_voids_the_ticket(install: Install) -> None:
    before = farm_key(install), database_password(install)
    made = tickets.made_for(install)
    folder_format.write(install.folder, "pipeline-2")
    assert farm_key(install) != before[0]
    assert database_password(install) != before[1]
    with pytest.raises(TicketUnusable, match="put the same release on both"):
        tickets.check_pipeline(made, "pipeline-2")


def test_what_changes_no_film_leaves_the_ticket(install: Install) -> None:
    assert farm_key(with_settings(install, workers=7)) == farm_key(install)


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"objects": ObjectsIn()}, r"set \[objects\]"), ({"farm": Farm()}, r"under \[farm\]")],
)
def test_an_install_that_lets_nobody_in_says_what_to_set(
    install: Install, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(NoFarm, match=said):
        tickets.made_for(with_settings(install, **changes))


@pytest.mark.parametrize("text", ["", "{}", "[]", "\0", '{"format": 1}', "[" * 5000])
def test_what_is_no_ticket_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "ticket").write_text(text)
    with pytest.raises(TicketUnusable, match="is no ticket of this release") as refused:
        tickets.read(tmp_path / "ticket")
    assert "\n" not in str(refused.value)


def test_a_ticket_of_another_format_is_refused(install: Install, tmp_path: Path) -> None:
    later: Ticket = msgspec.structs.replace(tickets.made_for(install), format=2)
    tickets.write(later, tmp_path / "ticket")
    with pytest.raises(TicketUnusable, match="of another release"):
        tickets.read(tmp_path / "ticket")


def test_the_password_is_in_a_private_file_and_not_in_the_url(
    install: Install, tmp_path: Path
) -> None:
    made = tickets.made_for(install)
    url = tickets.database_url(made, tmp_path)
    assert made.database_password not in url
    assert made.database_password in (tmp_path / "pgpass").read_text()
    assert (tmp_path / "pgpass").stat().st_mode & 0o777 == 0o600


def test_the_certificate_is_kept_until_the_address_changes(tmp_path: Path) -> None:
    first = ensured(tmp_path, "127.0.0.1")
    encoded = first.path.read_bytes()
    assert ensured(tmp_path, "127.0.0.1").path.read_bytes() == encoded
    named = x509.load_pem_x509_certificate(ensured(tmp_path, "studio.example").path.read_bytes())
    names = named.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [x509.DNSName("studio.example")]
    assert first.key.stat().st_mode & 0o777 == 0o600


def test_a_host_keeps_its_name_and_shares_it_with_none(tmp_path: Path) -> None:
    first, second = DataFolder(tmp_path / "a"), DataFolder(tmp_path / "b")
    for folder in (first, second):
        folder.prepare()
    assert host_name(first) == host_name(first)
    assert host_name(first) != host_name(second)


def test_a_host_leaves_the_folder_of_an_install_alone(install: Install) -> None:
    with pytest.raises(NotAHost, match="choose another with --data"):
        check_folder(install.folder)
