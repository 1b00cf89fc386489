"""Uploads: appended at the end only, by one writer, and never past what was announced."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuemark.gateway import spool
from cuemark.gateway.errors import StorageFull, TooManyBytes, UploadBusy
from tests.unit.gateway.asking import Answer, Asker
from tests.unit.gateway.neighbours import OPERATOR, Town

SIZE = 10


async def opened(ask: Asker, size_bytes: int = SIZE) -> str:
    body = {"name": "film.mov", "size_bytes": size_bytes, "sha256": "AB" * 32}
    answer = await ask("POST", "/api/v1/uploads", token=OPERATOR, json=body)
    assert answer.status == 201
    return f"/api/v1/uploads/{answer.json()['upload_id']}"


async def send(ask: Asker, path: str, offset: int, *chunks: bytes, breaks: bool = False) -> Answer:
    headers = {"upload-offset": str(offset), "content-type": "application/octet-stream"}
    return await ask("PATCH", path, token=OPERATOR, headers=headers, chunks=chunks, breaks=breaks)


def spooled(town: Town) -> bytes:
    return town.objects.read("spool/upl_0")


async def test_bytes_arrive_in_pieces(ask: Asker, town: Town) -> None:
    path = await opened(ask)
    first = await send(ask, path, 0, b"01", b"234")
    assert (first.status, first.json()["received_bytes"]) == (200, 5)
    assert (await ask("GET", path, token=OPERATOR)).json()["received_bytes"] == 5
    second = await send(ask, path, 5, b"56789")
    assert second.json()["received_bytes"] == SIZE
    assert spooled(town) == b"0123456789"
    done = await ask("POST", f"{path}/complete", token=OPERATOR)
    assert (done.status, done.json()["asset_id"]) == (200, "ast_1")


@pytest.mark.parametrize("offset", [0, 4, 6, 10, 2**40])
async def test_a_wrong_offset_is_409_with_how_far_it_got(
    ask: Asker, town: Town, offset: int
) -> None:
    path = await opened(ask)
    await send(ask, path, 0, b"01234")
    answer = await send(ask, path, offset, b"XXXXX")
    assert (answer.status, answer.json()["received_bytes"]) == (409, 5)
    assert spooled(town) == b"01234"


@pytest.mark.parametrize("offset", ["-1", "x", "", "1.5", "9" * 40, "0x1"])
async def test_an_offset_that_is_none_is_named(ask: Asker, offset: str) -> None:
    path = await opened(ask)
    headers = {"upload-offset": offset}
    answer = await ask("PATCH", path, token=OPERATOR, headers=headers, chunks=[b"1"])
    assert (answer.status, answer.code) == (422, "invalid")
    assert "offset" in answer.json()["error"]["message"].lower()
    missing = await ask("PATCH", path, token=OPERATOR, chunks=[b"1"])
    assert (missing.status, missing.code) == (422, "invalid")
    assert "Upload-Offset" in missing.json()["error"]["message"]


async def test_bytes_past_the_announced_size_are_refused(ask: Asker, town: Town) -> None:
    path = await opened(ask)
    answer = await send(ask, path, 0, b"01234", b"56789ABC", b"DEF")
    assert (answer.status, answer.code) == (413, "too_many_bytes")
    assert spooled(town) == b"0123456789"
    more = await send(ask, path, SIZE, b"X")
    assert (more.status, more.code) == (413, "too_many_bytes")
    assert (await send(ask, path, SIZE)).status == 200
    assert spooled(town) == b"0123456789"


async def test_a_broken_connection_keeps_what_arrived(ask: Asker, town: Town) -> None:
    path = await opened(ask)
    await send(ask, path, 0, b"0123", breaks=True)
    assert spooled(town) == b"0123"
    assert (await ask("GET", path, token=OPERATOR)).json()["received_bytes"] == 4
    assert (await send(ask, path, 4, b"456789")).json()["received_bytes"] == SIZE


async def test_a_complete_upload_takes_no_more(ask: Asker, town: Town) -> None:
    path = await opened(ask)
    await send(ask, path, 0, b"0123456789")
    await ask("POST", f"{path}/complete", token=OPERATOR)
    town.objects.path("spool/upl_0").unlink()
    answer = await send(ask, path, SIZE, b"")
    assert (answer.status, answer.json()["asset_id"]) == (409, "ast_1")
    assert not town.objects.exists("spool/upl_0")


async def test_a_json_limit_does_not_bound_an_upload(ask: Asker, town: Town) -> None:
    size = 3 * spool.CHUNK_BYTES + 17
    path = await opened(ask, size)
    data = os.urandom(size)
    chunks = [data[at : at + 65_536] for at in range(0, size, 65_536)]
    assert (await send(ask, path, 0, *chunks)).json()["received_bytes"] == size
    assert spooled(town) == data


@pytest.mark.parametrize(
    "body",
    [
        {"name": "a", "size_bytes": -1},
        {"name": "a", "size_bytes": 2**60},
        {"name": "a\x00", "size_bytes": 1},
        {"name": "a", "size_bytes": 1, "sha256": "zz"},
        {"name": "a", "size_bytes": 1, "sha256": "ab" * 32 + "\n"},
    ],
)
async def test_an_announcement_that_cannot_be_is_refused(
    ask: Asker, body: dict[str, object]
) -> None:
    answer = await ask("POST", "/api/v1/uploads", token=OPERATOR, json=body)
    assert (answer.status, answer.code) == (422, "invalid")


async def held(chunk: bytes, gate: asyncio.Event) -> AsyncIterator[bytes]:
    yield chunk
    await gate.wait()


async def none() -> AsyncIterator[bytes]:
    return
    yield b""


async def test_two_writers_do_not_mix(tmp_path: Path) -> None:
    path, gate = tmp_path / "file", asyncio.Event()
    first = asyncio.create_task(spool.append(path, offset=0, size_bytes=9, chunks=held(b"a", gate)))
    while not path.exists():
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    with pytest.raises(UploadBusy):
        await spool.append(path, offset=0, size_bytes=9, chunks=none(), patience_s=0.1)
    gate.set()
    assert await first == 1
    assert await spool.append(path, offset=1, size_bytes=9, chunks=none()) == 1


async def test_the_next_writer_waits_for_one_that_is_about_to_end(tmp_path: Path) -> None:
    path, gate = tmp_path / "file", asyncio.Event()
    first = asyncio.create_task(spool.append(path, offset=0, size_bytes=9, chunks=held(b"a", gate)))
    while not path.exists():
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    second = asyncio.create_task(spool.append(path, offset=1, size_bytes=9, chunks=_one(b"b")))
    await asyncio.sleep(0.02)
    gate.set()
    assert (await first, await second) == (1, 2)
    assert path.read_bytes() == b"ab"


async def test_a_writer_that_is_cancelled_keeps_its_bytes_and_frees_the_file(
    tmp_path: Path,
) -> None:
    path, gate = tmp_path / "file", asyncio.Event()
    task = asyncio.create_task(spool.append(path, offset=0, size_bytes=9, chunks=held(b"ab", gate)))
    while not path.exists():
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert path.read_bytes() == b"ab"
    assert await spool.append(path, offset=2, size_bytes=9, chunks=none()) == 2


async def test_a_client_that_falls_silent_is_let_go() -> None:
    async def silent() -> dict[str, object]:
        await asyncio.sleep(60)
        raise AssertionError

    received = [chunk async for chunk in spool.chunks_of(silent, idle_s=0.01)]  # type: ignore[arg-type]
    assert received == []


async def test_no_link_leads_out_of_the_store(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"")
    (tmp_path / "link").symlink_to(outside)
    with pytest.raises(OSError) as caught:
        await spool.append(tmp_path / "link", offset=0, size_bytes=9, chunks=none())
    assert caught.value.errno == errno.ELOOP


async def test_a_file_that_lets_its_opener_wait_does_not_hold_the_loop(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    task = asyncio.create_task(spool.append(path, offset=0, size_bytes=9, chunks=_one(b"a")))
    await asyncio.sleep(0.05)
    assert not task.done()
    reader = await asyncio.to_thread(os.open, path, os.O_RDONLY)
    try:
        with pytest.raises(OSError) as caught:
            await task
    finally:
        os.close(reader)
    assert caught.value.errno == errno.ESPIPE


async def test_a_full_disk_is_said_in_one_sentence() -> None:
    with pytest.raises(StorageFull, match="disk is full"):
        await spool.append(Path("/dev/full"), offset=0, size_bytes=9, chunks=_one(b"123456789"))


async def _one(chunk: bytes) -> AsyncIterator[bytes]:
    yield chunk


@settings(max_examples=30, deadline=None)
@given(
    size=st.integers(0, 40),
    writes=st.lists(st.tuples(st.integers(0, 50), st.lists(st.binary(max_size=15), max_size=4))),
)
def test_a_file_is_always_a_prefix_of_what_was_taken(
    tmp_path_factory: pytest.TempPathFactory,
    size: int,
    writes: list[tuple[int, list[bytes]]],
) -> None:
    path = tmp_path_factory.mktemp("spool") / "file"
    taken = b""

    async def each(chunks: list[bytes]) -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    for offset, chunks in writes:
        whole = b"".join(chunks)
        try:
            end = asyncio.run(
                spool.append(path, offset=offset, size_bytes=size, chunks=each(chunks))
            )
        except spool.WrongOffset:
            assert offset != len(taken)
        except TooManyBytes:
            assert len(taken) + len(whole) > size
            taken = (taken + whole)[:size]
        else:
            taken += whole
            assert end == len(taken) <= size
        assert path.read_bytes() == taken
