"""The appliance's files: what is kept, what makes room, what an index may name."""

import asyncio
import os
import sqlite3
from pathlib import Path

import msgspec
import pytest

from cuemark.contracts.encoding.versions import IndexedFile, VersionIndex
from cuemark.contracts.ids import VersionId
from cuemark.edge import inventory
from cuemark.edge.store import Indexes, IndexInvalid, Store, read_index

VERSION = VersionId("ver_" + "0" * 26)


def name_of(letter: str) -> str:
    return letter * 64


def keep(store: Store, letter: str, size_bytes: int = 10) -> list[str]:
    scratch = store.scratch()
    scratch.write_bytes(letter.encode() * size_bytes)
    store.keep(scratch, name_of(letter))
    return store.enter(name_of(letter), size_bytes)


def index_of(files: dict[str, str], version_id: VersionId = VERSION) -> bytes:
    held = {path: IndexedFile(blake3, 10) for path, blake3 in files.items()}
    return msgspec.json.encode(VersionIndex(version_id=version_id, files=held))


def test_a_view_leads_to_the_bytes_and_names_them(tmp_path: Path) -> None:
    store = Store(tmp_path, 100)
    keep(store, "a")
    store.link(VERSION, "v1/1.m4s", name_of("a"))
    store.link(VERSION, "v1/1.m4s", name_of("a"))
    view = tmp_path / "views" / VERSION / "v1" / "1.m4s"
    assert view.read_bytes() == b"a" * 10
    assert os.readlink(view).endswith("/" + name_of("a"))


def restarted(store: Store, tmp_path: Path, limit_bytes: int = 100) -> Store:
    asyncio.run(store.close())
    return Store(tmp_path, limit_bytes)


def test_a_new_start_finds_what_was_kept_and_sweeps_what_was_not(tmp_path: Path) -> None:
    store = Store(tmp_path, 100)
    keep(store, "a")
    store.scratch().write_bytes(b"half a file")
    again = restarted(store, tmp_path)
    assert name_of("a") in again
    assert again.held_bytes == 10
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_start_does_not_look_at_the_files_that_are_in_the_inventory(tmp_path: Path) -> None:
    store = Store(tmp_path, 100)
    keep(store, "a")
    asyncio.run(store.close())
    store.path(name_of("a")).unlink()
    again = Store(tmp_path, 100)
    assert again.held_bytes == 10
    assert asyncio.run(again.go_through(0)) == (1, 0)
    assert (len(again), again.held_bytes) == (0, 0)


def test_what_was_moved_in_but_not_written_down_is_held_after_a_kill(tmp_path: Path) -> None:
    store = Store(tmp_path, 100)
    keep(store, "a")
    asyncio.run(store.write_down())
    keep(store, "b", 7)
    again = Store(tmp_path, 100)
    assert name_of("b") not in again
    assert asyncio.run(again.go_through(0)) == (0, 1)
    assert again.held_bytes == 17
    third = restarted(again, tmp_path)
    assert asyncio.run(third.go_through(0)) == (0, 0)
    assert third.held_bytes == 17


@pytest.mark.parametrize("damage", ["gone", "garbage", "empty", "newer", "cut off"])
def test_an_inventory_that_cannot_be_read_is_made_anew_from_the_files(
    tmp_path: Path, damage: str
) -> None:
    store = Store(tmp_path, 10_000)
    for letter in "abcdef":
        keep(store, letter, 100)
    asyncio.run(store.close())
    path = tmp_path / inventory.FILE
    match damage:
        case "gone":
            path.unlink()
        case "garbage":
            path.write_bytes(b"\xa5" * 9000)
        case "empty":
            path.write_bytes(b"")
        case "newer":
            with sqlite3.connect(path) as database:
                database.execute("pragma user_version = 99")
            database.close()
        case _:
            path.write_bytes(path.read_bytes()[:5000])
    again = Store(tmp_path, 10_000)
    assert (len(again), again.held_bytes) == (6, 600)
    assert (len(restarted(again, tmp_path)), again.held_bytes) == (6, 600)


def test_an_inventory_that_was_never_written_whole_is_not_believed(tmp_path: Path) -> None:
    store = Store(tmp_path, 100)
    keep(store, "a")
    asyncio.run(store.close())
    unfinished = inventory.Inventory(tmp_path)
    unfinished.make_anew()
    unfinished.close()
    assert name_of("a") in Store(tmp_path, 100)


def test_without_room_for_an_inventory_the_store_works_without_one(tmp_path: Path) -> None:
    (tmp_path / inventory.FILE).mkdir()
    (tmp_path / inventory.FILE / "in the way").touch()
    store = Store(tmp_path, 100)
    keep(store, "a")
    asyncio.run(store.write_down())
    assert store.held_bytes == 10
    assert len(restarted(store, tmp_path)) == 1


def test_a_link_in_the_store_is_never_followed_and_goes(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("not for viewers")
    store = Store(tmp_path / "appliance", 100)
    keep(store, "a")
    store.path(name_of("a")).unlink()
    store.path(name_of("a")).symlink_to(secret)
    with pytest.raises(FileNotFoundError):
        store.open(name_of("a"))
    (store.path(name_of("a")).parent / "stranger").write_bytes(b"x")
    assert asyncio.run(store.go_through(0)) == (1, 0)
    assert list((tmp_path / "appliance" / "store").glob("*/*")) == []
    assert secret.read_text() == "not for viewers"


def test_what_viewers_use_stays_when_room_is_made(tmp_path: Path) -> None:
    store = Store(tmp_path, 40)
    for letter in "abcd":
        keep(store, letter)
    store.use(name_of("a"), 2)
    assert keep(store, "e") == [name_of("b")]
    assert restarted(store, tmp_path).held_bytes == 40


def test_the_oldest_make_room_and_their_views_become_misses(tmp_path: Path) -> None:
    store = Store(tmp_path, 25)
    for letter in "ab":
        keep(store, letter)
        store.link(VERSION, f"{letter}.m4s", name_of(letter))
    assert not store.has_room(10)
    assert keep(store, "c") == [name_of("a")]
    assert not (tmp_path / "views" / VERSION / "a.m4s").exists()
    assert (tmp_path / "views" / VERSION / "b.m4s").exists()
    assert store.held_bytes == 20


def test_the_order_of_leaving_outlives_a_restart(tmp_path: Path) -> None:
    store = Store(tmp_path, 100)
    for letter in "bac":
        keep(store, letter)
    store.use(name_of("b"), 3)
    again = restarted(store, tmp_path, 35)
    assert keep(again, "d") == [name_of("a")]


def test_an_inventory_made_anew_has_the_oldest_leave_first(tmp_path: Path) -> None:
    store = Store(tmp_path, 100)
    for age_s, letter in ((10, "b"), (20, "a")):
        keep(store, letter)
        os.utime(store.path(name_of(letter)), (1_000_000 - age_s, 1_000_000 - age_s))
    again = Store(tmp_path / "nowhere", 25)
    assert len(again) == 0
    (tmp_path / inventory.FILE).unlink()
    again = Store(tmp_path, 25)
    assert keep(again, "c") == [name_of("a")]


def test_the_same_bytes_are_counted_once(tmp_path: Path) -> None:
    store = Store(tmp_path, 100)
    keep(store, "a")
    keep(store, "a")
    assert (len(store), store.held_bytes) == (1, 10)


def test_versions_are_known_again_after_a_restart(tmp_path: Path) -> None:
    body = index_of({"v1/1.m4s": name_of("a")})
    Indexes(tmp_path).add(read_index(VERSION, body), body)
    again = Indexes(tmp_path)
    assert again.version_ids == {VERSION}
    assert again.revision == 1
    found = again.find(VERSION, "v1/1.m4s")
    assert found is not None
    assert found.blake3 == name_of("a")
    assert again.find(VERSION, "v1/2.m4s") is None


@pytest.mark.parametrize(
    "path",
    ["../x", "/etc/passwd", "v1/../../x", "v1//1", "v1/.hidden", "", "a/b/c/d/e", "x" * 65, "a b"],
)
def test_an_index_that_names_a_path_that_cannot_be_served_is_refused(path: str) -> None:
    with pytest.raises(IndexInvalid, match="cannot be served"):
        read_index(VERSION, index_of({path: name_of("a")}))


@pytest.mark.parametrize("blake3", ["", "../x", "A" * 64, "a" * 63])
def test_an_index_that_names_no_hash_is_refused(blake3: str) -> None:
    with pytest.raises(IndexInvalid, match="cannot be served"):
        read_index(VERSION, index_of({"v1/1.m4s": blake3}))


def test_the_index_of_another_version_is_refused() -> None:
    with pytest.raises(IndexInvalid, match="names the version"):
        read_index(VERSION, index_of({}, VersionId("ver_" + "1" * 26)))
    with pytest.raises(IndexInvalid, match="cannot be read"):
        read_index(VERSION, b"{")
