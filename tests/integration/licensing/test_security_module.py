"""Master keys in a security module: SoftHSM, which keeps PKCS#11 in files."""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pkcs11
import pytest
from pkcs11 import Attribute
from pkcs11.exceptions import AttributeSensitive
from sqlalchemy import text

from cuemark.app.folder import DataFolder
from cuemark.app.master_key_settings import MasterKeysIn
from cuemark.app.master_keys import vault_in
from cuemark.contexts.licensing import wiring
from cuemark.contexts.licensing.model.master_keys import SPREAD_S
from cuemark.contexts.licensing.wiring import MasterKey, Vault, WrongMasterKey
from cuemark.contracts.licensing import RetireMasterKey
from cuemark.kit.clock import ManualClock
from cuemark.kit.database import Database
from cuemark.kit.errors import Unavailable
from tests.databases import opened
from tests.integration.licensing.test_master_keys import House

LIBRARY = "/usr/lib/softhsm/libsofthsm2.so"
PIN, CONTENT_KEY, TOKENS = "314159", bytes(range(16)), 12

_MAKE = """
import sys
from pathlib import Path
from cuemark.app.folder import DataFolder
from cuemark.app.master_key_settings import MasterKeysIn
from cuemark.app.master_keys import vault_in
from cuemark.kit.clock import SystemClock
folder, library, token = sys.argv[1:]
settings = MasterKeysIn(kept="module", library=library, token=token, pin_file="secrets/pin")
vault = vault_in(DataFolder(Path(folder)), settings, SystemClock())
print("ready", flush=True)
sys.stdin.readline()
vault.make(2)
found = {key.number: key for key in vault.load()}
print(found[2].wrap(bytes(16)).hex())
"""


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Iterator[str]]:
    """Empty tokens. The library looks where they are, and which there are, once in a process."""
    tool = shutil.which("softhsm2-util")
    if tool is None:
        pytest.skip("SoftHSM is not installed: `apt install softhsm2` brings it.")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    labels = [f"cuemark {number}" for number in range(TOKENS)]
    for label in labels:
        asked = ["--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "271828"]
        subprocess.run([tool, *asked], check=True, capture_output=True, timeout=30)
    yield iter(labels)
    del os.environ["SOFTHSM2_CONF"]


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path)
    folder.prepare()
    (tmp_path / "secrets" / "pin").write_text(f"{PIN}\n")
    return folder


@pytest.fixture
def token(tokens: Iterator[str]) -> str:
    return next(tokens)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url, wiring) as database:
        yield database


def in_module(token: str) -> MasterKeysIn:
    return MasterKeysIn(kept="module", library=LIBRARY, token=token, pin_file="secrets/pin")


def vault_with(folder: DataFolder, token: str, clock: ManualClock) -> Vault:
    return vault_in(folder, in_module(token), clock)


def test_the_first_master_key_is_made_in_the_module_and_never_leaves_it(
    folder: DataFolder, token: str
) -> None:
    clock = ManualClock()
    vault = vault_with(folder, token, clock)
    (first,) = vault.load()
    assert (first.number, first.made_at) == (1, clock.now().replace(microsecond=0))
    assert not list((folder.root / "secrets").glob("master_key*"))
    wrapped = first.wrap(CONTENT_KEY)
    assert len(wrapped) == 24
    assert first.wrap(CONTENT_KEY) == wrapped, "what another row has is found by its bytes"
    (again,) = vault_with(folder, token, clock).load()
    assert again.unwrap(wrapped) == CONTENT_KEY


def test_no_attribute_of_it_can_be_read_and_no_content_key_stays(
    folder: DataFolder, token: str
) -> None:
    (first,) = vault_with(folder, token, ManualClock()).load()
    for _ in range(3):
        assert first.unwrap(first.wrap(CONTENT_KEY)) == CONTENT_KEY
    with pkcs11.lib(LIBRARY).get_token(token_label=token).open() as session:
        (held,) = session.get_objects()
        told = [held[each] for each in (Attribute.EXTRACTABLE, Attribute.SENSITIVE)]
        assert [*told, held[Attribute.PRIVATE]] == [False, True, True]
        with pytest.raises(AttributeSensitive):
            held[Attribute.VALUE]


@pytest.mark.parametrize("spoil", [lambda it: it[:-1] + bytes([it[-1] ^ 1]), lambda it: it + b"\0"])
def test_a_changed_key_does_not_open(
    folder: DataFolder, token: str, spoil: Callable[[bytes], bytes]
) -> None:
    (first,) = vault_with(folder, token, ManualClock()).load()
    with pytest.raises(WrongMasterKey):
        first.unwrap(spoil(first.wrap(CONTENT_KEY)))
    with pytest.raises(WrongMasterKey):
        first.unwrap(MasterKey(bytes(32)).wrap(CONTENT_KEY))


async def test_an_install_moves_into_the_module_and_out_again(
    database: Database, folder: DataFolder, token: str
) -> None:
    clock = ManualClock()
    files = House(database, vault_in(folder, MasterKeysIn(), clock), clock)
    before = await files.keys()
    moved = House(database, vault_with(folder, token, clock), clock)
    told = await moved.rotate()
    assert [(each.number, each.wraps) for each in told.keys] == [(2, True), (1, False)]
    await moved.kept({2: 3, 1: 0})
    clock.advance(SPREAD_S + 1)
    await moved.licensing.retire_master_key(RetireMasterKey(number=1))
    assert not list((folder.root / "secrets").glob("master_key*"))
    assert await moved.keys() == before
    with pytest.raises(Unavailable, match="put back the one"):
        await House(database, vault_in(folder, MasterKeysIn(), clock), clock).keys()
    (folder.root / "secrets" / "master_key").unlink()
    back = MasterKeysIn(library=LIBRARY, token=token, pin_file="secrets/pin")
    out = House(database, vault_in(folder, back, clock), clock)
    await out.rotate()
    await out.kept({3: 3, 2: 0})
    os.utime(folder.root / "secrets" / "master_key_3", (0, 0))
    await out.licensing.retire_master_key(RetireMasterKey(number=2))
    assert await House(database, vault_in(folder, MasterKeysIn(), clock), clock).keys() == before


async def test_a_row_that_was_changed_does_not_hold_up_the_others(
    database: Database, folder: DataFolder, token: str
) -> None:
    clock = ManualClock()
    house = House(database, vault_with(folder, token, clock), clock)
    await house.keys()
    async with database.transaction() as transaction:
        spoil = "update licensing.content_key set wrapped = wrapped || '\\x00' where label = 'HD'"
        await transaction.execute(text(spoil))
    await house.rotate()
    await house.kept({2: 2, 1: 1})


def test_two_processes_that_rotate_at_once_make_one_key(folder: DataFolder, token: str) -> None:
    vault_with(folder, token, ManualClock()).load()
    argv = [sys.executable, "-c", _MAKE, str(folder.root), LIBRARY, token]
    pipe = subprocess.PIPE
    running = [subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True) for _ in range(3)]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = {process.communicate(timeout=30)[0] for process in running}
    assert len(said) == 1
    assert {key.number for key in vault_with(folder, token, ManualClock()).load()} == {1, 2}


async def test_a_wrong_pin_is_tried_once_and_a_right_one_at_once(
    database: Database, folder: DataFolder, token: str
) -> None:
    pin = folder.root / "secrets" / "pin"
    clock = ManualClock()
    pin.write_text("000000")
    vault = vault_with(folder, token, clock)
    for _ in range(12):
        with pytest.raises(OSError, match=r"refuses the PIN in .*secrets/pin"):
            vault.load()
    with pytest.raises(Unavailable, match="refuses the PIN"):
        House(database, vault, clock)
    pin.write_text(PIN)
    assert [key.number for key in vault.load()] == [1]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"library": "/nowhere/libmodule.so"}, "refuses .*No such file"),
        ({"token": "another"}, "refuses .*another"),
        ({"pin_file": "secrets/none"}, "No such file"),
    ],
)
def test_what_is_not_there_is_said_in_a_sentence(
    folder: DataFolder, token: str, changes: dict[str, str], said: str
) -> None:
    told = {"library": LIBRARY, "token": token, "pin_file": "secrets/pin"} | changes
    vault = vault_in(folder, MasterKeysIn(kept="module", **told), ManualClock())
    with pytest.raises(OSError, match=said):
        vault.load()
