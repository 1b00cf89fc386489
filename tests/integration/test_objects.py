"""The contract of the object store, held by a directory and by a bucket of a real S3."""

import itertools
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cuemark.app.storage import BucketUnusable, check_bucket
from cuemark.kit.bucket import NO_ROOM, BucketAt, BucketObjects
from cuemark.kit.cache import GRACE_S
from cuemark.kit.errors import Unavailable
from cuemark.kit.objects import BadKey, Objects
from tests.buckets import SECRET_ACCESS_KEY, BucketServer, Wire, bucket_server
from tests.disks import Disk, mount_in_private

__all__ = ["bucket_server"]

KEY = "work/ab/abcdef"
BIG = os.urandom(3 << 20)
_numbers = itertools.count()


class Stores:
    """Stores of one kind that share their objects; each is what a process has."""

    def __init__(self, kind: str, folder: Path, server: BucketServer | None) -> None:
        self.kind = kind
        self._folder = folder
        self._server = server
        self._prefix = f"suite-{next(_numbers)}"

    def root_of(self, host: str) -> Path:
        return self._folder / host

    def at(self, port: int = 0) -> BucketAt:
        assert self._server is not None
        return self._server.at(self._prefix, port=port)

    def one(
        self,
        host: str,
        writer: str,
        patience_s: float | None = 5,
        limit_bytes: int = 0,
        grace_s: float = GRACE_S,
        port: int = 0,
    ) -> Objects:
        if self.kind == "directory":
            return Objects(self._folder / "objects", writer)
        return BucketObjects(
            self.root_of(host),
            self.at(port),
            writer,
            patience_s=patience_s,
            limit_bytes=limit_bytes,
            grace_s=grace_s,
        )


@pytest.fixture(params=["directory", "bucket"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Stores:
    kind = str(request.param)
    server = request.getfixturevalue("bucket_server") if kind == "bucket" else None
    return Stores(kind, tmp_path, server)


@pytest.fixture
def buckets(tmp_path: Path, bucket_server: BucketServer) -> Stores:
    return Stores("bucket", tmp_path, bucket_server)


def adopt(objects: Objects, key: str, files: dict[str, bytes]) -> None:
    with objects.scratch() as scratch:
        for name, data in files.items():
            path = scratch / "result" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        objects.adopt(scratch / "result", key)


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_what_one_puts_all_others_read(stores: Stores) -> None:
    stores.one("a", "first").put("artworks/small.jpg", b"small")
    stores.one("a", "first").put("masters/film", BIG)
    other = stores.one("b", "second")
    assert other.exists("artworks/small.jpg")
    assert other.read("artworks/small.jpg") == b"small"
    assert other.path("masters/film").read_bytes() == BIG


def test_an_empty_object_is_one(stores: Stores) -> None:
    stores.one("a", "first").put("artworks/nothing", b"")
    assert stores.one("b", "second").exists("artworks/nothing")
    assert stores.one("b", "second").read("artworks/nothing") == b""


def test_what_nobody_put_is_not_there(stores: Stores) -> None:
    objects = stores.one("a", "first")
    assert not objects.exists(KEY)
    assert not objects.path(KEY).exists()
    with pytest.raises(FileNotFoundError):
        objects.read("masters/none")


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../up", "a/../b", "a//b", "a/b\n", ".hidden"])
def test_a_key_leads_nowhere_else(stores: Stores, key: str) -> None:
    objects = stores.one("a", "first")
    for call in (objects.path, objects.exists, objects.read):
        with pytest.raises(BadKey):
            call(key)


def test_a_folder_comes_whole(stores: Stores) -> None:
    files = {"index.json": b"{}", "v360/1.m4s": BIG, "v360/2.m4s": b"2", "empty": b""}
    adopt(stores.one("a", "first"), KEY, files)
    other = stores.one("b", "second")
    assert other.read(f"{KEY}/v360/2.m4s") == b"2"
    assert files_of(other.path(KEY)) == files
    assert other.exists(f"{KEY}/v360/1.m4s")
    assert not other.exists(f"{KEY}/v360/3.m4s")


def test_of_two_that_make_one_folder_the_first_wins_everywhere(stores: Stores) -> None:
    first, second = stores.one("a", "first"), stores.one("b", "second")
    adopt(first, KEY, {"chunk.mp4": b"first"})
    adopt(second, KEY, {"chunk.mp4": b"second"})
    assert first.read(f"{KEY}/chunk.mp4") == b"first"
    assert second.read(f"{KEY}/chunk.mp4") == b"first"


def test_a_file_is_replaced_where_it_is_put_again(stores: Stores) -> None:
    objects = stores.one("a", "first")
    objects.put("artworks/card.jpg", b"before")
    objects.put("artworks/card.jpg", b"after")
    assert objects.read("artworks/card.jpg") == b"after"
    assert stores.one("b", "second").read("artworks/card.jpg") == b"after"


def test_an_object_may_lie_in_another(stores: Stores) -> None:
    adopt(stores.one("a", "first"), "reports/v1", {"measures.json": b"m"})
    stores.one("b", "second").put("reports/v1/validation.json", b"v")
    for host in ("a", "b", "c"):
        objects = stores.one(host, "reader")
        assert objects.read("reports/v1/validation.json") == b"v"
        assert objects.read("reports/v1/measures.json") == b"m"


def test_a_master_that_is_linked_elsewhere_stays_there(stores: Stores) -> None:
    objects = stores.one("a", "first")
    spool = objects.draft("uploads/u.part")
    spool.parent.mkdir(parents=True)
    spool.write_bytes(BIG)
    with objects.scratch() as scratch:
        os.link(spool, scratch / "master")
        objects.adopt(scratch / "master", "masters/film")
    assert spool.read_bytes() == BIG
    assert stores.one("b", "second").read("masters/film") == BIG


def test_what_is_removed_is_gone_and_may_come_again(stores: Stores) -> None:
    objects = stores.one("a", "first")
    adopt(objects, "versions/v1", {"index.json": b"one"})
    objects.remove("versions/v1")
    assert not objects.exists("versions/v1")
    objects.remove("versions/v1")
    adopt(objects, "versions/v1", {"index.json": b"two"})
    assert stores.one("b", "second").read("versions/v1/index.json") == b"two"


def test_scratch_is_gone_afterwards_and_swept_where_its_writer_died(stores: Stores) -> None:
    objects = stores.one("a", "first")
    with objects.scratch() as scratch:
        (scratch / "half").write_bytes(b"half")
    assert not scratch.exists()
    left = objects.root / "tmp" / "first" / "left"
    left.mkdir()
    stores.one("a", "first").sweep()
    assert not left.exists()


def test_a_writer_that_dies_in_the_middle_has_made_nothing(buckets: Stores) -> None:
    """Killed when some of its bytes are in the bucket, and no list of them."""
    reader = buckets.one("b", "second")
    assert isinstance(reader, BucketObjects)
    dying = multiprocessing.get_context("spawn").Process(
        target=adopt_many, args=(buckets.root_of("a"), buckets.at())
    )
    dying.start()
    while sum(len(listed) for listed in reader.store.list("data")) < 5:
        assert dying.is_alive()
    dying.kill()
    dying.join()
    assert not reader.exists(KEY)
    again = buckets.one("a", "first")
    again.sweep()
    assert not again.exists(KEY)
    adopt(again, KEY, {"chunk.mp4": BIG})
    assert buckets.one("b", "second").read(f"{KEY}/chunk.mp4") == BIG


def adopt_many(root: Path, at: BucketAt) -> None:
    adopt(BucketObjects(root, at, "first"), KEY, {str(n): os.urandom(99_999) for n in range(400)})


def test_equal_fetches_on_one_machine_are_one(
    buckets: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    adopt(buckets.one("a", "first"), KEY, {"chunk.mp4": BIG})
    processes = [buckets.one("b", f"worker-{number}") for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda each: each.read(f"{KEY}/chunk.mp4"), processes))
    assert all(data == BIG for data in found)
    assert capsys.readouterr().out.count("object_fetched") == 1


def test_the_machine_keeps_to_its_bound_and_to_what_is_in_use(buckets: Stores) -> None:
    writer = buckets.one("a", "writer")
    for number in range(6):
        writer.put(f"masters/{number}", BIG)
    root = buckets.root_of("b")
    limit_bytes = int(3.2 * len(BIG))
    objects = buckets.one("b", "reader", limit_bytes=limit_bytes, grace_s=0)
    neighbor = buckets.one("b", "neighbor", limit_bytes=limit_bytes, grace_s=0)
    with objects.holding():
        held = objects.path("masters/0")
        for number in range(1, 6):
            assert neighbor.read(f"masters/{number}") == BIG
        assert held.read_bytes() == BIG
    kept = sorted(path.name for path in (root / "masters").iterdir())
    assert kept == ["0", "4", "5"]
    assert objects.read("masters/1") == BIG
    assert len(list((root / "masters").iterdir())) == 3


def test_another_process_does_not_remove_what_is_held(buckets: Stores) -> None:
    writer = buckets.one("a", "writer")
    for number in range(3):
        writer.put(f"masters/{number}", BIG)
    limit_bytes = int(1.2 * len(BIG))
    mine = buckets.one("b", "mine", limit_bytes=limit_bytes, grace_s=0)
    theirs = buckets.one("b", "theirs", limit_bytes=limit_bytes, grace_s=0)
    with mine.holding():
        path = mine.path("masters/0")
        theirs.path("masters/1")
        theirs.path("masters/2")
        assert path.read_bytes() == BIG
        assert not (theirs.root / "masters/1").exists()


def test_who_holds_nothing_loses_nothing_within_the_time_of_grace(buckets: Stores) -> None:
    writer = buckets.one("a", "writer")
    for number in range(3):
        writer.put(f"masters/{number}", BIG)
    objects = buckets.one("b", "mine", limit_bytes=len(BIG))
    paths = [objects.path(f"masters/{number}") for number in range(3)]
    assert all(path.exists() for path in paths)


def test_other_bytes_than_were_put_are_not_taken(
    buckets: Stores, bucket_server: BucketServer
) -> None:
    writer = buckets.one("a", "writer")
    writer.put("masters/film", BIG)
    assert isinstance(writer, BucketObjects)
    for listed in writer.store.list("data"):
        for each in listed:
            writer.store.put(each["path"], BIG[:-1] + b"!")
    with pytest.raises(Unavailable, match=r"is damaged, data/.* has other bytes"):
        buckets.one("b", "reader", patience_s=0.1).read("masters/film")
    assert not (buckets.one("b", "reader").root / "masters/film").exists()


def test_credentials_that_are_wrong_are_told_and_not_shown(
    bucket_server: BucketServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = "a-secret-that-opens-nothing"
    with pytest.raises(BucketUnusable, match="refuses these credentials: mend them"):
        check_bucket(bucket_server.at(secret=wrong), tmp_path / "cache")
    said = capsys.readouterr()
    assert wrong not in said.out + said.err
    assert SECRET_ACCESS_KEY not in repr(bucket_server.at())


def test_who_works_waits_for_a_bucket_that_is_away_and_says_so(
    buckets: Stores, bucket_server: BucketServer
) -> None:
    wire, told = Wire(bucket_server.host, bucket_server.port), list[str]()
    objects = buckets.one("a", "worker", patience_s=None, port=wire.port)
    objects.put("masters/film", BIG)
    wire.cut()
    back = threading.Timer(1.5, wire.mend)
    back.start()
    try:
        with objects.waiting(told.append):
            adopt(objects, KEY, {"chunk.mp4": BIG})
    finally:
        back.join()
    assert isinstance(objects, BucketObjects)
    assert set(told) == {f"waiting for the object store: {objects.url} does not answer"}
    assert buckets.one("b", "other").read(f"{KEY}/chunk.mp4") == BIG


def test_who_is_asked_says_soon_that_the_bucket_is_away(
    buckets: Stores, bucket_server: BucketServer
) -> None:
    wire = Wire(bucket_server.host, bucket_server.port)
    objects = buckets.one("a", "control", patience_s=0.5, port=wire.port)
    assert not objects.exists(KEY)
    wire.cut()
    began_s = time.monotonic()
    with pytest.raises(Unavailable, match="does not answer"):
        objects.exists(KEY)
    assert time.monotonic() - began_s < 5


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Disk]:
    mount_in_private()
    disk = Disk(tmp_path / "small.img", tmp_path / "small")
    disk.format(16)
    disk.mount()
    yield disk
    disk.unmount()


def test_a_full_disk_is_waited_for(buckets: Stores, small_disk: Disk) -> None:
    buckets.one("a", "writer").put("masters/film", BIG)
    objects = BucketObjects(small_disk.at / "objects", buckets.at(), "worker")
    told = list[str]()
    small_disk.fill()
    room = threading.Timer(1.0, small_disk.make_room)
    room.start()
    with objects.waiting(told.append):
        assert objects.read("masters/film") == BIG
    room.join()
    assert set(told) == {NO_ROOM}


def test_what_lies_here_from_before_the_bucket_is_put_into_it(buckets: Stores) -> None:
    objects = buckets.one("a", "control")
    (objects.root / "masters").mkdir(parents=True)
    (objects.root / "masters/film").write_bytes(BIG)
    (objects.root / "versions/v1").mkdir(parents=True)
    (objects.root / "versions/v1/index.json").write_bytes(b"{}")
    for key in ("masters/film", "versions/v1"):
        objects.bring(key)
    other = buckets.one("b", "worker")
    assert other.read("masters/film") == BIG
    assert other.read("versions/v1/index.json") == b"{}"
    assert objects.read("masters/film") == BIG
