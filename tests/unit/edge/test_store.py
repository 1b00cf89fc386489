"""The appliance's files: what is kept, what makes room, what an index may name."""

import os
from pathlib import Path

import msgspec
import pytest

from cuemark.contracts.encoding.versions import IndexedFile, VersionIndex
from cuemark.contracts.ids import VersionId
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


def test_a_new_start_finds_what_was_kept_and_sweeps_what_was_not(tmp_path: Path) -> None:
    store = Store(tmp_path, 100)
    keep(store, "a")
    store.scratch().write_bytes(b"half a file")
    again = Store(tmp_path, 100)
    assert name_of("a") in again
    assert again.held_bytes == 10
    assert list((tmp_path / "tmp").iterdir()) == []


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


def test_the_order_of_age_outlives_a_restart(tmp_path: Path) -> None:
    store = Store(tmp_path, 100)
    for age_s, letter in ((10, "b"), (20, "a")):
        keep(store, letter)
        os.utime(store.path(name_of(letter)), (1_000_000 - age_s, 1_000_000 - age_s))
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
